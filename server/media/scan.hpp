// THREAD: disk, one that may take its time - every sound file below a folder, read to its end
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.hpp"
#include "server/media/roots.hpp"

namespace continuo::media {

struct ScanReport {
  std::uint32_t files = 0;  // read to their end
  double seconds = 0.0;     // of sound in them
  std::int64_t bytes = 0;   // of them
  struct Broken {
    std::string file;     // "root:relative"
    std::string reason;   // "FORMAT_UNKNOWN", "CUT_OFF", "DAMAGED", or why it could not be opened
    std::string message;  // for a person
  };
  std::vector<Broken> broken;  // in the order of their names; bounded, see kMaxBroken
  std::uint32_t broken_count = 0;
};

inline constexpr std::size_t kMaxBroken = 1000;
inline constexpr std::size_t kMaxBrokenBytes = 512u << 10;  // of their texts together: the rest is only counted

/// `go_on` is asked between blocks, with the bytes that are behind and those of all files: false ends the scan
/// (ABORTED "CANCELLED"). A sound file is one whose name ends as one, or that can be played whatever its name is; what
/// is being written (".part") is left alone.
[[nodiscard]] Result<ScanReport> scan_folder(const Roots& roots, std::string_view folder,
                                             const std::function<bool(std::int64_t done, std::int64_t all)>& go_on);

}  // namespace continuo::media
