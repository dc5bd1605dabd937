#include "server/analysis/spectrum.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "rt/dsp/math.hpp"
#include "server/analysis/decibel.hpp"
#include "server/base/check.hpp"

namespace continuo::analysis {
namespace {

double window_at(Window window, double turns) noexcept {
  static constexpr double kTerms[][5] = {{1.0, 0.0, 0.0, 0.0, 0.0},
                                         {0.5, 0.5, 0.0, 0.0, 0.0},
                                         {0.35875, 0.48829, 0.14128, 0.01168, 0.0},
                                         {0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368}};
  const double* const a = kTerms[static_cast<std::size_t>(window)];
  double w = 0.0;
  for (int k = 0; k < 5; ++k) w += (k % 2 == 0 ? a[k] : -a[k]) * rt::dsp::cos_turns(k * turns);
  return w;
}

SpectrumSettings checked(SpectrumSettings s) {
  CONTINUO_CHECK(std::has_single_bit(s.size) && s.size >= 256 && s.size <= 65536, "the transform's sizes");
  CONTINUO_CHECK(s.overlap >= 0.0 && s.overlap <= 0.95 && s.rate_hz >= 0.0 && s.time_constant_s > 0.0,
                 "a transform follows another");
  return s;
}

}  // namespace

Spectrum::Spectrum(double sample_rate_hz, std::uint32_t channels, const SpectrumSettings& settings)
    : settings_(checked(settings)),
      rate_(sample_rate_hz),
      channels_(channels),
      fft_(settings.size / 2),
      kernels_(&rt::dsp::chosen_kernels()),
      cells_(settings.size),
      past_(std::size_t{settings.size} * channels, 0.0f),
      window_(settings.size),
      averages_(std::size_t{bins()} * channels, 0.0) {
  CONTINUO_CHECK(sample_rate_hz > 0.0 && channels > 0, "a channel at least");
  const std::uint32_t size = settings_.size, half = size / 2;
  const double hop = settings_.rate_hz > 0.0 ? rate_ / settings_.rate_hz : size * (1.0 - settings_.overlap);
  hop_ = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(hop)));
  left_ = size;
  if (settings_.averaging == Averaging::exponential)
    part_ = 1.0 - rt::dsp::exp2(-static_cast<double>(hop_) / (rate_ * settings_.time_constant_s * rt::dsp::kLn2));
  double sum = 0.0;
  for (std::uint32_t i = 0; i < size; ++i) sum += window_at(settings_.window, static_cast<double>(i) / size);
  for (std::uint32_t i = 0; i < size; ++i)
    window_[i] = static_cast<float>(window_at(settings_.window, static_cast<double>(i) / size) / sum);
  // The transform's frequencies are 1/4 (or -1/4) of a bin beside those of the usual one.
  const double first = fft_.frequency(0) * 4.0 * half;
  const double quarter = std::fabs(std::remainder(first - 1.0, 4.0)) < 0.5 ? 1.0 : -1.0;
  place_.resize(half);
  for (std::uint32_t p = 0; p < half; ++p) {
    const auto k = static_cast<std::int64_t>(std::llround((fft_.frequency(p) * 4.0 * half - quarter) / 4.0));
    // Its exponent has the other sign: bin k is bin -k of the usual one.
    place_[static_cast<std::size_t>(((-k) % half + half) % half)] = p;
  }
  for (std::uint32_t n = 0; n < half; ++n) {
    const double turns = -quarter * n / (4.0 * half);
    turn_.push_back(rt::dsp::cos_turns(turns));
    turn_.push_back(rt::dsp::sin_turns(turns));
  }
  for (std::uint32_t k = 0; k <= half; ++k) {
    half_.push_back(rt::dsp::cos_turns(static_cast<double>(k) / size));
    half_.push_back(-rt::dsp::sin_turns(static_cast<double>(k) / size));
  }
}

