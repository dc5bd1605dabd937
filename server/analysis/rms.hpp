// THREAD: any, one at a time - the root of the mean square over the last while
#pragma once

#include <cstdint>
#include <vector>

#include "server/analysis/frames.hpp"
#include "server/analysis/sliding_sum.hpp"

namespace continuo::analysis {

/// A rectangular window that moves in hundredths of its length, counted in frames: no value depends on how they were
/// fed. A sine at full scale reads 0.7071 (-3.01 dB).
class RmsMeter {
 public:
  /// Allocates; nothing does afterwards.
  RmsMeter(double sample_rate_hz, std::uint32_t channels, double window_s = 0.3);

  void feed(const Frames& frames) noexcept;

  /// Linear; what was before the first frame counts as silence.
  [[nodiscard]] double level(std::uint32_t channel) const noexcept;

 private:
  static constexpr std::uint64_t kSteps = 100;
  struct Channel {
    SlidingSum window{kSteps};
    double step = 0.0;
  };
  [[nodiscard]] std::uint64_t begin_of(std::uint64_t step) const noexcept { return step * frames_ / kSteps; }

  std::uint64_t frames_;  // of the window
  std::uint64_t at_ = 0;  // within it, or rather within the run of steps that is as long
  std::uint64_t step_ = 0;
  std::vector<Channel> channels_;
};

}  // namespace continuo::analysis
