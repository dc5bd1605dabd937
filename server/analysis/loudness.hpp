// THREAD: any, one at a time - loudness as broadcast measures it
#pragma once

#include <cstdint>
#include <span>

#include "server/analysis/frames.hpp"
#include "server/analysis/level_histogram.hpp"
#include "server/analysis/loudness_windows.hpp"

namespace continuo::analysis {

/// ITU-R BS.1770-4 (the gates), EBU Tech 3341 (integrated), EBU Tech 3342 (range), over what LoudnessWindows measures.
/// In LUFS and LU; -150 is "nothing measured".
///
/// Blocks of 400 ms every 100 ms are gated for the integrated loudness, short-term values every 100 ms for the range.
/// Their store is a histogram: see LevelHistogram for what that costs.
class Loudness {
 public:
  static constexpr std::uint64_t kLowestRate = LoudnessWindows::kLowestRate;
  static constexpr std::uint64_t kHighestRate = LoudnessWindows::kHighestRate;
  /// Allocates; nothing does afterwards. A rate in whole Hz; one weight for each channel (layout.hpp).
  Loudness(double sample_rate_hz, std::span<const double> weights) : windows_(sample_rate_hz, weights) {}

  /// As many channels as there are weights.
  void feed(const Frames& frames) noexcept;

  /// The named measurement begins anew with the next step of 10 ms; momentary and short-term loudness go on.
  void restart() noexcept;

  [[nodiscard]] double momentary() const noexcept { return windows_.momentary(); }
  [[nodiscard]] double short_term() const noexcept { return windows_.short_term(); }
  /// Since the measurement began.
  [[nodiscard]] double max_momentary() const noexcept { return loudness_of(max_momentary_); }
  [[nodiscard]] double max_short_term() const noexcept { return loudness_of(max_short_term_); }
  /// About 10 us each: they look through the histogram.
  [[nodiscard]] double integrated() const noexcept;
  [[nodiscard]] double range() const noexcept;
  /// 10 LU below the loudness of all blocks above -70 LUFS.
  [[nodiscard]] double relative_gate() const noexcept;

  /// The measurement has had a whole block of 400 ms, a whole window of 3 s.
  [[nodiscard]] bool whole_blocks() const noexcept { return measured_ >= LoudnessWindows::kMomentarySteps; }
  [[nodiscard]] bool whole_windows() const noexcept { return measured_ >= LoudnessWindows::kShortTermSteps; }

  /// Fed since construction.
  [[nodiscard]] std::uint64_t frames() const noexcept { return windows_.frames(); }

 private:
  void count_step() noexcept;

  static constexpr std::uint64_t kBlockSteps = 10;  // of 100 ms

  LoudnessWindows windows_;
  std::uint64_t measured_ = 0;  // steps of the measurement
  double max_momentary_ = 0.0;  // powers
  double max_short_term_ = 0.0;
  LevelHistogram blocks_;
  LevelHistogram ranges_;
};

}  // namespace continuo::analysis
