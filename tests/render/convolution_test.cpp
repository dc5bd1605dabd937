// Rendered convolutions against the sum that defines them, in double.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

constexpr std::size_t kFrames = 6000;
constexpr std::size_t kTaps = 3000;

/// Noise that dies away, as loud in all as one full-scale sample.
std::vector<float> room(std::size_t frames, int channels, std::uint32_t seed) {
  std::vector<float> samples = noise_floats(static_cast<std::int64_t>(frames), channels, seed);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double at = static_cast<double>(i / static_cast<std::size_t>(channels)) / static_cast<double>(frames);
    samples[i] = static_cast<float>(samples[i] * std::exp(-5.0 * at) * 0.05);
  }
  return samples;
}

std::vector<double> channel(const std::vector<float>& interleaved, std::size_t channels, std::size_t c) {
  std::vector<double> out;
  for (std::size_t i = c; i < interleaved.size(); i += channels) out.push_back(static_cast<double>(interleaved[i]));
  return out;
}

std::vector<double> convolved(const std::vector<double>& sound, const std::vector<double>& impulse,
                              std::size_t frames) {
  std::vector<double> out(frames);
  for (std::size_t i = 0; i < frames; ++i) {
    const std::size_t from = i >= sound.size() ? i - sound.size() + 1 : 0;
    for (std::size_t k = from; k < impulse.size() && k <= i; ++k) out[i] += impulse[k] * sound[i - k];
  }
  return out;
}

/// Largest difference in dB of full scale.
double null_db(const std::vector<float>& rendered, std::size_t channels, std::size_t c,
               const std::vector<double>& expected) {
  const std::vector<double> got = channel(rendered, channels, c);
  REQUIRE(got.size() == expected.size());
  double worst = 1e-12;
  for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::abs(got[i] - expected[i]));
  return 20.0 * std::log10(worst);
}

std::string convolution(const std::string& more) {
  return R"({"id": "c", "type": "convolution", "params": {"file": "room.wav")" + std::string(more.empty() ? "" : ", ") +
         more + "}}";
}
std::string chain(const std::string& more, const std::string& strip = "") {
  return session_text(track("a", player("p", "a.wav") + "," + convolution(more), strip), edge("a", "out"));
}
const auto kWithTail = [](RenderOptions& o) { o.to = at_frame(static_cast<std::int64_t>(kFrames + kTaps)); };

}  // namespace

TEST_CASE("convolution: stereo nulls below -120 dB, at its place, whatever the latency") {
  Studio studio;
  const std::vector<float> sound = noise_floats(kFrames, 2, 1);
  const std::vector<float> impulse = room(kTaps, 2, 2);
  studio.wav("a.wav", 2, sound);
  studio.wav("room.wav", 2, impulse);
  std::vector<double> expected[2];
  for (std::size_t c = 0; c < 2; ++c)
    expected[c] = convolved(channel(sound, 2, c), channel(impulse, 2, c), kFrames + kTaps);
  for (const char* latency : {"0", "64", "512", "8192", "16384"}) {
    CAPTURE(latency);
    const std::vector<float> out =
        studio.render(chain(R"("latency_frames": ")" + std::string(latency) + "\""), kWithTail);
    for (std::size_t c = 0; c < 2; ++c) CHECK(null_db(out, 2, c, expected[c]) < -120.0);
  }
}

TEST_CASE("convolution: no sample depends on block or threads") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(kFrames, 2, 1));
  studio.wav("room.wav", 2, room(kTaps, 2, 2));
  for (const char* latency : {"0", "1024"}) {
    const std::string text = chain(R"("dry_db": -6, "latency_frames": ")" + std::string(latency) + "\"");
    const std::vector<float> reference = studio.render(text, kWithTail);
    for (const std::uint32_t block : {1u, 17u, 64u, 1000u}) {
      CAPTURE(block);
      CHECK(studio.render(text, [&](RenderOptions& o) {
        kWithTail(o);
        o.block_frames = block;
        o.threads = 2;
      }) == reference);
    }
  }
}

