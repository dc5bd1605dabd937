// THREAD: any, one at a time - the highest level that a channel reaches, also between its samples
#pragma once

#include <cstdint>
#include <vector>

#include "rt/dsp/kernels.hpp"
#include "server/analysis/frames.hpp"

namespace continuo::analysis {

/// ITU-R BS.1770-4, Annex 2, with a longer filter than its example (32 taps a phase, a sinc under Kaiser's window) and
/// more phases: 8 values a sample, where the example's 4 may miss 0.7 dB of what lies at the top of the band.
///
/// Not all is worked out of what cannot matter. The sound goes by in cells of 128 frames, counted from the first one; a
/// cell whose samples are too small to reach the maximum of this channel is let go; then 4 values a sample (2 from
/// 80 kHz on) tell whether the 8 could hold a new maximum. So what a silent or a falling sound costs is next to
/// nothing, and no maximum differs from that of all the 8.
///
/// Reading is within +0.05/-0.2 dB of the truth up to 0.4 of the rate (20 kHz at 48 kHz: tests/server/analysis).
class TruePeakMeter {
 public:
  static constexpr std::uint32_t kTaps = 32;
  static constexpr std::uint32_t kFactor = 8;
  /// A peak between two samples is known with the 16th sample after it.
  static constexpr std::uint32_t kDelay = kTaps / 2;

  /// What there was before the first frame: nothing, or sound that the meter did not hear. Then a step from silence
  /// would be higher (by 1 dB) between its samples than the sound: of the first 128 frames the samples alone count.
  enum class Before { silence, sound };

  /// Allocates; nothing does afterwards.
  TruePeakMeter(double sample_rate_hz, std::uint32_t channels, Before before = Before::silence);

  void feed(const Frames& frames) noexcept;
  /// The sound ends here, silence follows: what lies between its last samples counts, too.
  void finish() noexcept;

  /// Linear, since the start or restart(): of all that was fed, but for the last kDelay frames' in-between.
  [[nodiscard]] float max(std::uint32_t channel) const noexcept;
  [[nodiscard]] float max() const noexcept;
  void restart() noexcept;
  [[nodiscard]] std::uint32_t channels() const noexcept { return static_cast<std::uint32_t>(channels_.size()); }

 private:
  static constexpr std::uint32_t kCell = 128;
  static constexpr std::uint32_t kPast = kTaps - 1;

  struct Channel {
    float max = 0.0f;
    alignas(64) float samples[kPast + 1 + kCell] = {};  // the past, then the cell under way
  };
  /// The maximum, given that `frames` frames of the cell are there.
  [[nodiscard]] float work(const Channel& channel, std::uint32_t frames) const noexcept;

  const rt::dsp::Kernels* kernels_;
  std::uint32_t scan_;  // every so many-th phase comes first: 2 (4 times) or 4 (twice)
  float scan_margin_;   // by how much a true peak may exceed what they find
  bool knows_past_;
  std::uint32_t filled_ = 0;
  std::vector<Channel> channels_;
};

}  // namespace continuo::analysis
