// The true peak beside the truth, and beside itself with other pieces.
#include "server/analysis/true_peak.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <limits>

#include "server/analysis/decibel.hpp"
#include "tests/server/analysis/signals.hpp"

using namespace continuo::analysis;
using namespace continuo::analysis::test;

namespace {

/// A sine of amplitude 1 that swells and fades, so that nothing but it has a peak.
Sound swell(double rate, double part_of_rate, double turns) {
  Sound sound{1, rate};
  constexpr int kFrames = 6000;
  for (int i = 0; i < kFrames; ++i) {
    const double w = 0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * i / (kFrames - 1.0));
    sound.samples.push_back(static_cast<float>(w * std::sin(2.0 * std::numbers::pi * (part_of_rate * i + turns))));
  }
  return sound;
}

}  // namespace

TEST_CASE("true peak: sines of any frequency and phase, within +0.05/-0.2 dB up to 0.4 of the rate") {
  for (const double rate : {44100.0, 96000.0}) {
    double most = -100.0, least = 100.0;
    for (double part = 0.011; part <= 0.4; part += 0.0207) {
      for (double turns = 0.0; turns < 0.5; turns += 0.06) {
        const Sound sound = swell(rate, part, turns);
        TruePeakMeter meter(rate, 1);
        meter.feed(sound.view());
        const double db = level_db(static_cast<double>(meter.max(0)));
        most = std::max(most, db);
        least = std::min(least, db);
      }
    }
    CAPTURE(rate);
    CAPTURE(most);
    CAPTURE(least);
    CHECK(most <= 0.05);
    CHECK(least >= -0.2);
  }
}

TEST_CASE(
    "true peak: noise up to 0.4 of the rate, beside 32 places through a filter of 400 taps: within +0.1/-0.2 dB") {
  const auto sinc = [](double x) {
    return std::abs(x) < 1e-9 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
  };
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Random random(seed);
    std::vector<double> noise(3000), low;
    for (double& x : noise) x = random.real();
    constexpr int kHalf = 200;
    const auto window = [](double x) { return 0.5 + 0.5 * std::cos(std::numbers::pi * x / (kHalf + 1.0)); };
    for (int i = 0; i < 3000; ++i) {
      double y = 0.0;
      for (int k = -kHalf; k <= kHalf; ++k)
        if (i + k >= 0 && i + k < 3000) y += noise[static_cast<std::size_t>(i + k)] * 0.8 * sinc(0.8 * k) * window(k);
      low.push_back(y * (0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * i / 2999.0)));
    }
    double truth = 0.0;
    for (int i = 0; i < 3000; ++i) {
      if (std::abs(low[static_cast<std::size_t>(i)]) < 0.4) continue;  // no maximum is next to a small sample
      for (int p = -32; p <= 32; ++p) {
        double y = 0.0;
        for (int k = -kHalf; k <= kHalf; ++k)
          if (i + k >= 0 && i + k < 3000)
            y += low[static_cast<std::size_t>(i + k)] * sinc(k - p / 32.0) * window(k - p / 32.0);
        truth = std::max(truth, std::abs(y));
      }
    }
    const std::vector<float> samples(low.begin(), low.end());
    TruePeakMeter meter(48000.0, 1);
    meter.feed(Frames::interleaved(samples.data(), 1, samples.size()));
    const double off = level_db(static_cast<double>(meter.max(0))) - level_db(truth);
    CAPTURE(off);
    CHECK(off <= 0.1);
    CHECK(off >= -0.2);
  }
}

