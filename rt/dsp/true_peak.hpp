// THREAD: audio - what lies between the samples: the detector of true peaks
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/dsp/finite.hpp"
#include "rt/dsp/kernels.hpp"
#include "rt/dsp/math.hpp"
#include "rt/types.hpp"

/// Oversampling by polyphase filters as in ITU-R BS.1770-4, Annex 2. The filter there (4 times, 12 taps a phase) is for
/// meters: it reads up to 0.7 dB too little. One that must never let a peak pass needs a longer and finer one.
namespace continuo::rt::dsp {

inline constexpr std::uint32_t kTruePeakFactor = 8;
inline constexpr std::uint32_t kTruePeakTaps = 96;
/// A peak between samples n and n + 1 is known with sample n + kTruePeakDelay.
inline constexpr std::uint32_t kTruePeakDelay = kTruePeakTaps / 2;

namespace detail {

/// The modified Bessel function I0 (Abramowitz & Stegun 9.6.12), of which Kaiser's window is made.
constexpr double bessel_i0(double x) noexcept {
  double sum = 1.0, term = 1.0;
  for (int k = 1; k < 40; ++k) {
    term *= (x / (2.0 * k)) * (x / (2.0 * k));
    sum += term;
  }
  return sum;
}
constexpr double square_root(double x) noexcept {
  double y = x > 1.0 ? x : 1.0;
  for (int k = 0; k < 60; ++k) y = 0.5 * (y + x / y);
  return y;
}

using TruePeakPhases = std::array<std::array<float, kTruePeakTaps>, kTruePeakFactor - 1>;

/// A sinc under Kaiser's window, of each phase between two samples.
constexpr TruePeakPhases true_peak_phases() noexcept {
  constexpr double kBeta = 4.5;  // 44 dB: what a wider window would keep out passes at the very top, and is missed
  constexpr double kMiddle = bessel_i0(kBeta);
  TruePeakPhases phases{};
  for (std::uint32_t p = 0; p < phases.size(); ++p) {
    std::array<double, kTruePeakTaps> taps{};
    double sum = 0.0;
    for (std::uint32_t m = 0; m < kTruePeakTaps; ++m) {
      const double t = static_cast<double>(m) - static_cast<double>(kTruePeakDelay) +
                       static_cast<double>(p + 1) / static_cast<double>(kTruePeakFactor);
      const double edge = t / static_cast<double>(kTruePeakDelay);
      const double window = bessel_i0(kBeta * square_root(std::max(1.0 - edge * edge, 0.0))) / kMiddle;
      taps[m] = sin_turns(0.5 * t) / (0.5 * kTwoPi * t) * window;
      sum += taps[m];
    }
    for (std::uint32_t m = 0; m < kTruePeakTaps; ++m) phases[p][m] = static_cast<float>(taps[m] / sum);
  }
  return phases;
}

}  // namespace detail

inline constexpr detail::TruePeakPhases kTruePeakPhases = detail::true_peak_phases();

/// The recent past of one channel.
class TruePeak {
 public:
  /// Audio thread. peaks[i] becomes the larger of itself and of what `samples` reach from kTruePeakDelay frames before
  /// sample i to one frame later. At most kBlockFrames. What is not a number is no peak.
  void raise(float* peaks, const float* samples, std::uint32_t frames, const Kernels& kernels) noexcept RT_NONBLOCKING {
    copy_finite(past_ + kPast, samples, frames);
    const std::uint32_t whole = (frames + 15) / 16 * 16;
    take(peaks, past_ + kPast - kTruePeakDelay, frames);
    for (const auto& phase : kTruePeakPhases) {
      alignas(64) float between[kBlockFrames] = {};
      kernels.fft.fir(between, past_ + kPast, phase.data(), kTruePeakTaps, whole);
      take(peaks, between, frames);
    }
    std::copy(past_ + frames, past_ + frames + kPast, past_);
  }

 private:
  static constexpr std::uint32_t kPast = kTruePeakTaps - 1;
  static void take(float* peaks, const float* samples, std::uint32_t frames) noexcept RT_NONBLOCKING {
    for (std::uint32_t i = 0; i < frames; ++i) {
      const float level = detail::magnitude(samples[i]);
      peaks[i] = level > peaks[i] ? level : peaks[i];
    }
  }

  alignas(64) float past_[kPast + kBlockFrames] = {};
};

}  // namespace continuo::rt::dsp
