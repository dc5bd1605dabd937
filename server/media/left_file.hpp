// THREAD: any that may wait - a file that a take was being written to, and that nobody holds any more
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "server/media/flac_head.hpp"

namespace continuo::media {

class LeftFile {
 public:
  explicit LeftFile(const std::filesystem::path& path);
  ~LeftFile();
  LeftFile(const LeftFile&) = delete;
  LeftFile& operator=(const LeftFile&) = delete;

  /// Nobody writes it any more, and it is a file under its one name.
  [[nodiscard]] bool mine();
  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  /// Fewer at the file's end, or where the disk fails.
  [[nodiscard]] std::vector<std::byte> read(std::int64_t at, std::size_t bytes) const;
  // An errno each; 0 when all is well.
  [[nodiscard]] int write(std::int64_t at, std::span<const std::byte> bytes) const;
  [[nodiscard]] int truncate(std::int64_t size) const;
  [[nodiscard]] int sync() const;

 private:
  const int fd_;
  std::int64_t size_ = 0;
};

/// Where the last whole frame of a FLAC take ends, and how much sound is in front of that. Looks back from the file's
/// end no further than it must: a take of hours is repaired as fast as a short one.
struct FlacEnd {
  std::int64_t at = static_cast<std::int64_t>(kFlacHeadBytes);
  std::int64_t frames = 0;
};
[[nodiscard]] FlacEnd last_whole_frame(const LeftFile& file, const FlacFormat& format);

}  // namespace continuo::media
