#include "server/analysis/peak.hpp"

#include <algorithm>
#include <cmath>

#include "server/analysis/decibel.hpp"
#include "server/analysis/largest.hpp"
#include "server/base/check.hpp"

namespace continuo::analysis {
namespace {

constexpr double kNothing = 3.162277660168379e-8;  // -150 dB

}  // namespace

PeakMeter::PeakMeter(double sample_rate_hz, std::uint32_t channels, double decay_db_per_s, double hold_s)
    : factor_(db_level(-decay_db_per_s * kCell / sample_rate_hz)),
      hold_(static_cast<std::uint64_t>(std::ceil(hold_s * sample_rate_hz / kCell))),
      channels_(channels) {
  CONTINUO_CHECK(sample_rate_hz > 0.0 && decay_db_per_s > 0.0 && hold_s >= 0.0 && channels > 0, "times go forward");
}

void PeakMeter::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(frames.channels() == channels_.size(), "as many channels as it was made for");
  alignas(64) float samples[kCell];
  for (std::size_t at = 0; at < frames.count();) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(frames.count() - at, kCell - filled_));
    for (std::uint32_t c = 0; c < channels_.size(); ++c) {
      frames.copy(c, at, n, samples);
      const float peak = largest(samples, n);
      channels_[c].cell = std::max(channels_[c].cell, peak);
      channels_[c].max = std::max(channels_[c].max, peak);
    }
    at += n;
    filled_ += n;
    if (filled_ == kCell) end_cell();
  }
}

void PeakMeter::end_cell() noexcept {
  filled_ = 0;
  for (Channel& channel : channels_) {
    const auto peak = static_cast<double>(channel.cell);
    channel.cell = 0.0f;
    if (peak >= channel.level) {
      channel.level = peak;
      channel.held = hold_;
    } else if (channel.held > 0) {
      --channel.held;
    } else {
      channel.level = std::max(channel.level * factor_, peak);
      if (channel.level < kNothing) channel.level = 0.0;
    }
  }
}

float PeakMeter::max() const noexcept {
  float most = 0.0f;
  for (const Channel& channel : channels_) most = std::max(most, channel.max);
  return most;
}

void PeakMeter::restart() noexcept {
  for (Channel& channel : channels_) channel.max = 0.0f;
}

}  // namespace continuo::analysis
