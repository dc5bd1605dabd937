// THREAD: control gathers, disk asks - takes that begin together begin on one frame, however much each heard before
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>

#include "rt/types.hpp"

namespace continuo::media {

/// The listeners whose takes one batch begins. They began to listen at different moments, so each could give another
/// length: the take of each begins where the last of them can, and all of them end up equally long. Every member tells
/// its frame or leaves; until then nobody knows, and each holds what it has.
class PrerollGroup {
 public:
  /// Control thread, before the batch is sent. `who` is a name, nothing else.
  void join(const void* who) {
    const std::lock_guard lock(mutex_);
    told_.emplace(who, std::nullopt);
  }
  /// A member wanted to listen and has heard nothing yet: all takes begin with their start.
  void nothing_before() {
    const std::lock_guard lock(mutex_);
    nothing_before_ = true;
  }
  /// Disk thread: the engine frame that `who` could begin with at the earliest.
  void tell(const void* who, rt::FrameCount earliest) {
    const std::lock_guard lock(mutex_);
    if (const auto found = told_.find(who); found != told_.end()) found->second = earliest;
  }
  /// Its take never begins.
  void leave(const void* who) {
    const std::lock_guard lock(mutex_);
    if (const auto found = told_.find(who); found != told_.end() && !found->second) told_.erase(found);
  }
  /// Once all have told: the engine frame that every take begins with; kEndless: with its start.
  [[nodiscard]] std::optional<rt::FrameCount> frame() const {
    const std::lock_guard lock(mutex_);
    if (nothing_before_) return rt::kEndless;
    rt::FrameCount latest = 0;
    for (const auto& [who, earliest] : told_) {
      if (!earliest) return std::nullopt;
      latest = std::max(latest, *earliest);
    }
    return latest;
  }

 private:
  mutable std::mutex mutex_;
  std::map<const void*, std::optional<rt::FrameCount>> told_;
  bool nothing_before_ = false;
};

}  // namespace continuo::media
