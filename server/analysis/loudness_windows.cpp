#include "server/analysis/loudness_windows.hpp"

#include <algorithm>
#include <cmath>

#include "server/analysis/level_histogram.hpp"
#include "server/base/check.hpp"

namespace continuo::analysis {

LoudnessWindows::LoudnessWindows(double sample_rate_hz, std::span<const double> weights)
    : rate_(static_cast<std::uint64_t>(std::llround(sample_rate_hz))),
      weights_(weights.begin(), weights.end()),
      power_(static_cast<double>(rate_), static_cast<std::uint32_t>(weights.size())),
      sums_(weights.size(), 0.0),
      step_end_(begin_of(1)) {
  CONTINUO_CHECK(rate_ >= kLowestRate && rate_ <= kHighestRate, "the filters are for sound");
  CONTINUO_CHECK(!weights.empty(), "a channel at least");
}

void LoudnessWindows::feed(const Frames& frames) noexcept {
  bool ended = false;
  for (std::size_t at = 0; at < frames.count();) at += feed_step(frames, at, ended);
}

std::size_t LoudnessWindows::feed_step(const Frames& frames, std::size_t at, bool& ended) noexcept {
  CONTINUO_CHECK(frames.channels() == weights_.size(), "a weight for each channel");
  const std::size_t n = std::min<std::size_t>(frames.count() - at, step_end_ - frames_);
  power_.add(frames, at, n);
  frames_ += n;
  ended = frames_ == step_end_;
  if (ended) end_step();
  return n;
}

void LoudnessWindows::end_step() noexcept {
  power_.take(sums_.data());
  double power = 0.0;
  for (std::size_t c = 0; c < sums_.size(); ++c) power += weights_[c] * sums_[c];
  ++step_;
  step_end_ = begin_of(step_ + 1);
  const auto mean = [&](double sum, std::uint64_t steps) {
    const std::uint64_t length = step_ >= steps ? begin_of(step_) - begin_of(step_ - steps) : begin_of(steps);
    return sum / static_cast<double>(length);
  };
  momentary_ = mean(last_400_ms_.push(power), kMomentarySteps);
  short_term_ = mean(last_3_s_.push(power), kShortTermSteps);
}

double LoudnessWindows::momentary() const noexcept { return loudness_of(momentary_); }
double LoudnessWindows::short_term() const noexcept { return loudness_of(short_term_); }

}  // namespace continuo::analysis
