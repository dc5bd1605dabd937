// THREAD: any, one at a time - sample peaks: the greatest ever, and one that falls for the eye
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "server/analysis/frames.hpp"

namespace continuo::analysis {

/// Linear, of full scale. Levels rise with each sample, and fall in steps of 64 frames, counted from the first: they
/// depend on frames, never on how they were fed.
class PeakMeter {
 public:
  /// Allocates; nothing does afterwards. After a peak the level stands for `hold_s`, then falls by `decay_db_per_s`
  /// (above 0) until something is higher. Below -150 dB it is 0.
  PeakMeter(double sample_rate_hz, std::uint32_t channels, double decay_db_per_s = 20.0, double hold_s = 0.0);

  void feed(const Frames& frames) noexcept;

  [[nodiscard]] double level(std::uint32_t channel) const noexcept {
    return std::max(channels_[channel].level, static_cast<double>(channels_[channel].cell));
  }
  /// Since the start or restart().
  [[nodiscard]] float max(std::uint32_t channel) const noexcept { return channels_[channel].max; }
  [[nodiscard]] float max() const noexcept;
  void restart() noexcept;

 private:
  struct Channel {
    double level = 0.0;      // at the end of the last cell
    std::uint64_t held = 0;  // cells for which it still stands
    float cell = 0.0f;       // the peak of the one under way
    float max = 0.0f;
  };
  void end_cell() noexcept;

  static constexpr std::uint32_t kCell = 64;
  double factor_;       // of a cell's fall
  std::uint64_t hold_;  // cells
  std::uint32_t filled_ = 0;
  std::vector<Channel> channels_;
};

}  // namespace continuo::analysis
