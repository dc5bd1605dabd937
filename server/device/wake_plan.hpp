// THREAD: any - when a render worker sleeps, and how long it looks out for the next callback
#pragma once

#include <algorithm>
#include <cstdint>

namespace continuo::device {

/// A pure function of what was seen: no clock in here. Callbacks come once a period; a worker wants to be awake shortly
/// before, and asleep for the rest. While it knows the phase it looks out for at most kLead and half a period; to find
/// the phase, for one period and a half; where no callback comes it sleeps, and finds the phase anew when they come.
class WakePlan {
 public:
  static constexpr std::int64_t kMostLeadNs = 500'000;
  static constexpr std::int64_t kLeastLeadNs = 60'000;  // a timer's usual lateness
  static constexpr std::int64_t kIdleNs = 5'000'000;
  static constexpr std::uint32_t kMostMisses = 4;

  struct Next {
    std::int64_t sleep_until_ns = 0;  // in the past: no sleep
    std::int64_t look_until_ns = 0;   // not after it: none at all
  };
  [[nodiscard]] Next next(std::int64_t now_ns) const noexcept {
    if (misses_ >= kMostMisses) return {now_ns + kIdleNs, 0};
    if (!known_) return {now_ns, now_ns + period_ns_ * 3 / 2};
    return {due_ns_ - lead_ns(), due_ns_ + period_ns_ / 2};
  }

  /// A callback began just now, and the next will after `period_ns`.
  void saw(std::int64_t now_ns, std::int64_t period_ns) noexcept {
    period_ns_ = std::clamp<std::int64_t>(period_ns, 100'000, 1'000'000'000);
    due_ns_ = now_ns + period_ns_;
    known_ = true;
    misses_ = 0;
  }
  /// One began while nobody looked.
  void overslept() noexcept {
    known_ = false;
    misses_ = 0;
  }
  /// None came while it was looked for.
  void missed() noexcept {
    due_ns_ += period_ns_;
    known_ = known_ && misses_ == 0;
    misses_ = std::min(misses_ + 1, kMostMisses);
  }

  [[nodiscard]] bool knows() const noexcept { return known_; }
  [[nodiscard]] std::int64_t lead_ns() const noexcept { return std::clamp(period_ns_ / 8, kLeastLeadNs, kMostLeadNs); }

 private:
  std::int64_t period_ns_ = 10'000'000;
  std::int64_t due_ns_ = 0;
  bool known_ = false;
  std::uint32_t misses_ = kMostMisses;  // nothing sounds yet
};

}  // namespace continuo::device
