// Loudness beside the standard's tables, an exact computation, and itself with other pieces.
#include "server/analysis/loudness.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <limits>

#include "server/analysis/decibel.hpp"
#include "server/analysis/layout.hpp"
#include "tests/server/analysis/signals.hpp"

using namespace continuo::analysis;
using namespace continuo::analysis::test;

namespace {

std::vector<double> usual(std::uint32_t channels) { return *channel_weights(usual_layout(channels), channels); }

/// How much a section passes of a frequency.
double response(const Section& s, double hz, double rate) {
  const double w = 2.0 * std::numbers::pi * hz / rate;
  const auto square = [&](double a, double b, double c) {
    const double re = a + b * std::cos(w) + c * std::cos(2 * w), im = b * std::sin(w) + c * std::sin(2 * w);
    return re * re + im * im;
  };
  return 10.0 * std::log10(square(s.b0, s.b1, s.b2) / square(1.0, s.a1, s.a2));
}

/// All blocks, and both measures of them without a histogram.
struct Exact {
  std::vector<double> blocks, shorts;  // powers
  static double mean(const std::vector<double>& of, double gate) {
    double sum = 0.0;
    std::size_t n = 0;
    for (const double p : of)
      if (p >= gate) sum += p, ++n;
    return n == 0 ? 0.0 : sum / static_cast<double>(n);
  }
  [[nodiscard]] double integrated() const {
    const double gate = power_of(-70.0);
    return loudness_of(mean(blocks, std::max(gate, mean(blocks, gate) * 0.1)));
  }
  [[nodiscard]] double range() const {
    const double gate = power_of(-70.0), relative = std::max(gate, mean(shorts, gate) * 0.01);
    std::vector<double> kept;
    for (const double p : shorts)
      if (p >= relative) kept.push_back(p);
    if (kept.empty()) return 0.0;
    std::ranges::sort(kept);
    const auto at = [&](double part) {
      return kept[static_cast<std::size_t>(std::llround(static_cast<double>(kept.size() - 1) * part))];
    };
    return loudness_of(at(0.95)) - loudness_of(at(0.10));
  }
};
Exact exactly(const Sound& sound, const std::vector<double>& weights) {
  const KWeighting k = KWeighting::at(sound.rate);
  std::vector<double> power(sound.frames(), 0.0);
  for (std::uint32_t c = 0; c < sound.channels; ++c) {
    double s1 = 0, s2 = 0, t1 = 0, t2 = 0;  // transposed, unlike what is tested
    for (std::size_t i = 0; i < sound.frames(); ++i) {
      const double x = static_cast<double>(sound.samples[i * sound.channels + c]);
      const double y = k.shelf.b0 * x + s1;
      s1 = k.shelf.b1 * x - k.shelf.a1 * y + s2;
      s2 = k.shelf.b2 * x - k.shelf.a2 * y;
      const double z = k.high_pass.b0 * y + t1;
      t1 = k.high_pass.b1 * y - k.high_pass.a1 * z + t2;
      t2 = k.high_pass.b2 * y - k.high_pass.a2 * z;
      power[i] += weights[c] * z * z;
    }
  }
  Exact exact;
  for (const auto& [seconds, into] : {std::pair(0.4, &exact.blocks), std::pair(3.0, &exact.shorts)}) {
    const auto length = static_cast<std::size_t>(std::llround(seconds * sound.rate));
    for (std::size_t n = 0;; ++n) {
      const auto begin = static_cast<std::size_t>(static_cast<double>(n) * 0.1 * sound.rate);
      if (begin + length > sound.frames()) break;
      double sum = 0.0;
      for (std::size_t i = begin; i < begin + length; ++i) sum += power[i];
      into->push_back(sum / static_cast<double>(length));
    }
  }
  return exact;
}

}  // namespace

TEST_CASE("loudness: at 48 kHz the weighting is that of BS.1770-4, Tables 1 and 2") {
  const KWeighting k = KWeighting::at(48000.0);
  const auto same = [](double a, double b) { return std::abs(a - b) < 1e-9; };
  CHECK(same(k.shelf.b0, 1.53512485958697));
  CHECK(same(k.shelf.b1, -2.69169618940638));
  CHECK(same(k.shelf.b2, 1.19839281085285));
  CHECK(same(k.shelf.a1, -1.69065929318241));
  CHECK(same(k.shelf.a2, 0.73248077421585));
  CHECK(same(k.high_pass.b0, 1.0));
  CHECK(same(k.high_pass.b1, -2.0));
  CHECK(same(k.high_pass.b2, 1.0));
  CHECK(same(k.high_pass.a1, -1.99004745483398));
  CHECK(same(k.high_pass.a2, 0.99007225036621));
}

