#include "server/analysis/rms.hpp"

#include <algorithm>
#include <cmath>

#include "server/base/check.hpp"

namespace continuo::analysis {
namespace {

constexpr std::uint32_t kAtOnce = 256;

}  // namespace

RmsMeter::RmsMeter(double sample_rate_hz, std::uint32_t channels, double window_s)
    : frames_(std::max<std::uint64_t>(kSteps, static_cast<std::uint64_t>(std::llround(window_s * sample_rate_hz)))),
      channels_(channels) {
  CONTINUO_CHECK(window_s > 0.0 && window_s <= 3600.0 && channels > 0, "a window has a length");
}

void RmsMeter::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(frames.channels() == channels_.size(), "as many channels as it was made for");
  float samples[kAtOnce];
  for (std::size_t at = 0; at < frames.count();) {
    const std::uint64_t end = begin_of(step_ + 1);
    const auto n = static_cast<std::uint32_t>(std::min<std::uint64_t>({frames.count() - at, kAtOnce, end - at_}));
    for (std::uint32_t c = 0; c < channels_.size(); ++c) {
      frames.copy(c, at, n, samples);
      double sum = channels_[c].step;
      for (std::uint32_t i = 0; i < n; ++i) sum += static_cast<double>(samples[i]) * static_cast<double>(samples[i]);
      channels_[c].step = sum;
    }
    at += n;
    at_ += n;
    if (at_ < end) continue;
    for (Channel& channel : channels_) {
      channel.window.push(channel.step);
      channel.step = 0.0;
    }
    if (++step_ == kSteps) step_ = at_ = 0;
  }
}

double RmsMeter::level(std::uint32_t channel) const noexcept {
  return std::sqrt(channels_[channel].window.sum() / static_cast<double>(frames_));
}

}  // namespace continuo::analysis
