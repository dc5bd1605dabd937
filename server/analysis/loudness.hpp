// THREAD: any, one at a time - loudness as broadcast measures it
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "server/analysis/frames.hpp"
#include "server/analysis/k_weighting.hpp"
#include "server/analysis/level_histogram.hpp"
#include "server/analysis/sliding_sum.hpp"

namespace continuo::analysis {

/// ITU-R BS.1770-4 (the weighting, the gates), EBU Tech 3341 (momentary, short-term, integrated), EBU Tech 3342
/// (range). In LUFS and LU; -150 is "nothing measured".
///
/// Momentary (400 ms) and short-term (3 s) loudness move every 10 ms, so that a maximum is found wherever it lies
/// between two of the 100 ms that the standard asks for. Blocks of 400 ms every 100 ms are gated for the integrated
/// loudness, short-term values every 100 ms for the range. Their store is a histogram: see LevelHistogram for what that
/// costs.
///
/// Where a rate has no whole number of frames in 10 ms, steps take turns in being one frame longer; 400 ms are always
/// 400 ms to the frame. Before the first 400 ms (3 s) the windows count what was before as silence.
class Loudness {
 public:
  static constexpr std::uint64_t kLowestRate = 8'000, kHighestRate = 768'000;
  /// Allocates; nothing does afterwards. A rate in whole Hz; one weight for each channel (layout.hpp).
  Loudness(double sample_rate_hz, std::span<const double> weights);

  /// As many channels as there are weights.
  void feed(const Frames& frames) noexcept;

  /// The named measurement begins anew with the next step of 10 ms; momentary and short-term loudness go on.
  void restart() noexcept;

  [[nodiscard]] double momentary() const noexcept { return loudness_of(momentary_); }
  [[nodiscard]] double short_term() const noexcept { return loudness_of(short_term_); }
  /// Since the measurement began.
  [[nodiscard]] double max_momentary() const noexcept { return loudness_of(max_momentary_); }
  [[nodiscard]] double max_short_term() const noexcept { return loudness_of(max_short_term_); }
  /// About 10 us each: they look through the histogram.
  [[nodiscard]] double integrated() const noexcept;
  [[nodiscard]] double range() const noexcept;
  /// 10 LU below the loudness of all blocks above -70 LUFS.
  [[nodiscard]] double relative_gate() const noexcept;

  /// The measurement has had a whole block of 400 ms, a whole window of 3 s.
  [[nodiscard]] bool whole_blocks() const noexcept { return measured_ >= kMomentarySteps; }
  [[nodiscard]] bool whole_windows() const noexcept { return measured_ >= kShortTermSteps; }

  /// Fed since construction.
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }

 private:
  void end_step() noexcept;
  /// Where step `n` begins, in frames.
  [[nodiscard]] std::uint64_t begin_of(std::uint64_t step) const noexcept { return step * rate_ / kStepsPerSecond; }

  static constexpr std::uint64_t kStepsPerSecond = 100;
  static constexpr std::uint64_t kMomentarySteps = 40;
  static constexpr std::uint64_t kShortTermSteps = 300;
  static constexpr std::uint64_t kBlockSteps = 10;  // of 100 ms

  std::uint64_t rate_;
  std::vector<double> weights_;
  WeightedPower power_;
  std::vector<double> sums_;  // of one step, by channel
  SlidingSum last_400_ms_{kMomentarySteps};
  SlidingSum last_3_s_{kShortTermSteps};
  std::uint64_t frames_ = 0;
  std::uint64_t step_ = 0;      // the one under way
  std::uint64_t step_end_;      // its last frame and one
  std::uint64_t measured_ = 0;  // steps of the measurement
  double momentary_ = 0.0;      // powers
  double short_term_ = 0.0;
  double max_momentary_ = 0.0;
  double max_short_term_ = 0.0;
  LevelHistogram blocks_;
  LevelHistogram ranges_;
};

}  // namespace continuo::analysis
