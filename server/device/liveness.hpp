// THREAD: control - tells a stream that stands still from a watcher that slept
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace continuo::device {

/// Watches a counter that rises with each callback. A frozen audio server looks alive to PortAudio: only this sees it.
class Liveness {
 public:
  using Time = std::chrono::steady_clock::time_point;
  /// What one look may add to the standstill at most: after a stop of our own process or a suspended machine the first
  /// look must not condemn a healthy device. So look at least twice a second.
  static constexpr std::chrono::milliseconds kLongestLook{500};

  explicit Liveness(std::chrono::milliseconds bound) : bound_(bound) {}

  /// False: no call came for the bound, over at least two looks.
  [[nodiscard]] bool look(std::uint64_t beats, Time now) {
    if (!seen_ || beats != beats_) {
      still_ = {};
    } else {
      still_ += std::min<std::chrono::steady_clock::duration>(now - last_, kLongestLook);
    }
    seen_ = true;
    beats_ = beats;
    last_ = now;
    return still_ < bound_;
  }
  void reset() { *this = Liveness(bound_); }

 private:
  std::chrono::milliseconds bound_;
  std::chrono::steady_clock::duration still_{};
  std::uint64_t beats_ = 0;
  Time last_{};
  bool seen_ = false;
};

}  // namespace continuo::device
