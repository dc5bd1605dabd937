// THREAD: any - the ear's weighting of loudness, and the power behind it
#pragma once

#include <cstdint>
#include <vector>

#include "server/analysis/frames.hpp"

namespace continuo::analysis {

/// y = b0 x + b1 x[-1] + b2 x[-2] - a1 y[-1] - a2 y[-2]
struct Section {
  double b0 = 0.0, b1 = 0.0, b2 = 0.0, a1 = 0.0, a2 = 0.0;
};

/// ITU-R BS.1770-4, Annex 1: a shelf (+4 dB above 1.7 kHz, Table 1), then a high-pass (38 Hz, Table 2). The tables are
/// for 48 kHz; for other rates the analogue filters that they are the bilinear transforms of are transformed anew, each
/// with its own frequency kept in place. At 48 kHz this gives the tables to 1e-9. The high-pass of the table passes
/// 1.005 of what is above it, at every rate here (leaving its numerator at 1 -2 1 would be 1.03 of it at 8 kHz).
struct KWeighting {
  Section shelf;
  Section high_pass;
  [[nodiscard]] static KWeighting at(double sample_rate_hz) noexcept;
};

/// The sum of the squares of each channel behind the weighting. Two channels run side by side in a register of the
/// baseline: wider ones are not faster, the recursion is what takes the time.
class WeightedPower {
 public:
  /// Allocates.
  WeightedPower(double sample_rate_hz, std::uint32_t channels);

  /// Adds frames `at` to `at + count` of the view.
  void add(const Frames& frames, std::size_t at, std::size_t count) noexcept;

  /// What has been added since the last time, channel after channel, into `into` (of as many as there are channels).
  /// Also takes away what is left of a sound that ended long ago, before it would become subnormal and slow.
  void take(double* into) noexcept;

 private:
  void add_pair(double* state, std::uint32_t first, const Frames& frames, std::size_t at, std::size_t count) noexcept;

  KWeighting filter_;
  std::uint32_t channels_;
  std::vector<double> states_;  // rows of two, for each pair of channels
};

}  // namespace continuo::analysis
