// Streams: seek anywhere equals having played there, loops, foreign rates, protocol, damaged files.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "server/media/decode.hpp"
#include "server/media/probe.hpp"
#include "server/media/resample.hpp"
#include "tests/server/media/media_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

bool same(const std::vector<float>& part, const std::vector<float>& all, std::int64_t from, int channels) {
  const auto at = static_cast<std::size_t>(from * channels);
  if (part.empty() || at + part.size() > all.size()) return false;
  return std::memcmp(part.data(), all.data() + at, part.size() * sizeof(float)) == 0;
}

void write_noise(const fs::path& file, int rate, std::int64_t frames, int channels = 2) {
  write_ints(file, SF_FORMAT_WAV | SF_FORMAT_PCM_24, channels, rate, noise_ints(frames, channels, 24));
}

}  // namespace

TEST_CASE("stream: a file of the engine's rate comes through bit for bit, whatever the steps") {
  TempDir dir;
  write_noise(dir / "a.wav", 48000, 150'000);
  const std::vector<float> expected = reference(dir / "a.wav");
  for (const std::size_t step : {1u, 64u, 1000u, 20'000u}) {
    CAPTURE(step);
    auto reader = open_stream({.file = dir / "a.wav"});
    CHECK(reader->source().channels == 2);
    CHECK(reader->source().length == 150'000);
    CHECK(reader->source().audio_.position == 0);
    const std::vector<float> played = play(*reader, 200'000, step);
    CHECK(played.size() == expected.size());
    CHECK(same(played, expected, 0, 2));
    CHECK(reader->ended());
    CHECK(reader->error().empty());
  }
}

TEST_CASE("stream: started anywhere equals having played there, at every pair of rates") {
  TempDir dir;
  struct Pair {
    int file;
    double engine;
  };
  for (const Pair& pair :
       {Pair{48000, 48000}, Pair{44100, 48000}, Pair{48000, 44100}, Pair{96000, 48000}, Pair{44101, 48000},
        Pair{22050, 96000}, Pair{8000, 48000}, Pair{192000, 44100}, Pair{384000, 8000}, Pair{48000, 47999}}) {
    CAPTURE(pair.file);
    CAPTURE(pair.engine);
    const std::int64_t frames = pair.file * 7 + 1234;
    write_noise(dir / "a.wav", pair.file, frames);
    auto whole = open_stream({.file = dir / "a.wav", .engine_rate_hz = pair.engine});
    const std::int64_t length = whole->source().length;
    CHECK(length ==
          scale_frames(frames, static_cast<std::uint32_t>(pair.file), static_cast<std::uint32_t>(pair.engine)));
    const std::vector<float> all = play(*whole, length + 10, 3000);
    REQUIRE(all.size() == static_cast<std::size_t>(length) * 2);
    const auto second = static_cast<std::int64_t>(pair.engine);
    Random random(5);
    for (const std::int64_t at :
         {std::int64_t{1}, second, 2 * second - 1, 2 * second, 2 * second + 1, 4 * second - 50, length - 1,
          length - 700, random.below(length), random.below(length), random.below(length)}) {
      CAPTURE(at);
      auto reader = open_stream({.file = dir / "a.wav", .engine_rate_hz = pair.engine, .first_frame = at});
      CHECK(reader->source().audio_.position == at);
      const std::vector<float> part = play(*reader, 3 * second, 1777);
      CHECK(part.size() == 2 * static_cast<std::size_t>(std::min(3 * second, length - at)));
      CHECK(same(part, all, at, 2));
    }
  }
}

TEST_CASE("stream: a converted sine keeps its pitch, level and place, over every chunk's seam") {
  TempDir dir;
  for (const auto& [file_rate, engine_rate] :
       {std::pair{44100, 48000}, std::pair{48000, 44100}, std::pair{96000, 48000}, std::pair{44101, 48000}}) {
    CAPTURE(file_rate);
    write_floats(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 2, file_rate,
                 sine(file_rate * 9, 2, 997.0, file_rate));
    auto reader = open_stream({.file = dir / "a.wav", .engine_rate_hz = static_cast<double>(engine_rate)});
    const std::vector<float> played = play(*reader, engine_rate * 9);
    const std::vector<float> expected = sine(engine_rate * 9, 2, 997.0, engine_rate);
    REQUIRE(played.size() == expected.size());
    double worst = 0.0;
    // But for the edges, where a sine that begins is no sine.
    for (std::size_t i = 2000; i + 2000 < played.size(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(played[i]) - static_cast<double>(expected[i])));
    CHECK(worst < 1e-5);
  }
}

TEST_CASE("stream: 1000 Hz to 384 kHz and 768 kHz to 8 kHz are converted") {
  TempDir dir;
  for (const auto& [file_rate, engine_rate] : {std::pair{1000, 384000}, std::pair{768000, 8000}}) {
    write_noise(dir / "a.wav", file_rate, file_rate * 3, 1);
    auto reader = open_stream({.file = dir / "a.wav", .engine_rate_hz = static_cast<double>(engine_rate)});
    const std::vector<float> played = play(*reader, 10'000'000, 8192);
    CHECK(played.size() == static_cast<std::size_t>(engine_rate) * 3);
  }
}

TEST_CASE("stream: a loop goes on from the start, and may be entered in any round") {
  TempDir dir;
  for (const std::int64_t frames : {std::int64_t{1}, std::int64_t{777}, std::int64_t{16'384}, std::int64_t{40'001}}) {
    CAPTURE(frames);
    write_noise(dir / "a.wav", 48000, frames);
    const std::vector<float> once = reference(dir / "a.wav");
    auto reader = open_stream({.file = dir / "a.wav", .loop = true});
    CHECK(reader->source().length == rt::kEndless);
    const std::vector<float> played = play(*reader, 200'000);
    REQUIRE(played.size() == 400'000);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < played.size(); ++i) wrong += played[i] != once[i % once.size()];
    CHECK(wrong == 0);
    CHECK_FALSE(reader->ended());
    auto later = open_stream({.file = dir / "a.wav", .first_frame = 123'456, .loop = true});
    CHECK(later->source().audio_.position == 123'456);
    CHECK(same(play(*later, 50'000), played, 123'456, 2));
  }
}

TEST_CASE("stream: a lossy loop is the same in every round") {
  TempDir dir;
  write_floats(dir / "a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 1, 48000, noise_floats(30'000, 1));
  auto reader = open_stream({.file = dir / "a.ogg", .loop = true});
  const std::vector<float> played = play(*reader, 100'000);
  for (std::size_t i = 30'000; i < played.size(); ++i) REQUIRE(played[i] == played[i - 30'000]);
}

TEST_CASE("stream: a loop of a foreign rate has no seam, and may be entered in any round") {
  TempDir dir;
  // 441 periods of 400 Hz in 44100 frames and a bit: whole periods, so that the loop is an endless sine.
  const int rate = 44100;
  write_floats(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 2, rate, sine(rate * 5 / 2, 2, 400.0, rate));
  auto reader = open_stream({.file = dir / "a.wav", .loop = true});
  const std::vector<float> played = play(*reader, 48000 * 12);
  const std::vector<float> expected = sine(48000 * 12, 2, 400.0, 48000);
  double worst = 0.0;
  for (std::size_t i = 2000; i < played.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(played[i]) - static_cast<double>(expected[i])));
  CHECK(worst < 1e-5);
  for (const std::int64_t at : {48000 * 5 / 2, 48000 * 5 / 2 - 3, 48000 * 7 + 11}) {
    auto later = open_stream({.file = dir / "a.wav", .first_frame = at, .loop = true});
    CHECK(same(play(*later, 48000 * 3), played, at, 2));
  }
}

TEST_CASE("stream: primed, ended and a full ring") {
  TempDir dir;
  write_noise(dir / "a.wav", 48000, 100'000);
  auto reader = open_stream({.file = dir / "a.wav", .ring_seconds = 0.5});
  CHECK_FALSE(reader->primed());
  CHECK(reader->fill(1) > 0);
  CHECK_FALSE(reader->primed());
  while (reader->fill(1) > 0) {
  }
  CHECK(reader->primed());
  CHECK_FALSE(reader->ended());
  rt::Source& source = reader->source();
  CHECK(source.frames.available() % 2 == 0);
  CHECK(source.frames.available() >= source.frames.capacity() / 2);
  CHECK(reader->fill(1'000'000) == 0);
  source.frames.skip(2 * 64);  // not room enough for a block: the disk is left alone
  CHECK(reader->fill(1'000'000) == 0);

  auto end = open_stream({.file = dir / "a.wav", .first_frame = 99'990});
  CHECK(end->fill(1'000'000) == 10);
  CHECK(end->ended());
  CHECK(end->primed());
  CHECK(end->fill(1'000'000) == 0);
  for (const rt::FrameCount at : {100'000, 100'001, 5'000'000}) {
    auto beyond = open_stream({.file = dir / "a.wav", .first_frame = at});
    CHECK(beyond->primed());
    CHECK(beyond->ended());
    CHECK(beyond->fill(100) == 0);
    CHECK(beyond->error().empty());
  }
  auto before = open_stream({.file = dir / "a.wav", .first_frame = -5});
  CHECK(before->source().audio_.position == 0);
}

TEST_CASE("stream: the smallest ring still gives every frame") {
  TempDir dir;
  write_ints(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 7, 44100, noise_ints(30'000, 7, 16));
  for (const double rate : {44100.0, 48000.0}) {
    auto small = open_stream({.file = dir / "a.wav", .engine_rate_hz = rate, .ring_seconds = 0.0});
    auto large = open_stream({.file = dir / "a.wav", .engine_rate_hz = rate});
    CHECK(small->source().frames.capacity() <= 4096);
    const std::vector<float> a = play(*small, 100'000, 10);
    CHECK(a.size() == static_cast<std::size_t>(small->source().length) * 7);
    CHECK(a == play(*large, 100'000));
  }
}

TEST_CASE("stream: filled to what is asked for, at any rate and width, it gives every frame and no more") {
  TempDir dir;
  for (const int channels : {1, 2, 3, 7}) {
    write_noise(dir / "a.wav", 48000, 30'000, channels);
    for (const double rate : {48000.0, 44100.0}) {
      CAPTURE(channels);
      CAPTURE(rate);
      auto expected = open_stream({.file = dir / "a.wav", .engine_rate_hz = rate});
      const std::vector<float> whole = play(*expected, 100'000);
      auto reader = open_stream({.file = dir / "a.wav", .engine_rate_hz = rate, .ring_frames = 4096});
      rt::Source& source = reader->source();
      std::vector<float> got;
      Random random(3);
      while (true) {
        const auto want = static_cast<std::size_t>(1 + random.below(4096));
        const std::size_t before = source.frames.available() / static_cast<std::size_t>(channels);
        reader->fill_to(want);
        reader->fill_to(want);  // it is there already
        const std::size_t left = (whole.size() - got.size()) / static_cast<std::size_t>(channels);
        const std::size_t held = source.frames.available() / static_cast<std::size_t>(channels);
        REQUIRE(held >= std::min(want, left));
        REQUIRE(held <= std::max(want, before));
        if (left == 0) break;
        std::vector<float> block(std::min({want, left, std::max<std::size_t>(1, held / 2)}) *
                                 static_cast<std::size_t>(channels));
        REQUIRE(source.frames.read(block) == block.size());
        got.insert(got.end(), block.begin(), block.end());
      }
      CHECK(source.frames.available() == 0);
      CHECK(reader->ended());
      CHECK(std::memcmp(got.data(), whole.data(), whole.size() * sizeof(float)) == 0);
    }
  }
  auto small = open_stream({.file = dir / "a.wav", .ring_frames = 300});
  small->fill_to(1'000'000);  // more than it can hold: full, and no more
  CHECK(small->source().frames.available() / 7 == small->source().frames.capacity() / 7);
}

TEST_CASE("stream: a damaged file is silent from the damage on, says so, and keeps its length") {
  TempDir dir;
  write_ints(dir / "a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 2, 48000, noise_ints(100'000, 2, 16));
  const std::vector<float> whole = reference(dir / "a.flac");
  fs::resize_file(dir / "a.flac", fs::file_size(dir / "a.flac") / 2);
  for (const bool loop : {false, true}) {
    CAPTURE(loop);
    auto reader = open_stream({.file = dir / "a.flac", .loop = loop});
    const std::vector<float> played = play(*reader, loop ? 250'000 : 1'000'000);
    REQUIRE(played.size() == (loop ? 500'000u : 200'000u));
    CHECK(std::memcmp(played.data(), whole.data(), 40'000 * 2 * sizeof(float)) == 0);
    for (std::size_t i = 60'000 * 2; i < played.size(); ++i) REQUIRE(played[i] == 0.0f);
    CHECK(reader->error().find("a.flac") != std::string::npos);
    CHECK(reader->error().find("of 100000") != std::string::npos);
  }
  // Started beyond the damage, and at a foreign rate.
  auto beyond = open_stream({.file = dir / "a.flac", .first_frame = 90'000});
  const std::vector<float> silence = play(*beyond, 20'000);
  CHECK(silence == std::vector<float>(20'000, 0.0f));
  CHECK_FALSE(beyond->error().empty());
  auto foreign = open_stream({.file = dir / "a.flac", .engine_rate_hz = 44100.0});
  CHECK(play(*foreign, 200'000).size() == 2u * 91'875u);
  CHECK_FALSE(foreign->error().empty());
}

TEST_CASE("stream: a file that shrinks while it plays is silence, not a crash") {
  TempDir dir;
  write_ints(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 48000, noise_ints(400'000, 2, 16));
  auto reader = open_stream({.file = dir / "a.wav", .ring_seconds = 0.1});
  CHECK(reader->fill(100) > 0);
  fs::resize_file(dir / "a.wav", 1000);
  const std::vector<float> played = play(*reader, 500'000);
  CHECK(played.size() == 800'000);
  CHECK(played.back() == 0.0f);
  CHECK_FALSE(reader->error().empty());
}

TEST_CASE("resampler: the input may come in any portions") {
  const std::vector<float> in = noise_floats(44100 * 5, 2);
  std::vector<std::vector<float>> outs;
  for (const std::size_t portion : {std::size_t{1}, std::size_t{147}, std::size_t{4096}, in.size() / 2}) {
    Resampler resampler(44100, 48000, 2);
    CHECK(resampler.start(0) == 0);
    std::vector<float> out;
    std::vector<float> block(2 * 5000);
    const auto take = [&] {
      while (const std::size_t n = resampler.read(block.data(), 5000))
        out.insert(out.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(2 * n));
    };
    for (std::size_t at = 0; at < in.size();) {
      const std::size_t n = std::min(2 * portion, in.size() - at);
      resampler.push({in.data() + at, n});
      at += n;
      take();
    }
    resampler.end();
    take();
    CHECK(out.size() == 2 * 48000 * 5);
    outs.push_back(std::move(out));
    CHECK(outs.back() == outs.front());
  }
}

TEST_CASE("stream: what is no number in a float file is silence, counted, and does not spoil a conversion") {
  TempDir dir;
  std::vector<float> sound = noise_floats(60'000, 2);
  std::vector<float> clean = sound;
  std::size_t bad = 0;
  for (std::size_t i = 1000; i < sound.size(); i += 997) {
    sound[i] = i % 2 != 0 ? std::nanf("") : i % 4 != 0 ? HUGE_VALF : -HUGE_VALF;
    clean[i] = 0.0f;
    ++bad;
  }
  for (const int format :
       {SF_FORMAT_WAV | SF_FORMAT_FLOAT, SF_FORMAT_AIFF | SF_FORMAT_FLOAT, SF_FORMAT_AU | SF_FORMAT_DOUBLE})
    for (const double engine : {48'000.0, 44'100.0})
      for (const bool loop : {false, true}) {
        write_floats(dir / "bad", format, 2, 48'000, sound);
        write_floats(dir / "clean", format, 2, 48'000, clean);
        auto spoiled = open_stream({.file = dir / "bad", .engine_rate_hz = engine, .loop = loop});
        auto whole = open_stream({.file = dir / "clean", .engine_rate_hz = engine, .loop = loop});
        const std::vector<float> played = play(*spoiled, 55'000);
        CHECK(same(played, play(*whole, 55'000), 0, 2));
        CHECK(spoiled->non_finite() >= bad * 9 / 10);
        CHECK(whole->non_finite() == 0);
        CHECK(spoiled->error().empty());
      }
  // A short loop is read once.
  write_floats(dir / "short", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1, 48'000, {0.5f, std::nanf(""), 0.25f});
  auto loop = open_stream({.file = dir / "short", .loop = true});
  const std::vector<float> played = play(*loop, 9);
  CHECK(played == std::vector<float>{0.5f, 0.0f, 0.25f, 0.5f, 0.0f, 0.25f, 0.5f, 0.0f, 0.25f});
  CHECK(loop->non_finite() == 1);
}

TEST_CASE("stream: a conversion of the largest numbers stays finite") {
  TempDir dir;
  std::vector<float> sound(20'000);
  for (std::size_t i = 0; i < sound.size(); ++i)
    sound[i] = i / 7 % 2 != 0 ? std::numeric_limits<float>::max() : -std::numeric_limits<float>::max();
  write_floats(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 1, 48'000, sound);
  auto reader = open_stream({.file = dir / "a.wav", .engine_rate_hz = 44'100});
  const std::vector<float> played = play(*reader, 15'000);
  CHECK(std::all_of(played.begin(), played.end(), [](float x) { return std::isfinite(x); }));
  CHECK(reader->non_finite() > 0);
}