TEST_CASE("loudness: the weighting is the same curve at every rate, and 997 Hz at full scale reads -3.01") {
  const KWeighting reference = KWeighting::at(48000.0);
  for (const double rate : {8000.0, 11025.0, 22050.0, 32000.0, 44100.0, 88200.0, 96000.0, 192000.0, 384000.0}) {
    CAPTURE(rate);
    const KWeighting k = KWeighting::at(rate);
    for (const double hz : {20.0, 38.0, 60.0, 200.0, 997.0, 1682.0}) {
      const double wanted = response(reference.shelf, hz, 48000.0) + response(reference.high_pass, hz, 48000.0);
      // Near half the rate the bilinear transform bends the shelf's upper end.
      const double tolerance = hz < 0.06 * rate ? 0.06 : 0.35;
      CHECK(std::abs(response(k.shelf, hz, rate) + response(k.high_pass, hz, rate) - wanted) < tolerance);
    }
    Sound sound{1, rate};
    sound.tone(4.0, {0.0}, 997.0);
    Loudness meter(rate, usual(1));
    meter.feed(sound.view());
    CHECK(std::abs(meter.integrated() + 3.01) < (rate < 20'000.0 ? 0.3 : 0.03));
  }
}

TEST_CASE("loudness: the histogram's answers are those of an exact computation within 0.02 LU") {
  double worst_integrated = 0.0, worst_range = 0.0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const auto channels = static_cast<std::uint32_t>(1 + seed % 6);
    const double rate = std::vector{8000.0, 11025.0, 44100.0, 48000.0, 22050.0, 96000.0}[seed % 6];
    const Sound sound = random_sound(channels, rate, 40.0, seed);
    const Exact exact = exactly(sound, usual(channels));
    Loudness meter(rate, usual(channels));
    meter.feed(sound.view());
    worst_integrated = std::max(worst_integrated, std::abs(meter.integrated() - exact.integrated()));
    worst_range = std::max(worst_range, std::abs(meter.range() - exact.range()));
  }
  CAPTURE(worst_integrated);
  CAPTURE(worst_range);
  CHECK(worst_integrated <= 0.02);
  CHECK(worst_range <= 0.02);
}

TEST_CASE("loudness: the same bits however the sound is cut, planar or interleaved") {
  for (const std::uint32_t channels : {1u, 2u, 3u, 6u}) {
    const Sound sound = random_sound(channels, 44100.0, 7.0, channels);
    Loudness whole(sound.rate, usual(channels));
    whole.feed(sound.view());
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{63}, std::size_t{441}, std::size_t{5000}}) {
      for (const bool planar : {false, true}) {
        Loudness meter(sound.rate, usual(channels));
        feed_in_pieces(meter, sound, size, planar);
        CAPTURE(channels);
        CAPTURE(size);
        const auto same = [](double a, double b) {
          return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
        };
        CHECK(same(meter.momentary(), whole.momentary()));
        CHECK(same(meter.short_term(), whole.short_term()));
        CHECK(same(meter.max_momentary(), whole.max_momentary()));
        CHECK(same(meter.max_short_term(), whole.max_short_term()));
        CHECK(same(meter.integrated(), whole.integrated()));
        CHECK(same(meter.range(), whole.range()));
        CHECK(meter.frames() == whole.frames());
      }
    }
  }
}

