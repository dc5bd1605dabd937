// Takes: exact samples, exact length, gaps, limits, names.
#include <doctest/doctest.h>

#include <cstring>

#include "server/media/probe.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

TEST_CASE("take: what went in is in the file, in each format and width") {
  TempDir dir;
  for (const SampleFormat format : {SampleFormat::pcm16, SampleFormat::pcm24, SampleFormat::float32}) {
    for (const std::uint32_t channels : {1u, 2u, 3u, 8u, 64u}) {
      CAPTURE(channels);
      const int bits = format == SampleFormat::pcm16 ? 16 : 24;
      std::vector<float> samples;
      for (const int s : noise_ints(5001, static_cast<int>(channels), bits))
        samples.push_back(static_cast<float>(s * 0x1p-31));
      const fs::path file =
          dir / ("take" + std::to_string(bytes_per_sample(format)) + "-" + std::to_string(channels) + ".wav");
      auto take = open_take({.file = file, .channels = channels, .sample_rate_hz = 44100.0, .format = format});
      CHECK(fs::exists(file.string() + ".part"));
      CHECK_FALSE(fs::exists(file));
      for (std::size_t at = 0; at < 5001; at += 1667) {
        push(take->sink(), samples, at, 1667);
        CHECK_FALSE(take->drain());
      }
      finish(take->sink());
      const TakeResult result = close_take(*take);
      CHECK(result.error.empty());
      CHECK(result.file == file);
      CHECK(result.frames == 5001);
      CHECK(result.lost_frames == 0);
      CHECK_FALSE(fs::exists(file.string() + ".part"));
      const auto info = probe(file);
      REQUIRE(info);
      CHECK(info->channels == channels);
      CHECK(info->sample_rate_hz == 44100);
      CHECK(info->frames == 5001);
      CHECK(read_all(file) == samples);
      float peak = 0.0f;
      for (const float s : samples) peak = std::max(peak, std::abs(s));
      CHECK(result.peak == peak);
    }
  }
}

TEST_CASE("take: equal takes are equal files") {
  TempDir dir;
  const std::vector<float> samples = noise_floats(1000, 2);
  std::vector<std::uintmax_t> sizes;
  for (const char* name : {"a.wav", "b.wav"}) {
    auto take = open_take({.file = dir / name});
    push(take->sink(), samples, 0, 1000);
    finish(take->sink());
    CHECK(close_take(*take).error.empty());
  }
  const auto slurp = [](const fs::path& file) {
    std::vector<char> bytes(fs::file_size(file));
    FILE* in = std::fopen(file.c_str(), "rb");
    CHECK(std::fread(bytes.data(), 1, bytes.size(), in) == bytes.size());
    std::fclose(in);
    return bytes;
  };
  CHECK(slurp(dir / "a.wav") == slurp(dir / "b.wav"));
}

TEST_CASE("take: the ring filled to the brim and wrapped many times") {
  TempDir dir;
  auto take = open_take({.file = dir / "a.wav", .channels = 3, .ring_seconds = 0.0});
  const std::size_t frames = take->sink().frames.capacity() / 3;
  const std::vector<float> samples = noise_floats(static_cast<std::int64_t>(frames), 3);
  for (int i = 0; i < 50; ++i) {
    push(take->sink(), samples, 0, frames);
    CHECK(take->sink().frames.space() < 3);
    CHECK_FALSE(take->drain());
  }
  finish(take->sink());
  CHECK(close_take(*take).frames == static_cast<std::int64_t>(50 * frames));
  const std::vector<float> read = read_all(dir / "a.wav");
  for (std::size_t i = 0; i < read.size(); ++i) REQUIRE(read[i] == samples[i % samples.size()]);
}

