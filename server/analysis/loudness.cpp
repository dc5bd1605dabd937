#include "server/analysis/loudness.hpp"

#include <algorithm>

namespace continuo::analysis {
namespace {

constexpr double kRelativeGateLu = -10.0;  // BS.1770-4, Annex 1, equation (6)
constexpr double kRangeGateLu = -20.0;     // Tech 3342, 3.1
constexpr double kRangeLow = 0.10, kRangeHigh = 0.95;

double gate_below(double mean, double lu) noexcept { return mean > 0.0 ? power_of(loudness_of(mean) + lu) : 0.0; }

}  // namespace

void Loudness::feed(const Frames& frames) noexcept {
  bool ended = false;
  for (std::size_t at = 0; at < frames.count();) {
    at += windows_.feed_step(frames, at, ended);
    if (ended) count_step();
  }
}

void Loudness::count_step() noexcept {
  ++measured_;
  max_momentary_ = std::max(max_momentary_, windows_.momentary_power());
  max_short_term_ = std::max(max_short_term_, windows_.short_term_power());
  if (measured_ % kBlockSteps != 0) return;
  if (whole_blocks()) blocks_.add(windows_.momentary_power());
  if (whole_windows()) ranges_.add(windows_.short_term_power());
}

void Loudness::restart() noexcept {
  measured_ = 0;
  max_momentary_ = max_short_term_ = 0.0;
  blocks_.clear();
  ranges_.clear();
}

double Loudness::relative_gate() const noexcept {
  return std::max(loudness_of(gate_below(blocks_.mean(), kRelativeGateLu)), LevelHistogram::kLowest);
}

double Loudness::integrated() const noexcept {
  return loudness_of(blocks_.mean_from(gate_below(blocks_.mean(), kRelativeGateLu)));
}

double Loudness::range() const noexcept {
  double low = 0.0, high = 0.0;
  if (!ranges_.percentiles(gate_below(ranges_.mean(), kRangeGateLu), kRangeLow, kRangeHigh, low, high)) return 0.0;
  return loudness_of(high) - loudness_of(low);
}

}  // namespace continuo::analysis
