// Peaks, clips, silence, RMS, and how two channels belong together.
#include <doctest/doctest.h>

#include <bit>
#include <limits>

#include "server/analysis/clips.hpp"
#include "server/analysis/decibel.hpp"
#include "server/analysis/peak.hpp"
#include "server/analysis/rms.hpp"
#include "server/analysis/silence.hpp"
#include "server/analysis/stereo.hpp"
#include "tests/server/analysis/signals.hpp"

using namespace continuo::analysis;
using namespace continuo::analysis::test;

namespace {

constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kPieces[] = {0, 1, 63, 256, 257, 5000};

template <class Meter>
void feed(Meter& meter, std::vector<float> samples, std::uint32_t channels = 1) {
  meter.feed(Frames::interleaved(samples.data(), channels, samples.size() / channels));
}
bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

}  // namespace

TEST_CASE("decibel: never an infinity, never NaN, -150 is silence") {
  CHECK(power_db(0.0) == -150.0);
  CHECK(level_db(0.0) == -150.0);
  CHECK(power_db(-1.0) == -150.0);
  CHECK(level_db(std::numeric_limits<double>::quiet_NaN()) == -150.0);
  CHECK(power_db(std::numeric_limits<double>::infinity()) == kMostDb);
  CHECK(level_db(std::numeric_limits<double>::infinity()) == kMostDb);
  for (double db = -149.0; db < 300.0; db += 7.3) {
    CHECK(std::abs(level_db(db_level(db)) - db) < 1e-9);
    CHECK(std::abs(power_db(db_power(db)) - db) < 1e-9);
    CHECK(std::abs(level_db(std::pow(10.0, db / 20.0)) - db) < 1e-9);
  }
}

TEST_CASE("peak: holds, then falls by the frame") {
  PeakMeter meter(48000.0, 1, 20.0, 0.5);
  feed(meter, {0.5f});
  CHECK(meter.level(0) == 0.5);
  feed(meter, std::vector<float>(24000, 0.1f));
  CHECK(meter.level(0) == 0.5);  // still held
  feed(meter, std::vector<float>(24000, 0.0f));
  CHECK(std::abs(level_db(meter.level(0)) - (level_db(0.5) - 10.0)) < 0.06);  // in steps of 64 frames
  feed(meter, {-0.75f});
  CHECK(meter.level(0) == 0.75);
  CHECK(meter.max(0) == 0.75f);
  meter.restart();
  CHECK(meter.max(0) == 0.0f);
  CHECK(meter.level(0) == 0.75);
  feed(meter, std::vector<float>(48000 * 10, 0.0f));
  CHECK(meter.level(0) == 0.0);  // below -150 dB
}

TEST_CASE("peak, RMS, stereo, clips, silence: the same bits however the sound is cut") {
  Sound sound = random_sound(2, 44100.0, 5.0, 21);
  for (std::size_t i = 3000; i < 3009; ++i) sound.samples[i] = 1.0f;
  PeakMeter peak(44100.0, 2, 11.8, 0.01);
  RmsMeter rms(44100.0, 2, 0.1234);
  StereoMeter stereo(44100.0, 0.2);
  ClipCounter clips(2);
  SilenceDetector silence(44100.0, 2, -40.0, 0.01);
  const auto all = [&](auto&& each) { each(peak), each(rms), each(stereo), each(clips), each(silence); };
  all([&](auto& meter) { meter.feed(sound.view()); });
  for (const std::size_t size : kPieces) {
    for (const bool planar : {false, true}) {
      PeakMeter peak_2(44100.0, 2, 11.8, 0.01);
      RmsMeter rms_2(44100.0, 2, 0.1234);
      StereoMeter stereo_2(44100.0, 0.2);
      ClipCounter clips_2(2);
      SilenceDetector silence_2(44100.0, 2, -40.0, 0.01);
      feed_in_pieces(peak_2, sound, size, planar);
      feed_in_pieces(rms_2, sound, size, planar);
      feed_in_pieces(stereo_2, sound, size, planar);
      feed_in_pieces(clips_2, sound, size, planar);
      feed_in_pieces(silence_2, sound, size, planar);
      for (std::uint32_t c = 0; c < 2; ++c) {
        CHECK(same(peak.level(c), peak_2.level(c)));
        CHECK(same(rms.level(c), rms_2.level(c)));
      }
      CHECK(same(stereo.correlation(), stereo_2.correlation()));
      CHECK(same(stereo.balance(), stereo_2.balance()));
      CHECK(clips.samples() == clips_2.samples());
      CHECK(clips.runs() == clips_2.runs());
      CHECK(silence.silent_frames() == silence_2.silent_frames());
      CHECK(silence.silences() == silence_2.silences());
      CHECK(silence.longest_frames() == silence_2.longest_frames());
      CHECK(silence.leading_frames() == silence_2.leading_frames());
    }
  }
}

