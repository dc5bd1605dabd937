// The signals of EBU Tech 3341, Table 1, and Tech 3342, Table 1, as their texts describe them. Signals 7 and 8 (5 and 6
// of Tech 3342) are recorded programmes, which are not available here.
#include <doctest/doctest.h>

#include "server/analysis/decibel.hpp"
#include "server/analysis/layout.hpp"
#include "server/analysis/loudness.hpp"
#include "server/analysis/true_peak.hpp"
#include "tests/server/analysis/signals.hpp"

using namespace continuo::analysis;
using namespace continuo::analysis::test;

namespace {

constexpr double kTolerance = 0.1;  // LU
constexpr double kRates[] = {44100.0, 48000.0, 96000.0};

Loudness meter_of(const Sound& sound) {
  return {sound.rate, *channel_weights(usual_layout(sound.channels), sound.channels)};
}
bool near(double value, double wanted, double tolerance = kTolerance) { return std::abs(value - wanted) <= tolerance; }

}  // namespace

TEST_CASE("Tech 3341, signals 1 and 2: a steady tone reads the same on all scales") {
  for (const double rate : kRates) {
    for (const double db : {-23.0, -33.0}) {
      Sound sound{2, rate};
      sound.tone(20.0, {db});
      Loudness meter = meter_of(sound);
      meter.feed(sound.view());
      CAPTURE(rate);
      CHECK(near(meter.momentary(), db));
      CHECK(near(meter.short_term(), db));
      CHECK(near(meter.integrated(), db));
    }
  }
}

TEST_CASE("Tech 3341, signals 3 to 6: the gates, and five channels") {
  for (const double rate : kRates) {
    CAPTURE(rate);
    Sound three{2, rate};
    three.tone(10, {-36}).tone(60, {-23}).tone(10, {-36});
    Sound four{2, rate};
    four.tone(10, {-72}).tone(10, {-36}).tone(60, {-23}).tone(10, {-36}).tone(10, {-72});
    Sound five{2, rate};
    five.tone(20, {-26}).tone(20.1, {-20}).tone(20, {-26});
    Sound six{5, rate};
    six.tone(20, {-28, -28, -24, -30, -30});
    for (const Sound* sound : {&three, &four, &five, &six}) {
      Loudness meter = meter_of(*sound);
      meter.feed(sound->view());
      CHECK(near(meter.integrated(), -23.0));
    }
  }
}

TEST_CASE("Tech 3341, signals 9 and 12: what repeats within the window reads steady") {
  for (const double rate : kRates) {
    CAPTURE(rate);
    Sound nine{2, rate};
    for (int i = 0; i < 5; ++i) nine.tone(1.34, {-20}).tone(1.66, {-30});
    Sound twelve{2, rate};
    for (int i = 0; i < 25; ++i) twelve.tone(0.18, {-20}).tone(0.22, {-30});
    const auto step = static_cast<std::size_t>(rate / 100.0);
    double worst = 0.0;
    Loudness short_term = meter_of(nine);
    for (std::size_t at = 0; at + step <= nine.frames(); at += step) {
      short_term.feed(nine.view(at, step));
      if (at + step >= static_cast<std::size_t>(3.0 * rate))
        worst = std::max(worst, std::abs(short_term.short_term() + 23.0));
    }
    CHECK(worst <= kTolerance);
    worst = 0.0;
    Loudness momentary = meter_of(twelve);
    for (std::size_t at = 0; at + step <= twelve.frames(); at += step) {
      momentary.feed(twelve.view(at, step));
      if (at + step >= static_cast<std::size_t>(rate)) worst = std::max(worst, std::abs(momentary.momentary() + 23.0));
    }
    CHECK(worst <= kTolerance);
  }
}

TEST_CASE("Tech 3341, signals 10, 11, 13 and 14: a maximum is found wherever it lies") {
  for (const double rate : {44100.0, 48000.0}) {
    Sound eleven{2, rate}, fourteen{2, rate};
    Loudness live_short = meter_of(eleven), live_momentary = meter_of(fourteen);
    for (int i = 0; i < 20; ++i) {
      CAPTURE(rate);
      CAPTURE(i);
      Sound ten{2, rate};
      ten.silence(i * 0.15).tone(3.0, {-23}).silence(1.0);
      Loudness file = meter_of(ten);
      file.feed(ten.view());
      CHECK(near(file.max_short_term(), -23.0));
      Sound thirteen{2, rate};
      thirteen.silence(i * 0.02).tone(0.4, {-23}).silence(1.0);
      Loudness other = meter_of(thirteen);
      other.feed(thirteen.view());
      CHECK(near(other.max_momentary(), -23.0));
      // Live: the maximum is that of the segment.
      eleven.samples.clear();
      eleven.silence(i * 0.15).tone(3.0, {-38.0 + i}).silence(3.0 - i * 0.15);
      live_short.restart();
      live_short.feed(eleven.view());
      CHECK(near(live_short.max_short_term(), -38.0 + i));
      fourteen.samples.clear();
      fourteen.silence(i * 0.02).tone(0.4, {-38.0 + i}).silence(0.4 - i * 0.02);
      live_momentary.restart();
      live_momentary.feed(fourteen.view());
      CHECK(near(live_momentary.max_momentary(), -38.0 + i));
    }
  }
}

