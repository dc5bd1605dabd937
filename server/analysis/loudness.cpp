#include "server/analysis/loudness.hpp"

#include <algorithm>
#include <cmath>

#include "server/base/check.hpp"

namespace continuo::analysis {
namespace {

constexpr double kRelativeGateLu = -10.0;  // BS.1770-4, Annex 1, equation (6)
constexpr double kRangeGateLu = -20.0;     // Tech 3342, 3.1
constexpr double kRangeLow = 0.10, kRangeHigh = 0.95;

double gate_below(double mean, double lu) noexcept { return mean > 0.0 ? power_of(loudness_of(mean) + lu) : 0.0; }

}  // namespace

Loudness::Loudness(double sample_rate_hz, std::span<const double> weights)
    : rate_(static_cast<std::uint64_t>(std::llround(sample_rate_hz))),
      weights_(weights.begin(), weights.end()),
      power_(static_cast<double>(rate_), static_cast<std::uint32_t>(weights.size())),
      sums_(weights.size(), 0.0),
      step_end_(begin_of(1)) {
  CONTINUO_CHECK(rate_ >= kLowestRate && rate_ <= kHighestRate, "the filters are for sound");
  CONTINUO_CHECK(!weights.empty(), "a channel at least");
}

void Loudness::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(frames.channels() == weights_.size(), "a weight for each channel");
  for (std::size_t at = 0; at < frames.count();) {
    const std::size_t n = std::min<std::size_t>(frames.count() - at, step_end_ - frames_);
    power_.add(frames, at, n);
    at += n;
    frames_ += n;
    if (frames_ == step_end_) end_step();
  }
}

void Loudness::end_step() noexcept {
  power_.take(sums_.data());
  double power = 0.0;
  for (std::size_t c = 0; c < sums_.size(); ++c) power += weights_[c] * sums_[c];
  ++step_;
  ++measured_;
  step_end_ = begin_of(step_ + 1);
  const auto mean = [&](double sum, std::uint64_t steps) {
    const std::uint64_t length = step_ >= steps ? begin_of(step_) - begin_of(step_ - steps) : begin_of(steps);
    return sum / static_cast<double>(length);
  };
  momentary_ = mean(last_400_ms_.push(power), kMomentarySteps);
  short_term_ = mean(last_3_s_.push(power), kShortTermSteps);
  max_momentary_ = std::max(max_momentary_, momentary_);
  max_short_term_ = std::max(max_short_term_, short_term_);
  if (measured_ % kBlockSteps != 0) return;
  if (measured_ >= kMomentarySteps) blocks_.add(momentary_);
  if (measured_ >= kShortTermSteps) ranges_.add(short_term_);
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