TEST_CASE("true peak: the same bits however the sound is cut, and at any moment") {
  const Sound sound = random_sound(3, 48000.0, 4.0, 5);
  TruePeakMeter whole(sound.rate, 3);
  whole.feed(sound.view());
  whole.finish();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{64}, std::size_t{65},
                                 std::size_t{128}, std::size_t{1000}}) {
    for (const bool planar : {false, true}) {
      TruePeakMeter meter(sound.rate, 3);
      feed_in_pieces(meter, sound, size, planar);
      meter.finish();
      for (std::uint32_t c = 0; c < 3; ++c)
        CHECK(std::bit_cast<std::uint32_t>(meter.max(c)) == std::bit_cast<std::uint32_t>(whole.max(c)));
    }
  }
  // Asked in the middle of a cell: what was fed counts, and asking changes nothing.
  TruePeakMeter asked(sound.rate, 3), quiet(sound.rate, 3);
  float before = 0.0f;
  for (std::size_t at = 0; at < 20'000; at += 37) {
    asked.feed(sound.view(at, 37));
    quiet.feed(sound.view(at, 37));
    CHECK(asked.max() >= before);
    before = asked.max();
    for (std::size_t i = at * 3; i < (at + 37) * 3; ++i) REQUIRE(before >= std::abs(sound.samples[i]));
  }
  CHECK(asked.max() == quiet.max());
}

TEST_CASE("true peak: what is let go could not have been a maximum") {
  // A loud beginning lets most of what follows go; without it, all of it is worked out.
  for (const double rate : {48000.0, 96000.0}) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      Sound sound = random_sound(1, rate, 3.0, 40 + seed);
      TruePeakMeter once(rate, 1);
      once.feed(sound.view());
      float most = 0.0f;
      TruePeakMeter anew(rate, 1);
      for (std::size_t at = 0; at < sound.frames(); at += 128) {
        anew.feed(sound.view(at, 128));
        most = std::max(most, anew.max());
        anew.restart();
      }
      CHECK(once.max() == most);
    }
  }
}

TEST_CASE("true peak: the end of a sound counts, what is no number is silence, and nothing is worse than finite") {
  const auto measure = [](std::vector<float> samples, bool finish) {
    TruePeakMeter meter(48000.0, 1);
    meter.feed(Frames::interleaved(samples.data(), 1, samples.size()));
    if (finish) meter.finish();
    return meter.max();
  };
  CHECK(measure({}, true) == 0.0f);
  CHECK(measure({0.5f, 0.5f}, true) > 0.55f);  // between the two
  CHECK(measure({0.5f, 0.5f}, false) == 0.5f);
  CHECK(measure(std::vector<float>(1000, 0.0f), true) == 0.0f);
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  CHECK(measure({kInf, -kInf, kNan, 0.25f}, false) == 0.25f);
  CHECK(measure(std::vector<float>(300, 1e-42f), true) <= 2e-42f);
  const float huge = measure({3e38f, 3e38f, -3e38f, 3e38f, 3e38f}, true);
  CHECK(huge >= 3e38f);
  CHECK(level_db(static_cast<double>(huge)) <= kMostDb);
}

TEST_CASE("true peak: a meter that begins amid a sound does not take its own beginning for a peak") {
  constexpr double kRate = 48000.0;
  for (int begin = 0; begin < 50; ++begin) {
    Sound sound{1, kRate};
    for (int i = 0; i < 4800; ++i)
      sound.samples.push_back(
          static_cast<float>(0.1 * std::sin(2.0 * std::numbers::pi * (997.0 / kRate) * (i + begin))));
    CAPTURE(begin);
    for (const std::size_t piece : {1U, 63U, 64U, 128U, 4800U}) {
      TruePeakMeter meter(kRate, 1, TruePeakMeter::Before::sound);
      for (std::size_t at = 0; at < 4800; at += piece) {
        meter.feed(sound.view(at, std::min<std::size_t>(piece, 4800 - at)));
        REQUIRE(level_db(static_cast<double>(meter.max(0))) <= -20.0 + 0.05);
      }
      CHECK(level_db(static_cast<double>(meter.max(0))) >= -20.0 - 0.05);
    }
  }
  // What comes behind counts, also in its first frames: a sample, and from 128 frames on what lies between two.
  TruePeakMeter amid(kRate, 1, TruePeakMeter::Before::sound);
  const std::vector<float> loud{0.0f, 0.5f, 0.5f, 0.0f};
  amid.feed(Frames::interleaved(loud.data(), 1, loud.size()));
  CHECK(amid.max(0) == 0.5f);
  amid.feed(Frames::silence(1, 256));
  CHECK(amid.max(0) == 0.5f);
  amid.feed(Frames::interleaved(loud.data(), 1, loud.size()));
  amid.finish();
  CHECK(amid.max(0) > 0.55f);
}