TEST_CASE("clips: samples at full scale, and runs of three and more") {
  ClipCounter meter(1);
  feed(meter, {1.0f, 0.9f, -1.0f, 1.5f, 0.0f, 1.0f, 1.0f});
  CHECK(meter.samples() == 5);
  CHECK(meter.runs() == 0);
  feed(meter, {1.0f});  // the third: in another piece
  CHECK(meter.runs() == 1);
  feed(meter, {1.0f, 1.0f, 1.0f, 0.0f, -1.0f, -1.0f, -1.0f});
  CHECK(meter.runs() == 2);
  feed(meter, {kInf, kNan, -kInf});  // no numbers: counted elsewhere
  CHECK(meter.samples() == 12);
  meter.restart();
  CHECK(meter.samples() == 0);
  ClipCounter two(2, 1.0f - 0x1p-15f);
  feed(two, {0.99997f, 0.0f, -1.0f, 32767.0f / 32768.0f, 0.0f, 1.0f, 0.0f, 1.0f}, 2);
  CHECK(two.samples() == 5);
  CHECK(two.runs() == 1);  // in the second channel
}

TEST_CASE("silence: from the threshold and the time on, in all channels") {
  SilenceDetector meter(1000.0, 2, -60.0, 0.1);
  feed(meter, std::vector<float>(2 * 50, 0.0005f), 2);
  CHECK_FALSE(meter.silent());
  CHECK(meter.leading_frames() == 50);
  feed(meter, std::vector<float>(2 * 50, 0.0f), 2);
  CHECK(meter.silent());
  CHECK(meter.silences() == 1);
  feed(meter, {0.0f, -0.5f}, 2);
  CHECK_FALSE(meter.silent());
  CHECK(meter.leading_frames() == 100);
  CHECK(meter.silent_frames() == 100);
  feed(meter, std::vector<float>(2 * 99, 0.0f), 2);
  feed(meter, {0.5f, 0.0f}, 2);
  CHECK(meter.silences() == 1);  // 99 are too few
  CHECK(meter.longest_frames() == 100);
  feed(meter, std::vector<float>(2 * 300, kNan), 2);  // what is no number is silence
  CHECK(meter.quiet_frames() == 300);
  CHECK(meter.silent_frames() == 400);
  CHECK(meter.silences() == 2);
  SilenceDetector strict(1000.0, 1, -150.0, 0.001);
  feed(strict, {1e-30f});
  CHECK_FALSE(strict.silent());
  feed(strict, {-0.0f});
  CHECK(strict.silent());
}

TEST_CASE("RMS: of a sine -3.01 dB, of its window alone, and nothing is left of a loud past") {
  Sound sound{1, 48000.0};
  sound.tone(1.0, {0.0});
  RmsMeter meter(48000.0, 1, 0.3);
  meter.feed(sound.view());
  CHECK(std::abs(level_db(meter.level(0)) + 3.0103) < 0.001);
  feed(meter, std::vector<float>(48000 * 3 / 20, 0.0f));  // half of the window
  CHECK(std::abs(level_db(meter.level(0)) + 6.0206) < 0.05);
  feed(meter, std::vector<float>(48000 * 3 / 20 + 144, 0.0f));  // and a hundredth, in which it moves
  CHECK(meter.level(0) == 0.0);
  feed(meter, std::vector<float>(20000, 3.4e38f));
  CHECK(level_db(meter.level(0)) <= kMostDb);
  CHECK(level_db(meter.level(0)) > 700.0);
}

TEST_CASE("stereo: correlation and balance of what is known") {
  const auto measure = [](auto&& right_of, float left_gain = 1.0f) {
    Random random(3);
    StereoMeter meter(48000.0, 0.3);
    std::vector<float> samples;
    for (int i = 0; i < 200'000; ++i) {
      const auto l = static_cast<float>(random.real());
      samples.push_back(left_gain * l);
      samples.push_back(right_of(l, static_cast<float>(random.real())));
    }
    feed(meter, samples, 2);
    return meter;
  };
  CHECK(measure([](float l, float) { return l; }).correlation() == doctest::Approx(1.0));
  CHECK(measure([](float l, float) { return -0.1f * l; }).correlation() == doctest::Approx(-1.0));
  CHECK(std::abs(measure([](float, float other) { return other; }).correlation()) < 0.05);
  CHECK(std::abs(measure([](float, float other) { return other; }).balance()) < 0.05);
  CHECK(measure([](float, float) { return 0.0f; }).balance() == doctest::Approx(-1.0));
  CHECK(measure([](float, float other) { return other; }, 0.0f).balance() == doctest::Approx(1.0));
  const StereoMeter one_side = measure([](float, float) { return kNan; });
  CHECK(one_side.heard());
  CHECK_FALSE(one_side.both_heard());
  CHECK(one_side.correlation() == 0.0);
  const StereoMeter nothing(48000.0);
  CHECK(nothing.correlation() == 0.0);
  CHECK(nothing.balance() == 0.0);
  CHECK_FALSE(nothing.heard());
  const StereoMeter huge = measure([](float, float) { return 3.4e38f; }, 3.4e38f);
  CHECK(std::isfinite(huge.correlation()));
  CHECK(std::abs(huge.balance()) <= 1.0);
}