TEST_CASE("take: a gap is silence of exact length in its place, counted and marked") {
  TempDir dir;
  auto take = open_take({.file = dir / "a.wav", .channels = 2, .ring_seconds = 0.1});
  const std::vector<float> samples = noise_floats(1000, 2);
  rt::Sink& sink = take->sink();
  lose(sink, 5);  // before the first frame
  push(sink, samples, 0, 100);
  lose(sink, 17);
  lose(sink, 3);  // two at one place
  push(sink, samples, 100, 200);
  CHECK_FALSE(take->drain());
  push(sink, samples, 300, 1);
  lose(sink, 400'000);  // more than one round writes
  push(sink, samples, 301, 99);
  lose(sink, 11, false);  // at the end: nothing follows that would bring it along
  finish(sink);
  const TakeResult result = close_take(*take);
  CHECK(result.error.empty());
  CHECK(result.lost_frames == 5 + 17 + 3 + 400'000 + 11);
  CHECK(result.frames == sink.audio_.taken);
  const std::vector<float> read = read_all(dir / "a.wav");
  REQUIRE(static_cast<std::int64_t>(read.size()) == 2 * result.frames);
  std::vector<float> expected(5 * 2, 0.0f);
  const auto add = [&](std::size_t from, std::size_t to) {
    expected.insert(expected.end(), samples.begin() + 2 * static_cast<std::ptrdiff_t>(from),
                    samples.begin() + 2 * static_cast<std::ptrdiff_t>(to));
  };
  const auto silence = [&](std::size_t frames) { expected.insert(expected.end(), 2 * frames, 0.0f); };
  add(0, 100);
  silence(20);
  add(100, 301);
  silence(400'000);
  add(301, 400);
  silence(11);
  CHECK(read == expected);

  SF_INFO info{};
  SNDFILE* file = sf_open((dir / "a.wav").c_str(), SFM_READ, &info);
  SF_CUES cues{};
  REQUIRE(sf_command(file, SFC_GET_CUE, &cues, sizeof cues) == SF_TRUE);
  sf_close(file);
  REQUIRE(cues.cue_count == 5);
  const std::int64_t at[] = {0, 105, 122, 326, 400'425};
  for (int i = 0; i < 5; ++i) CHECK(cues.cue_points[i].sample_offset == at[i]);
}

TEST_CASE("take: abandoned, it closes with what the ring holds and what was lost") {
  TempDir dir;
  auto take = open_take({.file = dir / "a.wav", .channels = 1});
  const std::vector<float> samples = noise_floats(500, 1);
  push(take->sink(), samples, 0, 500);
  lose(take->sink(), 40, false);
  CHECK_FALSE(take->drain());
  take->abandon();
  CHECK(close_take(*take).frames == 540);
  CHECK(read_all(dir / "a.wav").size() == 540);
  auto unused = open_take({.file = dir / "b.wav"});
  unused->abandon();
  CHECK(close_take(*unused).frames == 0);
  CHECK(fs::exists(dir / "b.wav"));
}

TEST_CASE("take: the limit goes to the audio thread as it is") {
  TempDir dir;
  auto take = open_take({.file = dir / "a.wav", .limit = 12'345});
  CHECK(take->sink().limit == 12'345);
  CHECK(take->sink().channels == 2);
  CHECK(take->sink().gaps.capacity() >= 1024);
  CHECK(take->sink().frames.capacity() >= 2 * 4 * 48000);
}

TEST_CASE("take: never over another file") {
  TempDir dir;
  write_ints(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 48000, noise_ints(10, 1, 16));
  auto refused = TakeWriter::open({.file = dir / "a.wav"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::already_exists);
  CHECK_FALSE(fs::exists(dir / "a.wav.part"));
  CHECK(probe(dir / "a.wav")->frames == 10);

  auto first = open_take({.file = dir / "b.wav"});
  refused = TakeWriter::open({.file = dir / "b.wav"});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "PART_EXISTS");

  // Somebody makes the name while the take runs: both are kept.
  write_ints(dir / "b.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 48000, noise_ints(10, 1, 16));
  push(first->sink(), noise_floats(100, 2), 0, 100);
  finish(first->sink());
  const TakeResult result = close_take(*first);
  CHECK(result.file == dir / "b-2.wav");
  CHECK(result.error.find("b-2.wav") != std::string::npos);
  CHECK(probe(dir / "b-2.wav")->frames == 100);
  CHECK(probe(dir / "b.wav")->frames == 10);

  fs::create_directory(dir / "folder");
  CHECK_FALSE(TakeWriter::open({.file = dir / "folder"}));
  CHECK_FALSE(TakeWriter::open({.file = dir / "none" / "a.wav"}));
  CHECK_FALSE(TakeWriter::open({.file = dir / "c.wav", .channels = 129}));
  CHECK_FALSE(TakeWriter::open({.file = dir / "c.wav", .channels = 0}));
}

TEST_CASE("take: discarded, nothing is left") {
  TempDir dir;
  auto take = open_take({.file = dir / "a.wav"});
  push(take->sink(), noise_floats(100, 2), 0, 100);
  CHECK_FALSE(take->drain());
  take->discard();
  take.reset();
  CHECK(fs::is_empty(dir.path()));
}

TEST_CASE("take: dither follows the timeline frame where it began, floats and gaps have none") {
  TempDir dir;
  const std::vector<float> quiet(2 * 3000, 1e-6f);
  for (const SampleFormat format : {SampleFormat::pcm16, SampleFormat::pcm24, SampleFormat::float32}) {
    auto take = open_take({.file = dir / "a.wav", .format = format, .dither = Dither::tpdf});
    take->sink().start_timeline_frame.store(4711);
    push(take->sink(), quiet, 0, 1000);
    CHECK_FALSE(take->drain());
    push(take->sink(), quiet, 1000, 500);
    lose(take->sink(), 100);
    push(take->sink(), quiet, 1500, 1500);
    finish(take->sink());
    CHECK(close_take(*take).frames == 3100);
    std::vector<std::byte> expected;
    encode_dithered(format, 2, 4711, std::span(quiet).first(2 * 1500), expected);
    encode_samples(format, std::vector<float>(2 * 100), expected);
    encode_dithered(format, 2, 4711 + 1600, std::span(quiet).first(2 * 1500), expected);
    std::vector<std::byte> got;
    encode_samples(format, read_all(dir / "a.wav"), got);
    CHECK(got == expected);
    fs::remove(dir / "a.wav");
  }
}

TEST_CASE("take: one file a channel holds, channel by channel, what the polyphonic file holds, gaps and marks too") {
  TempDir dir;
  for (const Dither dither : {Dither::none, Dither::tpdf}) {
    for (const std::uint32_t channels : {1u, 3u, 12u, 128u}) {
      CAPTURE(channels);
      const std::vector<float> samples = noise_floats(700, static_cast<int>(channels));
      std::vector<TakeResult> results;
      for (const bool split : {false, true}) {
        auto take = open_take({.file = dir / "a.wav",
                               .channels = channels,
                               .format = SampleFormat::pcm24,
                               .dither = dither,
                               .split = split});
        push(take->sink(), samples, 0, 500);
        lose(take->sink(), 33);
        push(take->sink(), samples, 500, 200);
        finish(take->sink());
        results.push_back(close_take(*take));
        CHECK(results.back().error.empty());
        CHECK(results.back().frames == 733);
      }
      REQUIRE(results[0].files.size() == 1);
      REQUIRE(results[1].files.size() == channels);
      CHECK(results[1].files[0].filename() == (channels > 99 ? "a-ch001.wav" : "a-ch01.wav"));
      CHECK(results[1].file == results[1].files[0]);
      if (channels <= 64) {
        const std::vector<float> whole = read_all(results[0].file);
        for (std::uint32_t c = 0; c < channels; ++c) {
          const std::vector<float> one = read_all(results[1].files[c]);
          REQUIRE(one.size() == 733);
          for (std::size_t i = 0; i < one.size(); ++i) REQUIRE(one[i] == whole[i * channels + c]);
        }
      }
      for (const TakeResult& result : results) {
        for (const fs::path& file : result.files) fs::remove(file);
      }
    }
  }
}

TEST_CASE("take: one file a channel, one of them taken: none is left behind") {
  TempDir dir;
  save({}, dir / "a-ch03.wav");
  const auto refused = TakeWriter::open({.file = dir / "a.wav", .channels = 4, .split = true});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::already_exists);
  CHECK_FALSE(fs::exists(dir / "a-ch01.wav.part"));
  CHECK_FALSE(fs::exists(dir / "a-ch02.wav.part"));
}
