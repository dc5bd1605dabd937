// Needles beside the tables of their standards.
#include "server/analysis/ballistics.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <limits>

#include "server/analysis/decibel.hpp"
#include "tests/server/analysis/signals.hpp"

using namespace continuo::analysis;
using namespace continuo::analysis::test;

namespace {

/// What the needle reaches, in dB beside the steady tone.
double burst(PpmType type, double rate, double ms, double hz = 5000.0) {
  Sound sound{1, rate};
  sound.tone(ms / 1000.0, {0.0}, hz).silence(0.05);
  PpmMeter meter(rate, 1, type);
  meter.feed(sound.view());
  return level_db(meter.max(0));
}

/// Seconds until the needle of a tone that ended has fallen by `db`.
double fall(PpmType type, double rate, double db) {
  Sound tone{1, rate};
  tone.tone(2.0, {0.0});
  PpmMeter meter(rate, 1, type);
  meter.feed(tone.view());
  const double from = level_db(meter.level(0));
  const float nothing[1] = {0.0f};
  std::uint64_t frames = 0;
  while (level_db(meter.level(0)) > from - db) {
    meter.feed(Frames::interleaved(nothing, 1, 1));
    ++frames;
  }
  return static_cast<double>(frames) / rate;
}

}  // namespace

TEST_CASE("PPM type I: the bursts and the fall of IEC 60268-10") {
  for (const double rate : {32000.0, 44100.0, 48000.0, 96000.0, 192000.0}) {
    CAPTURE(rate);
    CHECK(std::abs(burst(PpmType::type_1, rate, 3000.0)) < 0.1);
    CHECK(std::abs(burst(PpmType::type_1, rate, 10.0) + 1.0) < 0.5);
    CHECK(std::abs(burst(PpmType::type_1, rate, 5.0) + 2.0) < 1.0);
    CHECK(std::abs(burst(PpmType::type_1, rate, 3.0) + 4.0) < 1.0);
    CHECK(std::abs(burst(PpmType::type_1, rate, 0.4) + 15.0) < 4.0);
    CHECK(std::abs(fall(PpmType::type_1, rate, 20.0) - 1.7) < 0.3);
  }
}

TEST_CASE("PPM type IIa and IIb: the bursts and the fall of IEC 60268-10") {
  for (const double rate : {32000.0, 44100.0, 48000.0, 96000.0, 192000.0}) {
    CAPTURE(rate);
    CHECK(std::abs(burst(PpmType::type_2, rate, 3000.0)) < 0.1);
    CHECK(std::abs(burst(PpmType::type_2, rate, 100.0)) < 0.5);
    CHECK(std::abs(burst(PpmType::type_2, rate, 10.0) + 2.5) < 0.5);
    CHECK(std::abs(burst(PpmType::type_2, rate, 5.0) + 4.0) < 0.75);
    CHECK(std::abs(burst(PpmType::type_2, rate, 1.5) + 9.0) < 1.0);
    CHECK(std::abs(burst(PpmType::type_2, rate, 0.5) + 17.5) < 2.0);
    CHECK(std::abs(fall(PpmType::type_2, rate, 24.0) - 2.8) < 0.3);
  }
}

TEST_CASE("PPM: steady tones of any frequency read alike") {
  for (const PpmType type : {PpmType::type_1, PpmType::type_2})
    for (const double hz : {40.0, 100.0, 997.0, 5000.0, 12'345.0}) {
      CAPTURE(hz);
      CHECK(std::abs(burst(type, 48000.0, 3000.0, hz)) < 0.3);
    }
}

TEST_CASE("VU: 99 % after 300 ms, an overshoot of 1 to 1.5 %, and back in the same time (IEC 60268-17)") {
  for (const double rate : {8000.0, 44100.0, 48000.0, 192000.0}) {
    CAPTURE(rate);
    Sound sound{1, rate};
    sound.tone(4.0, {0.0}, 997.0).silence(2.0);  // no divisor of a rate: every part of the wave is sampled
    VuMeter meter(rate, 1);
    double reached = 0.0, most = 0.0, back = 0.0;
    for (std::size_t i = 0; i < sound.frames(); ++i) {
      meter.feed(sound.view(i, 1));
      const double seconds = static_cast<double>(i + 1) / rate, level = meter.level(0);
      if (reached == 0.0 && level >= 0.99) reached = seconds;
      if (seconds < 3.5) most = std::max(most, level);
      if (seconds > 4.0 && back == 0.0 && level <= 0.01) back = seconds - 4.0;
    }
    CAPTURE(reached);
    CAPTURE(most);
    CHECK(std::abs(reached - 0.3) < 0.03);
    CHECK(std::abs(back - 0.3) < 0.03);
    CHECK(most > 1.01);
    CHECK(most < 1.015);
  }
  VuMeter steady(48000.0, 1);
  Sound tone{1, 48000.0};
  tone.tone(5.0, {-12.0});
  steady.feed(tone.view());
  CHECK(std::abs(level_db(steady.level(0)) + 12.0) < 0.1);
}

TEST_CASE("needles: the same bits however the sound is cut; nothing is infinite") {
  const Sound sound = random_sound(2, 48000.0, 3.0, 11);
  VuMeter vu(48000.0, 2);
  PpmMeter ppm(48000.0, 2, PpmType::type_1);
  vu.feed(sound.view());
  ppm.feed(sound.view());
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65}, std::size_t{4096}}) {
    VuMeter other_vu(48000.0, 2);
    PpmMeter other_ppm(48000.0, 2, PpmType::type_1);
    feed_in_pieces(other_vu, sound, size, true);
    feed_in_pieces(other_ppm, sound, size, false);
    for (std::uint32_t c = 0; c < 2; ++c) {
      CHECK(std::bit_cast<std::uint64_t>(other_vu.level(c)) == std::bit_cast<std::uint64_t>(vu.level(c)));
      CHECK(std::bit_cast<std::uint64_t>(other_ppm.level(c)) == std::bit_cast<std::uint64_t>(ppm.level(c)));
      CHECK(other_ppm.max(c) == ppm.max(c));
    }
  }
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  for (const float x : {0.0f, 1e-42f, 3.4e38f, kInf, kNan}) {
    const std::vector<float> samples(48000, x);
    VuMeter v(48000.0, 1);
    PpmMeter p(48000.0, 1, PpmType::type_2);
    v.feed(Frames::interleaved(samples.data(), 1, samples.size()));
    p.feed(Frames::interleaved(samples.data(), 1, samples.size()));
    CHECK(std::isfinite(level_db(v.level(0))));
    CHECK(std::isfinite(level_db(p.max(0))));
    if (x == 0.0f || !std::isfinite(x)) CHECK(p.max(0) == 0.0);
  }
}
