// THREAD: any, one at a time - momentary and short-term loudness: how loud it is just now
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "server/analysis/frames.hpp"
#include "server/analysis/k_weighting.hpp"
#include "server/analysis/sliding_sum.hpp"

namespace continuo::analysis {

/// ITU-R BS.1770-4 (the weighting), EBU Tech 3341 (the windows). In LUFS; -150 is "nothing measured". A few KB, so that
/// every node of a large session can have one; what is gated needs a Loudness, a hundred times as large.
///
/// Momentary (400 ms) and short-term (3 s) loudness move in steps of 10 ms, so that a maximum is found wherever it lies
/// between two of the 100 ms that the standard asks for. Where a rate has no whole number of frames in 10 ms, steps
/// take turns in being one frame longer; 400 ms are always 400 ms to the frame. Before the first 400 ms (3 s) the
/// windows count what was before as silence.
class LoudnessWindows {
 public:
  static constexpr std::uint64_t kLowestRate = 8'000, kHighestRate = 768'000;
  static constexpr std::uint64_t kStepsPerSecond = 100;
  static constexpr std::uint64_t kMomentarySteps = 40;
  static constexpr std::uint64_t kShortTermSteps = 300;

  /// Allocates; nothing does afterwards. A rate in whole Hz; one weight for each channel (layout.hpp).
  LoudnessWindows(double sample_rate_hz, std::span<const double> weights);

  /// As many channels as there are weights.
  void feed(const Frames& frames) noexcept;
  /// From `at` on to the end of the step under way, or of the view: how many frames. `ended` where it was the step.
  std::size_t feed_step(const Frames& frames, std::size_t at, bool& ended) noexcept;

  /// LUFS, as the last step left them.
  [[nodiscard]] double momentary() const noexcept;
  [[nodiscard]] double short_term() const noexcept;
  /// The same as powers (loudness_of).
  [[nodiscard]] double momentary_power() const noexcept { return momentary_; }
  [[nodiscard]] double short_term_power() const noexcept { return short_term_; }

  /// There have been 400 ms, 3 s.
  [[nodiscard]] bool whole_blocks() const noexcept { return step_ >= kMomentarySteps; }
  [[nodiscard]] bool whole_windows() const noexcept { return step_ >= kShortTermSteps; }

  /// Fed since construction.
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }

 private:
  void end_step() noexcept;
  /// Where step `n` begins, in frames.
  [[nodiscard]] std::uint64_t begin_of(std::uint64_t step) const noexcept { return step * rate_ / kStepsPerSecond; }

  std::uint64_t rate_;
  std::vector<double> weights_;
  WeightedPower power_;
  std::vector<double> sums_;  // of one step, by channel
  SlidingSum last_400_ms_{kMomentarySteps};
  SlidingSum last_3_s_{kShortTermSteps};
  std::uint64_t frames_ = 0;
  std::uint64_t step_ = 0;  // the one under way
  std::uint64_t step_end_;  // its last frame and one
  double momentary_ = 0.0;  // powers
  double short_term_ = 0.0;
};

}  // namespace continuo::analysis