void Spectrum::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(frames.channels() == channels_, "as many channels as it was made for");
  const std::uint32_t size = settings_.size;
  for (std::size_t at = 0; at < frames.count();) {
    const auto n =
        static_cast<std::uint32_t>(std::min<std::uint64_t>({frames.count() - at, left_, std::uint64_t{size} - at_}));
    for (std::uint32_t c = 0; c < channels_; ++c) frames.copy(c, at, n, past_.data() + std::size_t{c} * size + at_);
    at += n;
    left_ -= n;
    at_ = (at_ + n) % size;
    if (left_ > 0) continue;
    transform();
    left_ = hop_;
  }
}

void Spectrum::transform() noexcept {
  ++transforms_;
  ++averaged_;
  const std::uint32_t size = settings_.size;
  float* const cells = cells_.data();
  for (std::uint32_t c = 0; c < channels_; ++c) {
    const float* const past = past_.data() + std::size_t{c} * size;
    const auto sample = [&](std::uint32_t i) {
      // Far beyond full scale, but not so far that sums of it would be infinite.
      return static_cast<double>(std::clamp(past[(at_ + i) & (size - 1)], -1e30f, 1e30f) * window_[i]);
    };
    for (std::uint32_t n = 0; n < size / 2; ++n) {
      // Two samples make one complex value.
      const double re = sample(n * 2), im = sample(n * 2 + 1);
      const std::size_t place = rt::dsp::Fft::place(n);
      cells[place] = static_cast<float>(re * turn_[2 * n] - im * turn_[2 * n + 1]);
      cells[place + rt::dsp::kFftCell] = static_cast<float>(re * turn_[2 * n + 1] + im * turn_[2 * n]);
    }
    fft_.forward(kernels_->fft, cells);
    add(c);
  }
}

/// Takes the two halves apart: X[k] = (Z[k] + Z*[-k]) / 2 - i/2 e^(-2 pi i k / size) (Z[k] - Z*[-k]).
void Spectrum::add(std::uint32_t channel) noexcept {
  const std::uint32_t half = settings_.size / 2;
  const float* const cells = cells_.data();
  double* const average = averages_.data() + std::size_t{channel} * bins();
  const double part = averaged_ == 1                             ? 1.0
                      : settings_.averaging == Averaging::linear ? 1.0 / static_cast<double>(averaged_)
                                                                 : part_;
  for (std::uint32_t k = 0; k <= half; ++k) {
    const std::size_t one = rt::dsp::Fft::place(place_[k % half]),
                      other = rt::dsp::Fft::place(place_[(half - k) % half]);
    const double a = static_cast<double>(cells[one]), b = static_cast<double>(cells[one + rt::dsp::kFftCell]);
    const double c = static_cast<double>(cells[other]), d = -static_cast<double>(cells[other + rt::dsp::kFftCell]);
    const double sum_re = 0.5 * (a + c), sum_im = 0.5 * (b + d), re = 0.5 * (a - c), im = 0.5 * (b - d);
    const double w_re = half_[2 * k], w_im = half_[2 * k + 1];
    // -i w (re + i im)
    const double x_re = sum_re + (w_re * im + w_im * re);
    const double x_im = sum_im - (w_re * re - w_im * im);
    const double both = k == 0 || k == half ? 1.0 : 4.0;  // a sine is in a positive and a negative frequency
    const double power = std::min(both * (x_re * x_re + x_im * x_im), 1e78);
    average[k] += part * (power - average[k]);
    if (average[k] < 1e-60) average[k] = 0.0;
  }
}

void Spectrum::restart() noexcept {
  averaged_ = 0;
  std::ranges::fill(averages_, 0.0);
}

void Spectrum::levels(std::uint32_t channel, std::span<double> db) const noexcept {
  CONTINUO_CHECK(channel < channels_ && db.size() == bins(), "a place for each bin");
  for (std::uint32_t k = 0; k < bins(); ++k) db[k] = power_db(averages_[std::size_t{channel} * bins() + k]);
}

}  // namespace continuo::analysis
