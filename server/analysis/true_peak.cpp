#include "server/analysis/true_peak.hpp"

#include <algorithm>
#include <array>

#include "rt/dsp/true_peak.hpp"
#include "server/analysis/largest.hpp"
#include "server/base/check.hpp"

namespace continuo::analysis {
namespace {

constexpr std::uint32_t kTaps = TruePeakMeter::kTaps, kFactor = TruePeakMeter::kFactor;
using Phases = std::array<std::array<float, kTaps>, kFactor - 1>;

/// As those of rt/dsp/true_peak.hpp, shorter. Phase p lies (p + 1) / 8 behind the sample kDelay ago.
constexpr Phases make_phases() noexcept {
  using rt::dsp::detail::bessel_i0;
  constexpr double kBeta = 5.0;
  constexpr double kMiddle = bessel_i0(kBeta);
  constexpr double kHalf = kTaps / 2;
  Phases phases{};
  for (std::uint32_t p = 0; p < phases.size(); ++p) {
    std::array<double, kTaps> taps{};
    double sum = 0.0;
    for (std::uint32_t m = 0; m < kTaps; ++m) {
      const double t = static_cast<double>(m) - kHalf + static_cast<double>(p + 1) / static_cast<double>(kFactor);
      const double edge = t / kHalf;
      const double window = bessel_i0(kBeta * rt::dsp::detail::square_root(std::max(1.0 - edge * edge, 0.0))) / kMiddle;
      taps[m] = rt::dsp::sin_turns(0.5 * t) / (0.5 * rt::dsp::kTwoPi * t) * window;
      sum += taps[m];
    }
    for (std::uint32_t m = 0; m < kTaps; ++m) phases[p][m] = static_cast<float>(taps[m] / sum);
  }
  return phases;
}
constexpr Phases kPhases = make_phases();

/// No phase makes more of samples up to 1.
constexpr float largest_gain() noexcept {
  double most = 0.0;
  for (const auto& phase : kPhases) {
    double sum = 0.0;
    for (const float tap : phase) sum += tap < 0.0f ? -tap : tap;
    most = std::max(most, sum);
  }
  return static_cast<float>(most * 1.0001);
}
constexpr float kMostGain = largest_gain();

}  // namespace

TruePeakMeter::TruePeakMeter(double sample_rate_hz, std::uint32_t channels, Before before)
    : kernels_(&rt::dsp::chosen_kernels()),
      // A sine at half the rate, sampled so many times, reads low by cos(pi / 8) or cos(pi / 4) at worst; and the
      // filter is not flat up there.
      scan_(sample_rate_hz < 80'000.0 ? 2 : 4),
      scan_margin_(sample_rate_hz < 80'000.0 ? 1.15f : 1.5f),
      knows_past_(before == Before::silence),
      channels_(channels) {
  CONTINUO_CHECK(channels > 0, "a channel at least");
}

float TruePeakMeter::work(const Channel& channel, std::uint32_t frames) const noexcept {
  const float* const cell = channel.samples + kPast + 1;
  const float own = largest(cell, frames);
  float max = std::max(channel.max, own);
  if (!knows_past_) return max;
  // The filters see the past, too.
  const float seen = std::max(own, largest(channel.samples + 1, kPast));
  if (seen * kMostGain <= max) return max;
  alignas(64) float between[kCell];
  const auto phase = [&](std::uint32_t p) {
    const std::uint32_t whole = (frames + 15) / 16 * 16;
    std::fill_n(between, whole, 0.0f);
    kernels_->fft.fir(between, cell, kPhases[p - 1].data(), kTaps, whole);
    return largest(between, frames);
  };
  float found = own;
  for (std::uint32_t p = scan_; p < kFactor; p += scan_) found = std::max(found, phase(p));
  // The samples that the phases lie between are those of kDelay ago.
  found = std::max(found, largest(cell - kDelay, frames + 1));
  max = std::max(max, found);
  if (found * scan_margin_ <= max) return max;
  for (std::uint32_t p = 1; p < kFactor; ++p)
    if (p % scan_ != 0) max = std::max(max, phase(p));
  return max;
}

void TruePeakMeter::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(frames.channels() == channels_.size(), "as many channels as it was made for");
  for (std::size_t at = 0; at < frames.count();) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(frames.count() - at, kCell - filled_));
    for (std::uint32_t c = 0; c < channels_.size(); ++c)
      frames.copy(c, at, n, channels_[c].samples + kPast + 1 + filled_);
    at += n;
    filled_ += n;
    if (filled_ < kCell) break;
    for (Channel& channel : channels_) {
      channel.max = work(channel, kCell);
      std::copy_n(channel.samples + kCell, kPast + 1, channel.samples);
    }
    filled_ = 0;
    knows_past_ = true;
  }
}

void TruePeakMeter::finish() noexcept { feed(Frames::silence(static_cast<std::uint32_t>(channels_.size()), kDelay)); }

float TruePeakMeter::max(std::uint32_t channel) const noexcept {
  return filled_ == 0 ? channels_[channel].max : work(channels_[channel], filled_);
}

float TruePeakMeter::max() const noexcept {
  float most = 0.0f;
  for (std::uint32_t c = 0; c < channels_.size(); ++c) most = std::max(most, max(c));
  return most;
}

void TruePeakMeter::restart() noexcept {
  for (Channel& channel : channels_) channel.max = 0.0f;
}

}  // namespace continuo::analysis
