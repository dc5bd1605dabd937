// Lists of parts of files in one stream: no join is heard, each place is known beforehand.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "server/media/decode.hpp"
#include "server/media/resample.hpp"
#include "tests/server/media/media_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

Segment part(const fs::path& file, std::int64_t begin, std::int64_t end, std::int64_t loops = 1) {
  const auto info = probe(file);
  REQUIRE(info);
  return {.file = file,
          .sample_rate_hz = info->sample_rate_hz,
          .channels = info->channels,
          .file_frames = info->frames,
          .begin = begin,
          .end = end < 0 ? info->frames : end,
          .loops = loops};
}

std::vector<float> cut(const std::vector<float>& all, std::int64_t begin, std::int64_t end, int channels) {
  return {all.begin() + begin * channels, all.begin() + end * channels};
}

}  // namespace

TEST_CASE("segments: a lossless file split at random points and queued again is the file, bit for bit, at any rate") {
  TempDir dir;
  const std::int64_t frames = 90'000;
  write_ints(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 2, 44100, noise_ints(frames, 2, 24));
  write_ints(dir / "a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 2, 44100, noise_ints(frames, 2, 24));
  for (const double engine : {44100.0, 48000.0, 32000.0}) {
    const auto whole = play(*open_stream({.file = dir / "a.wav", .engine_rate_hz = engine}), 1'000'000);
    CHECK(rc::check([&] {
      std::vector<std::int64_t> points =
          *rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(1, frames));
      points.insert(points.end(), {0, frames});
      std::ranges::sort(points);
      points.erase(std::unique(points.begin(), points.end()), points.end());
      std::vector<Segment> segments;
      for (std::size_t i = 1; i < points.size(); ++i)
        segments.push_back(part(dir / (i % 2 == 0 ? "a.wav" : "a.flac"), points[i - 1], points[i]));
      const auto from = *rc::gen::inRange<rt::FrameCount>(0, static_cast<rt::FrameCount>(whole.size() / 2));
      auto reader = open_stream({.file = {}, .engine_rate_hz = engine, .first_frame = from, .segments = segments});
      RC_ASSERT(reader->source().length == static_cast<rt::FrameCount>(whole.size() / 2));
      RC_ASSERT(QueueLayout(segments, engine, false).length() == reader->source().length);
      RC_ASSERT(play(*reader, 1'000'000) == cut(whole, from, static_cast<std::int64_t>(whole.size() / 2), 2));
      RC_ASSERT(reader->error().empty());
    }));
  }
}

