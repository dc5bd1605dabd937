// THREAD: disk - what tells one state of a file from another, and whether its sound can be read
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "server/base/result.hpp"
#include "server/media/probe.hpp"

namespace continuo::media {

/// Equal at two looks: nobody writes to it, and it is the same file.
struct FileStamp {
  std::int64_t bytes = 0;
  std::int64_t changed_ns = 0;
  std::uint64_t inode = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
/// Nothing where there is no such file, or where its folder cannot be reached.
[[nodiscard]] std::optional<FileStamp> stamp_of(const std::filesystem::path& file);

/// As probe(), and some of its sound was read: at the beginning, at the end, and two seconds from each frame of `at` on
/// that it has, which is as far as a stream reads ahead. A header alone says nothing of a disk that fails, nor of a
/// file that breaks off.
[[nodiscard]] Result<MediaInfo> probe_sound(const std::filesystem::path& file, const std::vector<std::int64_t>& at);

}  // namespace continuo::media