TEST_CASE("convolution: one for all, one to many, true stereo, too few channels") {
  Studio studio;
  const std::size_t frames = kFrames + kTaps;
  for (const auto& [ins, channels] : {std::pair(1, 1), {2, 1}, {1, 2}, {2, 4}, {2, 3}, {3, 2}, {10, 1}}) {
    CAPTURE(ins);
    CAPTURE(channels);
    const std::vector<float> sound = noise_floats(kFrames, ins, 3);
    const std::vector<float> impulse = room(kTaps, channels, 4);
    studio.wav("a.wav", ins, sound);
    studio.wav("room.wav", channels, impulse);
    // Without a strip's pan: to the device as they are.
    const std::string nodes = player("p", "a.wav") + "," + convolution("");
    const std::vector<float> out =
        studio.render(session_text(nodes, edge("p", "c") + "," + edge("c", "out")), kWithTail);
    const auto outs = static_cast<std::size_t>(ins == 1 ? channels : ins);
    const std::size_t width = std::max<std::size_t>(outs, 2);
    const auto heard = [&](std::size_t in, std::size_t k) {
      return convolved(channel(sound, static_cast<std::size_t>(ins), in),
                       channel(impulse, static_cast<std::size_t>(channels), k), frames);
    };
    for (std::size_t c = 0; c < outs; ++c) {
      CAPTURE(c);
      std::vector<double> expected;
      if (ins == 2 && channels == 4) {
        expected = heard(0, c);
        const std::vector<double> right = heard(1, 2 + c);
        for (std::size_t i = 0; i < frames; ++i) expected[i] += right[i];
      } else {
        expected = heard(ins == 1 ? 0 : c, ins == 1 || channels >= ins ? c : 0);
      }
      CHECK(null_db(out, width, c, expected) < -120.0);
    }
  }
}

TEST_CASE("convolution: the dry sound and the bypassed are as late as the wet, which is compensated") {
  Studio studio;
  const std::vector<float> sound = noise_floats(kFrames, 2, 1);
  const std::vector<float> impulse = room(kTaps, 2, 2);
  studio.wav("a.wav", 2, sound);
  studio.wav("room.wav", 2, impulse);
  for (const char* latency : {"0", "64", "4096"}) {
    CAPTURE(latency);
    const std::string late = R"(, "latency_frames": ")" + std::string(latency) + "\"";
    const auto to_end = [](RenderOptions& o) { o.to = at_frame(kFrames); };
    CHECK(studio.render(chain(R"("bypass": true)" + late), to_end) == sound);
    CHECK(studio.render(chain(R"("wet_db": -150, "dry_db": 0)" + late), to_end) == sound);
    const std::vector<float> both = studio.render(chain(R"("wet_db": -3, "dry_db": -6)" + late), to_end);
    for (std::size_t c = 0; c < 2; ++c) {
      std::vector<double> expected = convolved(channel(sound, 2, c), channel(impulse, 2, c), kFrames);
      const std::vector<double> dry = channel(sound, 2, c);
      for (std::size_t i = 0; i < kFrames; ++i)
        expected[i] = expected[i] * std::pow(10.0, -3.0 / 20.0) + dry[i] * std::pow(10.0, -6.0 / 20.0);
      CHECK(null_db(both, 2, c, expected) < -120.0);
    }
  }
}

TEST_CASE("convolution: an impulse response of another rate is as loud and as long") {
  Studio studio;
  studio.wav("a.wav", 2, sine(48000, 2, 440.0, 48000.0));
  std::vector<float> impulse(2 * 9600, 0.0f);  // one sample, 50 ms late, at 96 kHz: the sum of its taps is 0.5
  impulse[2 * 4800] = impulse[2 * 4800 + 1] = 0.5f;
  studio.wav("room.wav", 2, impulse, 96000);
  const std::vector<float> sound = sine(48000, 2, 440.0, 48000.0);
  const std::vector<float> out = studio.render(chain(""));
  double worst = 0.0;
  for (std::size_t i = 2 * 10000; i < 2 * 40000; ++i)
    worst = std::max(worst, std::abs(static_cast<double>(out[i]) - 0.5 * static_cast<double>(sound[i - 2 * 2400])));
  CHECK(worst < 1e-4);
}

TEST_CASE("convolution: what cannot be an impulse response is refused by name, and no file is silence") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(kFrames, 2, 1));
  const auto refusal = [&] {
    const auto result = Studio::attempt(studio.document(chain("")), studio.options());
    REQUIRE_FALSE(result);
    CHECK(result.error().message.find("room.wav") != std::string::npos);
    return result.error();
  };
  CHECK(refusal().kind == ErrorKind::not_found);
  studio.wav("room.wav", 1, std::vector<float>(8000 * 10 + 1, 0.1f), 8000);
  CHECK(refusal().reason == "TOO_LONG");
  CHECK(refusal().field == "a/c.file");
  studio.wav("room.wav", 9, std::vector<float>(9 * 100, 0.1f));
  CHECK(refusal().reason == "TOO_MANY_CHANNELS");
  std::vector<float> broken(100, 0.1f);
  broken[50] = std::numeric_limits<float>::quiet_NaN();
  studio.wav("room.wav", 1, broken);
  CHECK(refusal().reason == "NOT_FINITE");
  CHECK(studio.tidy());

  const std::vector<float> out = studio.render(
      session_text(track("a", player("p", "a.wav") + R"(,{"id": "c", "type": "convolution"})"), edge("a", "out")));
  CHECK(std::all_of(out.begin(), out.end(), [](float s) { return s == 0.0f; }));
}
