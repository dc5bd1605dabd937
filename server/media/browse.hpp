// THREAD: disk - what is in a folder of a media root, page by page
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.hpp"
#include "server/media/roots.hpp"

namespace continuo::media {

struct BrowseEntry {
  std::string path;  // below the folder that was asked for: "a.wav", "album/a.flac"
  bool folder = false;
  std::int64_t bytes = 0;        // of a file
  std::int64_t modified_ns = 0;  // since 1970
};

struct BrowsePage {
  std::vector<BrowseEntry> entries;  // by their names' bytes, part by part: a folder right before what is in it
  bool more = false;                 // the next page begins after the last of them
};

inline constexpr int kMaxBrowseDepth = 32;

/// At most `size` entries that come after `after` (a BrowseEntry's path; empty: from the start), which need not exist
/// any more: what stays where it is comes exactly once, whatever else comes and goes between pages. Folders and regular
/// files; not what begins with a dot, is not UTF-8, or leads out of the root. Links to folders are not entered. Memory
/// follows `size`, not the folder's.
[[nodiscard]] Result<BrowsePage> browse(const Roots& roots, std::string_view folder, bool recursive,
                                        std::string_view after, std::size_t size);

}  // namespace continuo::media
