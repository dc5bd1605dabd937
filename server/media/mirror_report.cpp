#include <utility>

#include "server/media/mirror_take_file.hpp"

namespace continuo::media {

void MirrorReport::opened(int which, const std::filesystem::path& file) {
  const std::lock_guard lock(mutex_);
  Destination& one = both_[static_cast<std::size_t>(which)];
  if (one.file.empty()) one.file = file;
  ++one.open_files;
}

void MirrorReport::published(int which, const std::filesystem::path& wanted, const std::filesystem::path& name) {
  const std::lock_guard lock(mutex_);
  Destination& one = both_[static_cast<std::size_t>(which)];
  --one.open_files;
  if (one.file == wanted) one.file = name;
}

void MirrorReport::discarded(int which) {
  const std::lock_guard lock(mutex_);
  --both_[static_cast<std::size_t>(which)].open_files;
}

void MirrorReport::lost(int which, std::string why, bool full, bool was_open) {
  const std::lock_guard lock(mutex_);
  Destination& one = both_[static_cast<std::size_t>(which)];
  if (was_open) --one.open_files;
  ++one.lost_files;
  if (!one.error.empty()) return;
  one.error = std::move(why);
  one.full = full;
}

}  // namespace continuo::media