TEST_CASE("segments: in and out points, loops, gain and fades, to the sample") {
  TempDir dir;
  write_floats(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 2, 48000, noise_floats(60'000, 2));
  const auto all = reference(dir / "a.wav");
  Segment faded = part(dir / "a.wav", 1000, 1700, 2);
  faded.gain = 0.25;
  faded.fade_in = 100;
  faded.fade_out = 300;
  faded.fade_out_curve = FadeCurve::equal_power;
  const std::vector<Segment> list{part(dir / "a.wav", 50, 40'050), faded, part(dir / "a.wav", 7, 17, 3)};
  CHECK(QueueLayout(list, 48000.0, false).begins() == std::vector<rt::FrameCount>{0, 40'000, 41'400});
  CHECK(QueueLayout(list, 48000.0, false).length() == 41'430);
  std::vector<float> expected = cut(all, 50, 40'050, 2);
  for (std::int64_t i = 0; i < 1400; ++i) {
    double factor = 0.25;
    if (i < 100) factor *= static_cast<double>(i) / 100.0;
    if (i >= 1100) factor *= std::sqrt(static_cast<double>(1400 - i) / 300.0);
    for (int c = 0; c < 2; ++c)
      expected.push_back(
          static_cast<float>(static_cast<double>(all[static_cast<std::size_t>((1000 + i % 700) * 2 + c)]) * factor));
  }
  for (int i = 0; i < 3; ++i) {
    const auto round = cut(all, 7, 17, 2);
    expected.insert(expected.end(), round.begin(), round.end());
  }
  for (const rt::FrameCount from : {0, 1, 39'999, 40'000, 40'001, 40'777, 41'399, 41'400, 41'415, 41'429}) {
    CAPTURE(from);
    auto reader = open_stream({.file = {}, .first_frame = from, .segments = list});
    CHECK(reader->source().length == 41'430);
    CHECK(play(*reader, 100'000, 777) == cut(expected, from, 41'430, 2));
  }
}

TEST_CASE("segments: one channel beside two, two rates, and nothing behind a loop without an end") {
  TempDir dir;
  write_ints(dir / "m.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 48000, noise_ints(5000, 1, 16));
  write_ints(dir / "s.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 48000, noise_ints(5000, 2, 16, 2));
  write_ints(dir / "r.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 44100, noise_ints(44100, 2, 16, 3));
  const auto mono = reference(dir / "m.wav"), stereo = reference(dir / "s.wav");
  const auto other = play(*open_stream({.file = dir / "r.wav"}), 100'000);
  const std::vector<Segment> list{part(dir / "m.wav", 0, -1), part(dir / "r.wav", 0, -1), part(dir / "s.wav", 0, -1, 0),
                                  part(dir / "m.wav", 0, -1)};
  const QueueLayout layout(list, 48000.0, false);
  CHECK(layout.endless());
  CHECK(layout.begins() == std::vector<rt::FrameCount>{0, 5000, 53'000, 53'000 + kForEverSeconds * 48'000});
  std::vector<float> expected;
  for (const float sample : mono) expected.insert(expected.end(), {sample, sample});
  expected.insert(expected.end(), other.begin(), other.end());
  for (int i = 0; i < 5; ++i) expected.insert(expected.end(), stereo.begin(), stereo.end());
  for (const rt::FrameCount from : {0, 4999, 5000, 5001, 30'000, 52'999, 53'000, 60'000}) {
    CAPTURE(from);
    auto reader = open_stream({.file = {}, .first_frame = from, .segments = list});
    CHECK(reader->source().length == layout.length());
    CHECK(reader->source().channels == 2);
    CHECK(play(*reader, 78'000 - from) == cut(expected, from, 78'000, 2));
  }
}

TEST_CASE("segments: a file that is gone or another by now is silence for as long as it was, and the next is played") {
  TempDir dir;
  write_ints(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 48000, noise_ints(5000, 1, 16));
  write_ints(dir / "b.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 48000, noise_ints(5000, 1, 16, 2));
  const std::vector<Segment> list{part(dir / "a.wav", 0, -1), part(dir / "b.wav", 0, -1), part(dir / "a.wav", 0, -1)};
  const auto sound = reference(dir / "a.wav");
  for (const bool gone : {true, false}) {
    if (gone)
      fs::remove(dir / "b.wav");
    else
      write_ints(dir / "b.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 48000, noise_ints(5000, 2, 16, 2));
    auto reader = open_stream({.file = {}, .segments = list});
    const auto played = play(*reader, 100'000);
    REQUIRE(played.size() == 15'000);
    CHECK(cut(played, 0, 5000, 1) == sound);
    CHECK(played[5000] == sound[4999]);  // held, and let go
    CHECK(cut(played, 5512, 10'000, 1) == std::vector<float>(4488, 0.0f));
    CHECK(cut(played, 10'000, 15'000, 1) == sound);
    CHECK(reader->error().find("b.wav") != std::string::npos);
  }
}

TEST_CASE("segments: a file that breaks off leaves no edge") {
  TempDir dir;
  write_floats(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1, 48000, std::vector<float>(200'000, 0.5f));
  auto reader = open_stream({.file = dir / "a.wav"});
  fs::resize_file(dir / "a.wav", 400'000);
  const auto played = play(*reader, 300'000);
  REQUIRE(played.size() == 200'000);
  for (std::size_t i = 1; i < played.size(); ++i) REQUIRE(std::abs(played[i] - played[i - 1]) <= 0.001f);
  CHECK(played.front() == 0.5f);
  CHECK(played.back() == 0.0f);
  CHECK(reader->error().find("cut off at frame") != std::string::npos);
}
