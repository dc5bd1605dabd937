// THREAD: any, one at a time - how two channels belong together
#pragma once

#include <cstdint>

#include "server/analysis/frames.hpp"

namespace continuo::analysis {

/// Means over an exponential window, moved by every frame.
class StereoMeter {
 public:
  /// Of channels `left` and `right` (from 0) of what is fed. `window_s`: the time constant.
  explicit StereoMeter(double sample_rate_hz, double window_s = 0.3, std::uint32_t left = 0, std::uint32_t right = 1);

  void feed(const Frames& frames) noexcept;

  /// -1 (the same with its sign turned) over 0 (nothing in common) to 1 (the same). 0 where a channel is silent.
  [[nodiscard]] double correlation() const noexcept;
  /// Where the power is: -1 all left, 0 as much on both sides (also in silence), 1 all right.
  [[nodiscard]] double balance() const noexcept;
  /// Neither number says anything in silence (below -150 dB): correlation() of both, balance() of all.
  [[nodiscard]] bool both_heard() const noexcept;
  [[nodiscard]] bool heard() const noexcept;

 private:
  double part_;
  std::uint32_t left_, right_;
  double left_power_ = 0.0;
  double right_power_ = 0.0;
  double product_ = 0.0;
};

}  // namespace continuo::analysis
