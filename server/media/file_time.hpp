// THREAD: any - when a file was last changed
#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace continuo::media {

/// Nanoseconds since 1970.
[[nodiscard]] inline std::int64_t modified_ns(const struct stat& status) noexcept {
  return status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
}

}  // namespace continuo::media