namespace {

/// 10 ms of fading in and out.
Sound tapered(double rate, double divisor, double amplitude, double degrees) {
  Sound sound{2, rate};
  const auto total = static_cast<std::size_t>(rate), fade = static_cast<std::size_t>(rate / 100.0);
  for (std::size_t i = 0; i < total; ++i) {
    const double edge = static_cast<double>(std::min({i, total - i, fade})) / static_cast<double>(fade);
    const double turns = static_cast<double>(i) / divisor + degrees / 360.0;
    const auto s = static_cast<float>(amplitude * edge * std::sin(2.0 * std::numbers::pi * turns));
    sound.samples.insert(sound.samples.end(), {s, s});
  }
  return sound;
}

/// fs/6 at 0.5 with one period of fs/4 at 1.0 inside, made at 4 fs, filtered, and every fourth sample kept.
Sound hidden_peak(double rate, std::size_t offset) {
  std::vector<double> fine;
  const auto add = [&](double divisor, double amplitude, std::size_t periods) {
    const auto length = static_cast<std::size_t>(divisor);
    for (std::size_t i = 0; i < periods * length; ++i)
      fine.push_back(amplitude * std::sin(2.0 * std::numbers::pi * static_cast<double>(i) / divisor));
  };
  add(24.0, 0.5, 200);
  add(16.0, 1.0, 1);
  add(24.0, 0.5, 200);
  // A low-pass at half of fs; its length and window leave the peak where it is.
  constexpr int kHalf = 128;
  std::vector<double> taps;
  double sum = 0.0;
  for (int k = -kHalf; k <= kHalf; ++k) {
    const double x = 0.225 * k;
    const double sinc = k == 0 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
    taps.push_back(sinc * (0.5 + 0.5 * std::cos(std::numbers::pi * k / (kHalf + 1.0))));
    sum += taps.back();
  }
  Sound sound{2, rate};
  for (std::size_t at = offset + kHalf; at + kHalf < fine.size(); at += 4) {
    double y = 0.0;
    for (int k = -kHalf; k <= kHalf; ++k)
      y += fine[static_cast<std::size_t>(static_cast<int>(at) + k)] * taps[static_cast<std::size_t>(k + kHalf)];
    const auto s = static_cast<float>(y / sum);
    sound.samples.insert(sound.samples.end(), {s, s});
  }
  // 10 ms of fading: what is begun at once has a peak of its own.
  const auto fade = static_cast<std::size_t>(rate / 100.0);
  for (std::size_t i = 0; i < fade; ++i)
    for (std::size_t c = 0; c < 2; ++c) {
      const auto factor = static_cast<float>(static_cast<double>(i) / static_cast<double>(fade));
      sound.samples[2 * i + c] *= factor;
      sound.samples[sound.samples.size() - 1 - (2 * i + c)] *= factor;
    }
  return sound;
}

double true_peak_of(const Sound& sound) {
  TruePeakMeter meter(sound.rate, sound.channels);
  meter.feed(sound.view());
  meter.finish();
  return level_db(static_cast<double>(meter.max()));
}
bool is_true_peak(double value, double wanted) { return value <= wanted + 0.2 && value >= wanted - 0.4; }

}  // namespace

TEST_CASE("Tech 3341, signals 15 to 19: true peaks of tones") {
  for (const double rate : {44100.0, 48000.0, 88200.0, 96000.0, 192000.0}) {
    CAPTURE(rate);
    CHECK(is_true_peak(true_peak_of(tapered(rate, 4.0, 0.5, 0.0)), -6.0));
    CHECK(is_true_peak(true_peak_of(tapered(rate, 4.0, 0.5, 45.0)), -6.0));
    CHECK(is_true_peak(true_peak_of(tapered(rate, 6.0, 0.5, 60.0)), -6.0));
    CHECK(is_true_peak(true_peak_of(tapered(rate, 8.0, 0.5, 67.5)), -6.0));
    CHECK(is_true_peak(true_peak_of(tapered(rate, 4.0, 1.41, 45.0)), 3.0));
  }
}

TEST_CASE("Tech 3341, signals 20 to 23: a true peak between the samples, at four places") {
  for (const double rate : {44100.0, 48000.0}) {
    for (std::size_t offset = 0; offset < 4; ++offset) {
      CAPTURE(offset);
      const double peak = true_peak_of(hidden_peak(rate, offset));
      CAPTURE(peak);
      CHECK(is_true_peak(peak, 0.0));
    }
  }
}

TEST_CASE("Tech 3342, signals 1 to 4: the loudness range") {
  for (const double rate : kRates) {
    CAPTURE(rate);
    const auto range = [&](std::initializer_list<double> levels) {
      Sound sound{2, rate};
      for (const double db : levels) sound.tone(20, {db});
      Loudness meter = meter_of(sound);
      meter.feed(sound.view());
      return meter.range();
    };
    CHECK(near(range({-20, -30}), 10.0, 1.0));
    CHECK(near(range({-20, -15}), 5.0, 1.0));
    CHECK(near(range({-40, -20}), 20.0, 1.0));
    CHECK(near(range({-50, -35, -20, -35, -50}), 15.0, 1.0));
  }
}
