// The spectrum beside a plain transform, and the level of sines.
#include "server/analysis/spectrum.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <complex>
#include <limits>

#include "server/analysis/decibel.hpp"
#include "tests/server/analysis/signals.hpp"

using namespace continuo::analysis;
using namespace continuo::analysis::test;

namespace {

std::vector<double> levels_of(const Spectrum& spectrum, std::uint32_t channel = 0) {
  std::vector<double> db(spectrum.bins());
  spectrum.levels(channel, db);
  return db;
}

/// What a sine reads, wherever it lies.
double level_of_sine(Window window, std::uint32_t size, double bin, double db) {
  const double rate = 48000.0;
  Sound sound{1, rate};
  sound.tone(static_cast<double>(size + 1) / rate, {db}, bin * rate / size);
  Spectrum spectrum(rate, 1, {.size = size, .window = window, .averaging = Averaging::none});
  spectrum.feed(sound.view());
  REQUIRE(spectrum.transforms() == 1);
  const std::vector<double> levels = levels_of(spectrum);
  return *std::ranges::max_element(levels);
}

}  // namespace

TEST_CASE("spectrum: bins are those of a plain discrete Fourier transform") {
  const Sound sound = random_sound(2, 48000.0, 0.1, 2);
  Spectrum spectrum(48000.0, 2, {.size = 256, .window = Window::hann, .averaging = Averaging::none});
  spectrum.feed(sound.view(0, 256));
  for (std::uint32_t c = 0; c < 2; ++c) {
    const std::vector<double> levels = levels_of(spectrum, c);
    for (std::uint32_t k = 0; k <= 128; ++k) {
      std::complex<double> sum = 0.0;
      for (std::uint32_t n = 0; n < 256; ++n) {
        const double w = (0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * n / 256.0)) / 128.0;
        sum += std::polar(w * static_cast<double>(sound.samples[2 * n + c]), -2.0 * std::numbers::pi * n * k / 256.0);
      }
      const double wanted = std::abs(sum) * (k == 0 || k == 128 ? 1.0 : 2.0);
      CAPTURE(k);
      CHECK(std::abs(db_level(levels[k]) - wanted) < 1e-6);
    }
  }
}

TEST_CASE("spectrum: a sine on a bin reads its level within 0.01 dB, with any window and size") {
  for (const std::uint32_t size : {256u, 512u, 1024u, 2048u, 4096u, 8192u, 16384u, 32768u, 65536u})
    for (const Window window : {Window::rectangular, Window::hann, Window::blackman_harris, Window::flat_top})
      for (const double db : {0.0, -20.0, -60.0}) {
        CAPTURE(size);
        CHECK(std::abs(level_of_sine(window, size, size / 8.0 + 3, db) - db) < 0.01);
      }
}

TEST_CASE(
    "spectrum: between two bins a sine reads within 0.1 dB with the flat top, and as low as is known with others") {
  for (double bin = 100.0; bin <= 101.0; bin += 0.05) {
    CHECK(std::abs(level_of_sine(Window::flat_top, 1024, bin, -10.0) + 10.0) < 0.02);
    CHECK(level_of_sine(Window::rectangular, 1024, bin, -10.0) > -13.95);
    CHECK(level_of_sine(Window::hann, 1024, bin, -10.0) > -11.45);
    CHECK(level_of_sine(Window::blackman_harris, 1024, bin, -10.0) > -10.85);
  }
}

TEST_CASE("spectrum: what is far from a sine is far below it, a constant is in bin 0") {
  Sound sound{1, 48000.0};
  sound.tone(0.2, {0.0}, 48000.0 * 500 / 4096);
  Spectrum spectrum(48000.0, 1, {.size = 4096, .window = Window::blackman_harris, .averaging = Averaging::none});
  spectrum.feed(sound.view());
  const std::vector<double> levels = levels_of(spectrum);
  for (std::uint32_t k = 0; k < spectrum.bins(); ++k)
    if (k < 490 || k > 510) CHECK(levels[k] < -88.0);
  CHECK(spectrum.bin_hz(500) == doctest::Approx(5859.375));

  const std::vector<float> ones(4096, 1.0f);
  Spectrum constant(48000.0, 1, {.size = 4096, .window = Window::hann});
  constant.feed(Frames::interleaved(ones.data(), 1, ones.size()));
  CHECK(std::abs(levels_of(constant)[0]) < 0.001);
}

TEST_CASE("spectrum: overlap and rate say how often, averages are what they say") {
  const std::vector<float> nothing(48000, 0.0f), one(48000, 1.0f);
  Spectrum half(48000.0, 1, {.size = 1024, .overlap = 0.5});
  half.feed(Frames::interleaved(nothing.data(), 1, 48000));
  CHECK(half.transforms() == 1 + (48000 - 1024) / 512);
  Spectrum ten(48000.0, 1, {.size = 1024, .rate_hz = 10.0});
  ten.feed(Frames::interleaved(nothing.data(), 1, 48000));
  CHECK(ten.transforms() == 1 + (48000 - 1024) / 4800);

  // Linear: as many transforms of silence as of a constant, half the power. Exponential: 1 - 1/e after the time.
  Spectrum linear(48000.0, 1, {.size = 256, .overlap = 0.0, .averaging = Averaging::linear});
  linear.feed(Frames::interleaved(nothing.data(), 1, 25600));
  linear.feed(Frames::interleaved(one.data(), 1, 25600));
  CHECK(std::abs(levels_of(linear)[0] + 3.01) < 0.01);
  linear.restart();
  CHECK(levels_of(linear)[0] == -150.0);
  linear.feed(Frames::interleaved(one.data(), 1, 256));
  CHECK(std::abs(levels_of(linear)[0]) < 0.01);
  Spectrum exponential(48000.0, 1,
                       {.size = 256, .overlap = 0.0, .averaging = Averaging::exponential, .time_constant_s = 0.1});
  exponential.feed(Frames::interleaved(nothing.data(), 1, 256));
  exponential.feed(Frames::interleaved(one.data(), 1, 4864));  // 19 transforms: 0.10133 s
  CHECK(std::abs(levels_of(exponential)[0] - 10.0 * std::log10(1.0 - std::exp(-1.01333))) < 0.01);
}

TEST_CASE("spectrum: the same bits however the sound is cut; nothing is infinite") {
  const Sound sound = random_sound(2, 48000.0, 1.0, 6);
  const SpectrumSettings settings{.size = 2048, .window = Window::flat_top, .overlap = 0.7};
  Spectrum whole(48000.0, 2, settings);
  whole.feed(sound.view());
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{64}, std::size_t{5000}}) {
    Spectrum other(48000.0, 2, settings);
    feed_in_pieces(other, sound, size, true);
    for (std::uint32_t c = 0; c < 2; ++c) {
      const std::vector<double> a = levels_of(whole, c), b = levels_of(other, c);
      for (std::uint32_t k = 0; k < a.size(); ++k)
        REQUIRE(std::bit_cast<std::uint64_t>(a[k]) == std::bit_cast<std::uint64_t>(b[k]));
    }
  }
  for (const float x :
       {0.0f, 1e-42f, 3.4e38f, std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> samples(8192, x);
    for (std::size_t i = 0; i < samples.size(); i += 3) samples[i] = -x;
    Spectrum spectrum(48000.0, 1, {.size = 1024});
    spectrum.feed(Frames::interleaved(samples.data(), 1, samples.size()));
    for (const double db : levels_of(spectrum)) {
      REQUIRE(std::isfinite(db));
      REQUIRE(db >= -150.0);
    }
  }
}
