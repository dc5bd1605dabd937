// THREAD: any, one at a time - samples at full scale, and where several follow each other
#pragma once

#include <cstdint>
#include <vector>

#include "server/analysis/frames.hpp"

namespace continuo::analysis {

/// The largest positive number of 16 bits: what is cut off in any format of 16 bits or more is at or above it.
inline constexpr float kFullScale16 = 1.0f - 0x1p-15f;

class ClipCounter {
 public:
  /// So many at full scale in a row are no peak that happens to be there: a waveform was cut off.
  static constexpr std::uint64_t kRun = 3;

  /// Allocates; nothing does afterwards. `full_scale`: at or above it, to either side. The largest positive number of a
  /// format of N bits is 1 - 2^(1-N).
  explicit ClipCounter(std::uint32_t channels, float full_scale = 1.0f);

  void feed(const Frames& frames) noexcept;

  [[nodiscard]] std::uint64_t samples() const noexcept { return samples_; }
  /// Of kRun and more, in one channel; counted once each.
  [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }
  void restart() noexcept { samples_ = runs_ = 0; }

 private:
  float full_scale_;
  std::uint64_t samples_ = 0;
  std::uint64_t runs_ = 0;
  std::vector<std::uint64_t> in_row_;  // by channel
};

}  // namespace continuo::analysis