TEST_CASE("loudness: nothing, too little, silence, and what is no number") {
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  const auto finite = [](const Loudness& m) {
    for (const double v : {m.momentary(), m.short_term(), m.max_momentary(), m.max_short_term(), m.integrated(),
                           m.range(), m.relative_gate()}) {
      CHECK(std::isfinite(v));
      CHECK(v >= -150.0);
      CHECK(v <= kMostDb);
    }
  };
  Loudness fresh(48000.0, usual(2));
  CHECK(fresh.integrated() == -150.0);
  CHECK(fresh.momentary() == -150.0);
  CHECK(fresh.range() == 0.0);
  Sound shorter{2, 48000.0};
  shorter.tone(0.39, {-20});
  fresh.feed(shorter.view());
  CHECK(fresh.integrated() == -150.0);  // not one whole block
  CHECK(fresh.max_momentary() > -21.0);
  finite(fresh);

  for (const float x : {0.0f, 1e-42f, 1.0f, 3.4e38f, kInf, -kInf, kNan}) {
    Loudness meter(48000.0, usual(2));
    const std::vector<float> samples(2 * 48000 * 4, x);
    meter.feed(Frames::interleaved(samples.data(), 2, samples.size() / 2));
    finite(meter);
    if (x == 0.0f || x == 1e-42f || !std::isfinite(x)) CHECK(meter.integrated() == -150.0);
  }
  // A sound with a NaN in it is measured as if that sample were 0.
  Sound good = random_sound(2, 48000.0, 5.0, 3), bad = good;
  good.samples[20'001] = good.samples[100'000] = 0.0f;
  bad.samples[20'001] = kNan;
  bad.samples[100'000] = kInf;
  Loudness a(48000.0, usual(2)), b(48000.0, usual(2));
  a.feed(good.view());
  b.feed(bad.view());
  CHECK(a.integrated() == b.integrated());
  CHECK(bad.view().non_finite(0, bad.frames()) == 2);
}

TEST_CASE("loudness: its windows alone give the same bits, from step to step, and are not changed by a measurement") {
  for (const double rate : {11025.0, 48000.0}) {
    for (const std::uint32_t channels : {1u, 2u, 6u}) {
      CAPTURE(rate);
      CAPTURE(channels);
      const Sound sound = random_sound(channels, rate, 5.0, channels);
      LoudnessWindows windows(rate, usual(channels));
      Loudness whole(rate, usual(channels));
      bool same = true, at_400_ms = true, at_3_s = true, heard = false;
      for (std::size_t at = 0; at < sound.frames(); at += 97) {
        windows.feed(sound.view(at, 97));
        whole.feed(sound.view(at, 97));
        same &= windows.momentary() == whole.momentary() && windows.short_term() == whole.short_term() &&
                windows.frames() == whole.frames();
        heard |= windows.momentary() > -150.0;
        const double seconds = static_cast<double>(windows.frames()) / rate;
        at_400_ms &= windows.whole_blocks() == (seconds >= 0.4) && windows.whole_blocks() == whole.whole_blocks();
        at_3_s &= windows.whole_windows() == (seconds >= 3.0) && windows.whole_windows() == whole.whole_windows();
      }
      CHECK(same);
      CHECK(at_400_ms);
      CHECK(at_3_s);
      CHECK(heard);
      whole.restart();
      CHECK(whole.short_term() == windows.short_term());
      CHECK_FALSE(whole.whole_blocks());
    }
  }
}

TEST_CASE("loudness: a loud past leaves nothing behind") {
  Sound sound{1, 48000.0};
  sound.tone(1.0, {700.0 / 20.0 * 20.0 - 100.0}).silence(8.0);  // 600 dB, then nothing
  Loudness meter(48000.0, usual(1));
  meter.feed(sound.view());
  CHECK(meter.short_term() == -150.0);
  CHECK(meter.momentary() == -150.0);
}

TEST_CASE("loudness: a measurement begins anew, momentary and short-term go on") {
  Sound loud{2, 48000.0}, quiet{2, 48000.0};
  loud.tone(10.0, {-10});
  quiet.tone(10.0, {-30});
  Loudness meter(48000.0, usual(2));
  meter.feed(loud.view());
  meter.restart();
  CHECK(meter.integrated() == -150.0);
  CHECK(meter.max_momentary() == -150.0);
  CHECK(std::abs(meter.short_term() + 10.0) < 0.1);
  meter.feed(quiet.view());
  CHECK(std::abs(meter.integrated() + 30.0) < 0.1);
  CHECK(meter.range() < 0.1);
}

TEST_CASE("loudness: months are counted in 64 bits, in the same memory") {
  // 12 days of blocks; what changes is a count. (That feeding allocates nothing: memory_test.cpp.)
  LevelHistogram histogram;
  const double power = power_of(-23.0), other = power_of(-33.005);
  constexpr std::uint64_t kBlocks = 10'000'000;
  for (std::uint64_t i = 0; i < kBlocks; ++i) histogram.add(i % 2 == 0 ? power : other);
  CHECK(histogram.count() == kBlocks);
  CHECK(std::abs(loudness_of(histogram.mean()) - loudness_of((power + other) / 2)) < 1e-6);
  CHECK(std::abs(loudness_of(histogram.mean_from(power_of(-30.0))) + 23.0) < 1e-6);
  double low = 0.0, high = 0.0;
  REQUIRE(histogram.percentiles(0.0, 0.10, 0.95, low, high));
  CHECK(std::abs(loudness_of(low) + 33.005) < 0.01);
  CHECK(std::abs(loudness_of(high) + 23.0) < 0.01);
}

TEST_CASE("loudness: layouts have weights, and only for as many channels as they are") {
  CHECK(*channel_weights("stereo", 2) == std::vector<double>{1, 1});
  CHECK(*channel_weights("5.1", 6) == std::vector<double>{1, 1, 1, 0, 1.41, 1.41});
  CHECK(*channel_weights("7.1", 8) == std::vector<double>{1, 1, 1, 0, 1, 1, 1.41, 1.41});
  CHECK(*channel_weights("all", 3) == std::vector<double>{1, 1, 1});
  CHECK(*channel_weights("1,0.5,2", 3) == std::vector<double>{1, 0.5, 2});
  CHECK(usual_layout(6) == "5.1");
  CHECK(usual_layout(7) == "all");
  for (const char* wrong : {"5.1", "mono", "", "1", "1,1,1", "1,-1", "1,nan", "1,inf", "1,x", "1,", "1,101", "x"})
    CHECK_FALSE(channel_weights(wrong, 2).has_value());
}
