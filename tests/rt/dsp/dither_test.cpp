// Dither: mean, distribution, spectrum, independence; and what it is for: errors that know nothing of the signal.
#include "rt/dsp/dither.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

using namespace continuo::rt::dsp;

namespace {

std::vector<double> sequence(std::uint64_t key, std::int64_t from, std::size_t n) {
  std::vector<double> values(n);
  for (std::size_t i = 0; i < n; ++i) values[i] = tpdf(key, from + static_cast<std::int64_t>(i));
  return values;
}

/// Power at `cycles` per `x.size()`, as a share of the mean power a bin.
double power_at(const std::vector<double>& x, double cycles) {
  double re = 0.0;
  double im = 0.0;
  double all = 0.0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double phase = 2.0 * std::numbers::pi * cycles * static_cast<double>(i) / static_cast<double>(x.size());
    re += x[i] * std::cos(phase);
    im += x[i] * std::sin(phase);
    all += x[i] * x[i];
  }
  return (re * re + im * im) / all;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double ab = 0.0;
  double aa = 0.0;
  double bb = 0.0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

}  // namespace

TEST_CASE("dither: mean 0, variance 1/6 LSB squared, a triangle from -1 to 1") {
  constexpr std::size_t kCount = 2'000'000;
  const std::vector<double> x = sequence(dither_key(0, 0), 0, kCount);
  double sum = 0.0;
  double square = 0.0;
  constexpr std::size_t kBins = 40;
  std::vector<double> bins(kBins);
  for (const double value : x) {
    REQUIRE(value >= -1.0);
    REQUIRE(value < 1.0);
    sum += value;
    square += value * value;
    bins[static_cast<std::size_t>((value + 1.0) / 2.0 * kBins)] += 1.0;
  }
  const double n = static_cast<double>(kCount);
  CHECK(std::abs(sum / n) < 5.0 * std::sqrt(1.0 / 6.0 / n));  // five standard deviations
  CHECK(std::abs(square / n - 1.0 / 6.0) < 5.0 * std::sqrt((1.0 / 15.0 - 1.0 / 36.0) / n));
  double chi_square = 0.0;
  for (std::size_t b = 0; b < kBins; ++b) {
    const auto integral = [](double t) { return t < 0.0 ? t + t * t / 2.0 : t - t * t / 2.0; };
    const double from = 2.0 * static_cast<double>(b) / kBins - 1.0;
    const double expected = n * (integral(from + 2.0 / kBins) - integral(from));
    chi_square += (bins[b] - expected) * (bins[b] - expected) / expected;
  }
  CHECK(chi_square < 39.0 + 6.0 * std::sqrt(2.0 * 39.0));
}

TEST_CASE("dither: white, alike nowhere, independent from channel to channel and seed to seed") {
  constexpr std::size_t kCount = 1 << 16;
  const std::vector<double> x = sequence(dither_key(0, 0), 1'000'000'000'000, kCount);
  const double bound = 5.5 / std::sqrt(static_cast<double>(kCount));
  for (const std::size_t lag : {1u, 2u, 3u, 7u, 64u, 4096u})
    CHECK(std::abs(correlation(x, {x.begin() + static_cast<std::ptrdiff_t>(lag), x.end()})) < bound);
  for (std::uint32_t channel = 1; channel < 128; ++channel)
    CHECK(std::abs(correlation(x, sequence(dither_key(0, channel), 1'000'000'000'000, kCount))) < bound);
  CHECK(std::abs(correlation(x, sequence(dither_key(1, 0), 1'000'000'000'000, kCount))) < bound);
  // Power a bin is exponential around the mean: flat in bands, and no single line sticks out.
  for (const double from : {10.0, 1000.0, 8000.0, 16000.0, 24000.0, 32000.0}) {
    double band = 0.0;
    for (int k = 0; k < 200; ++k) {
      const double power = power_at(x, from + k);
      CHECK(power < 20.0);
      band += power / 200.0;
    }
    CHECK(band == doctest::Approx(1.0).epsilon(0.4));
  }
}

TEST_CASE("dither: the error of a quiet sine has no harmonics, without dither it has") {
  constexpr std::size_t kCount = 1 << 16;
  constexpr double kCycles = 977.0;
  const auto error_of = [](double amplitude, bool dithered) {
    std::vector<double> error(kCount);
    for (std::size_t i = 0; i < kCount; ++i) {
      const double phase = 2.0 * std::numbers::pi * kCycles * static_cast<double>(i) / kCount;
      const double x = amplitude * std::sin(phase);  // in LSB
      const double d = dithered ? tpdf(dither_key(0, 0), static_cast<std::int64_t>(i)) : 0.0;
      error[i] = std::nearbyint(x + d) - x;
    }
    return error;
  };
  for (const double amplitude : {0.3, 0.7, 1.5, 4.0}) {
    CAPTURE(amplitude);
    double plain = 0.0;
    const std::vector<double> error = error_of(amplitude, true);
    const std::vector<double> undithered = error_of(amplitude, false);
    for (int harmonic = 1; harmonic <= 9; ++harmonic) {
      CAPTURE(harmonic);
      CHECK(power_at(error, kCycles * harmonic) < 16.0);  // no more than noise has in a line
      plain = std::max(plain, power_at(undithered, kCycles * harmonic));
    }
    CHECK(plain > 1000.0);
    double square = 0.0;
    for (const double e : error) square += e * e / kCount;
    CHECK(square == doctest::Approx(0.25).epsilon(0.03));  // 1/12 of the rounding, 1/6 of the dither, at any level
  }
}

TEST_CASE("dither: a function of channel and frame, at the ends of 64 bits too") {
  static_assert(tpdf(dither_key(0, 1), 5) == tpdf(dither_key(0, 1), 5));
  for (const std::int64_t frame : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
    const double value = tpdf(dither_key(0, 0), frame);
    CHECK(value >= -1.0);
    CHECK(value < 1.0);
    CHECK(value != tpdf(dither_key(0, 1), frame));
  }
}
