// Tails, threads, containers, digests, verification.
#include "server/render/output.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <cmath>
#include <set>

#include "server/media/probe.hpp"
#include "server/media/sample_writer.hpp"
#include "server/render/digest.hpp"
#include "server/render/verify.hpp"
#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

const std::string kSimple = session_text(track("a", player("p", "a.wav")), edge("a", "out"));

std::vector<float> slice(const std::vector<float>& all, std::size_t from, std::size_t to, std::size_t channels = 2) {
  return {all.begin() + static_cast<std::ptrdiff_t>(from * channels),
          all.begin() + static_cast<std::ptrdiff_t>(to * channels)};
}

std::string sha256(media::SampleFormat format, const std::vector<float>& samples) {
  std::vector<std::byte> bytes;
  media::encode_samples(format, samples, bytes);
  Sha256 sha;
  sha.add(bytes);
  return sha.hex();
}

}  // namespace

TEST_CASE("render: a tail is so much longer, and the timeline rolls on in it") {
  Studio studio;
  const std::vector<float> sound = noise_floats(3000, 2);
  studio.wav("a.wav", 2, sound);
  std::vector<float> out = studio.render(kSimple, [](RenderOptions& o) { o.tail = at_frame(777); });
  CHECK(out.size() == 2 * 3777);
  CHECK(slice(out, 0, 3000) == sound);
  CHECK(slice(out, 3000, 3777) == std::vector<float>(2 * 777));
  out = studio.render(kSimple, [](RenderOptions& o) {
    o.to = at_frame(1000);
    o.tail = at_frame(500);
  });
  CHECK(out == slice(sound, 0, 1500));
}

TEST_CASE("render: an automatic tail ends with the sound, the render never before its end") {
  Studio studio;
  std::vector<float> sound(2 * 200'000);
  for (std::size_t i = 0; i < 2 * 90'000; ++i) sound[i] = 0.25f;
  sound[2 * 120'000] = 2e-5f;
  sound[2 * 180'000] = 0.5f;  // more than a second after
  studio.wav("a.wav", 2, sound);
  const session::Document document = studio.document(kSimple);
  for (const std::uint32_t block : {64u, 1000u, 65536u}) {
    RenderOptions options = studio.options();
    options.to = at_frame(50'000);
    options.tail_auto = true;
    options.block_frames = block;
    const auto result = Studio::attempt(document, options);
    REQUIRE(result);
    CHECK(result->frames == 120'001);
    CHECK(result->tail_frames == 70'001);
    CHECK_FALSE(result->tail_cut);
    CHECK(result->warnings.empty());
    CHECK(studio.take(options.output) == slice(sound, 0, 120'001));
    options.to = at_frame(121'000);
    REQUIRE(Studio::attempt(document, options));
    CHECK(studio.take(options.output) == slice(sound, 0, 121'000));
    options.to = at_frame(121'000);
    options.from = at_frame(100'000);
    options.overwrite = true;
    REQUIRE(Studio::attempt(document, options));
    CHECK(studio.take(options.output) == slice(sound, 100'000, 121'000));
  }
  // It never ends by itself.
  RenderOptions options = studio.options();
  options.to = at_frame(8000);
  options.tail_auto = true;
  options.sample_rate_hz = 8000.0;
  const auto endless = Studio::attempt(
      studio.document(session_text(track("a", R"({"id": "osc", "type": "oscillator"})"), edge("a", "out"), 8000)),
      options);
  REQUIRE(endless);
  CHECK(endless->tail_cut);
  REQUIRE(endless->warnings.size() == 1);
  CHECK(endless->warnings[0] == "the tail had not faded away after 60 s and was cut");
  CHECK(endless->frames == 8000 + 60 * 8000);
}

TEST_CASE("render: neither threads nor blocks change a sample, and verify says so") {
  Studio studio;
  std::string nodes;
  std::string edges;
  for (int k = 0; k < 9; ++k) {
    const std::string id = "t" + std::to_string(k);
    const int rate = k % 3 == 0 ? 44100 : 48000;
    studio.wav(id + ".wav", 1 + k % 3, noise_floats(70'000 + k, 1 + k % 3, static_cast<std::uint32_t>(k)), rate);
    nodes +=
        (k == 0 ? "" : ",") + track(id, player("p", id + ".wav", k == 4 ? R"("loop": true)" : ""), "\"gain_db\": -20");
    edges += (k == 0 ? "" : ",") + edge(id, "out");
  }
  const session::Document document = studio.document(session_text(nodes, edges));
  std::set<std::string> digests;
  std::set<std::vector<std::uint64_t>> sums;
  for (const std::uint32_t threads : {1u, 2u, 5u, 64u}) {
    for (const std::uint32_t block : {17u, 64u, 4096u, 10'000u}) {
      RenderOptions options = studio.options();
      options.nowhere = true;
      options.threads = threads;
      options.block_frames = block;
      options.digest = true;
      options.checksums = true;
      options.from = at_frame(1234);
      options.dither = media::Dither::tpdf;
      options.format = media::SampleFormat::pcm24;
      const auto result = Studio::attempt(document, options);
      REQUIRE(result);
      digests.insert(result->sha256);
      sums.insert(result->checksums);
      if (block == 64) CHECK(verify_render(document, options, *result));
    }
  }
  CHECK(digests.size() == 1);
  CHECK(sums.size() == 1);
  for (const std::uint32_t threads : {0u, 65u}) {
    RenderOptions options = studio.options();
    options.threads = threads;
    CHECK(Studio::attempt(document, options).error().field == "threads");
  }
  CHECK(studio.tidy());
}

TEST_CASE("render: verify names where it differs") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(200'000, 2));
  const session::Document document = studio.document(kSimple);
  RenderOptions options = studio.options();
  options.nowhere = true;
  options.checksums = true;
  auto result = Studio::attempt(document, options);
  REQUIRE(result);
  CHECK(verify_render(document, options, *result));
  RenderResult wrong = *result;
  wrong.checksums[2] ^= 1;
  const auto differs = verify_render(document, options, wrong);
  REQUIRE_FALSE(differs);
  CHECK(differs.error().kind == ErrorKind::internal);
  CHECK(differs.error().message.find("frames 131072 to 196607") != std::string::npos);
  wrong = *result;
  wrong.checksums[3] ^= 1;
  CHECK(verify_render(document, options, wrong).error().message.find("196608 to 199999") != std::string::npos);
  wrong = *result;
  --wrong.frames;
  CHECK_FALSE(verify_render(document, options, wrong));
}

TEST_CASE("render: the same samples and digest in every container and through a pipe") {
  Studio studio;
  const std::vector<float> sound = noise_floats(30'000, 2);
  studio.wav("a.wav", 2, sound);
  const session::Document document = studio.document(kSimple);
  for (const media::SampleFormat format :
       {media::SampleFormat::pcm16, media::SampleFormat::pcm24, media::SampleFormat::float32}) {
    for (const char* name : {"out.wav", "out.w64", "out.aiff", "out.flac"}) {
      CAPTURE(name);
      RenderOptions options = studio.options();
      options.output = studio.dir / name;
      options.format = format;
      options.digest = true;
      const auto result = Studio::attempt(document, options);
      if (format == media::SampleFormat::float32 && std::string(name) == "out.flac") {
        REQUIRE_FALSE(result);
        CHECK(result.error().reason == "BAD_FORMAT");
        continue;
      }
      REQUIRE(result);
      CHECK(result->sha256 == sha256(format, sound));
      CHECK(sha256(format, studio.take(options.output)) == result->sha256);
    }
    RenderOptions options = studio.options();
    options.format = format;
    options.digest = true;
    std::FILE* pipe = std::fopen((studio.dir / "piped.wav").c_str(), "wb");
    options.pipe = ::fileno(pipe);
    const auto result = Studio::attempt(document, options);
    std::fclose(pipe);
    REQUIRE(result);
    CHECK(result->file == "-");
    CHECK(result->sha256 == sha256(format, sound));
    CHECK(sha256(format, studio.take(studio.dir / "piped.wav")) == result->sha256);
  }
  RenderOptions options = studio.options();
  options.output = studio.dir / "out.mp3";
  CHECK(Studio::attempt(document, options).error().reason == "BAD_FORMAT");
  CHECK(studio.tidy());
}

TEST_CASE("render: dither belongs to the timeline, a part is a part of the whole") {
  Studio studio;
  std::vector<float> quiet(2 * 9000, 0.3f * 0x1p-15f);
  studio.wav("a.wav", 2, quiet);
  const auto dithered = [&](std::int64_t from, std::int64_t to) {
    return studio.render(kSimple, [&](RenderOptions& o) {
      o.format = media::SampleFormat::pcm16;
      o.dither = media::Dither::tpdf;
      o.from = at_frame(from);
      o.to = at_frame(to);
    });
  };
  const std::vector<float> whole = dithered(0, 9000);
  CHECK(dithered(4321, 7000) == slice(whole, 4321, 7000));
  double mean = 0.0;
  for (const float sample : whole) mean += static_cast<double>(sample) * 0x1p15 / static_cast<double>(whole.size());
  CHECK(mean == doctest::Approx(0.3).epsilon(0.1));  // it would be 0 without
}

TEST_CASE("render: nothing has a name before it is published, and progress comes to its end") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(50'000, 2));
  RenderOptions options = studio.options();
  std::int64_t last = 0;
  int calls = 0;
  options.progress = [&](std::int64_t done, std::int64_t frames, double rate_hz) {
    CHECK(done > last);
    CHECK(frames == 50'000);
    CHECK(rate_hz == 48000.0);
    last = done;
    ++calls;
  };
  {
    auto renderer = OfflineRenderer::prepare(studio.document(kSimple), options);
    REQUIRE(renderer);
    REQUIRE((*renderer)->render());
    CHECK_FALSE(fs::exists(options.output));
    CHECK(last == 50'000);
    CHECK(calls > 3);
    REQUIRE((*renderer)->publish());
    CHECK(media::probe(options.output)->frames == 50'000);
  }
  fs::remove(options.output);
  {
    auto renderer = OfflineRenderer::prepare(studio.document(kSimple), options);
    REQUIRE(renderer);
    last = 0;
    REQUIRE((*renderer)->render());
  }
  CHECK(studio.tidy());
}

TEST_CASE("output: the latency is left out, whatever the portions, and the rest is exact") {
  const std::vector<float> sound = noise_floats(1000, 2);
  for (const std::int64_t skip : {0, 1, 100, 333}) {
    for (const std::size_t portion : {1u, 64u, 250u}) {
      OutputRequest request;
      request.format = {2, 48000, media::SampleFormat::float32};
      request.skip = skip;
      request.frames = 1000 - skip;
      request.ring_frames = 256;
      request.digest = true;
      Output output(request, nullptr);
      for (std::size_t at = 0; at < 1000; at += portion) {
        CHECK_FALSE(output.complete());
        const auto part = std::span(sound).subspan(2 * at, 2 * std::min<std::size_t>(portion, 1000 - at));
        REQUIRE(output.sink().frames.write(part) == part.size());
        REQUIRE(output.drain());
      }
      CHECK(output.complete());
      CHECK(output.frames() == 1000 - skip);
      CHECK(output.sha256() ==
            sha256(media::SampleFormat::float32, slice(sound, static_cast<std::size_t>(skip), 1000)));
    }
  }
}
