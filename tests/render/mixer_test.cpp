// Rendered sessions against what arithmetic says: levels, pans, sums, places, and the same samples however they are
// asked for.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

double gain(double db) { return std::pow(10.0, db / 20.0); }

struct Pair {
  double left;
  double right;
};
Pair constant_power(double pan) {
  const double angle = (pan + 1.0) * std::numbers::pi / 4.0;
  return {std::cos(angle), std::sin(angle)};
}

/// Greatest difference from what `expected(frame, channel)` says.
template <class Expected>
double worst(const std::vector<float>& rendered, Expected expected) {
  double most = 0.0;
  for (std::size_t i = 0; i < rendered.size(); ++i) {
    most = std::max(most, std::abs(static_cast<double>(rendered[i]) - expected(i / 2, i % 2)));
  }
  return most;
}

constexpr std::int64_t kFrames = 5000;
constexpr double kExact = 2e-7;  // a few float roundings of sums below 2

/// Many tracks of many kinds, sends, a bus, generators, foreign rates, loops.
std::string orchestra(Studio& studio) {
  studio.wav("mono.wav", 1, noise_floats(30'000, 1, 1));
  studio.wav("stereo.wav", 2, noise_floats(40'000, 2, 2));
  studio.wav("foreign.wav", 2, noise_floats(30'000, 2, 3), 44100);
  studio.wav("loop.wav", 1, noise_floats(1001, 1, 4));
  std::string nodes;
  std::string edges;
  for (int i = 0; i < 21; ++i) {
    const std::string id = "t" + std::to_string(i);
    const char* file = i % 4 == 0 ? "mono.wav" : i % 4 == 1 ? "stereo.wav" : i % 4 == 2 ? "foreign.wav" : "loop.wav";
    nodes +=
        (i == 0 ? "" : ",") +
        track(id,
              player("p", file, "\"start_s\": " + std::to_string(0.01 * i) + (i % 4 == 3 ? R"(, "loop": true)" : "")) +
                  R"(,{"id": "g", "type": "gain", "params": {"gain_db": -1.5}})",
              "\"gain_db\": " + std::to_string(-20 - i) + ", \"pan\": " + std::to_string(i / 10.5 - 1.0));
    edges += (i == 0 ? "" : ",") + edge(id, i % 3 == 0 ? "mix" : "out", "\"gain_db\": -2");
  }
  nodes += R"(,{"id": "mix", "type": "bus", "params": {"gain_db": -3}})";
  nodes += "," + track("tone", R"({"id": "o", "type": "oscillator", "params": {"frequency_hz": 997, "gain_db": -30}})");
  nodes += "," + track("hiss", R"({"id": "n", "type": "noise", "params": {"gain_db": -40, "channels": 2}})");
  edges += "," + edge("mix", "out") + "," + edge("tone", "out") + "," + edge("hiss", "out") + "," +
           edge("t1:pre", "mix", "\"gain_db\": -12");
  return session_text(nodes, edges);
}

}  // namespace

TEST_CASE("mixer: gain, constant-power pan, balance, mute, sum") {
  Studio studio;
  const std::vector<float> mono = noise_floats(kFrames, 1, 1);
  const std::vector<float> stereo = noise_floats(kFrames, 2, 2);
  studio.wav("mono.wav", 1, mono);
  studio.wav("stereo.wav", 2, stereo);
  for (const double pan : {-1.0, -0.3, 0.0, 0.5, 1.0}) {
    for (const double db : {0.0, -6.0, 3.5, -150.0}) {
      CAPTURE(pan);
      CAPTURE(db);
      const std::string params = "\"gain_db\": " + std::to_string(db) + ", \"pan\": " + std::to_string(pan);
      const double level = db <= -150.0 ? 0.0 : gain(db);
      const Pair law = constant_power(pan);
      CHECK(worst(studio.render(session_text(track("m", player("p", "mono.wav"), params), edge("m", "out"))),
                  [&](std::size_t i, std::size_t c) { return mono[i] * level * (c == 0 ? law.left : law.right); }) <
            kExact);
      const Pair balance{std::min(1.0, std::numbers::sqrt2 * law.left), std::min(1.0, std::numbers::sqrt2 * law.right)};
      CHECK(worst(studio.render(session_text(track("s", player("p", "stereo.wav"), params), edge("s", "out"))),
                  [&](std::size_t i, std::size_t c) {
                    return stereo[2 * i + c] * level * (c == 0 ? balance.left : balance.right);
                  }) < kExact);
    }
  }
  // Two tracks, one of them muted, one twice over a bus and directly.
  const std::string both = session_text(track("m", player("p", "mono.wav"), "\"pan\": -1") + "," +
                                            track("s", player("p", "stereo.wav"), "\"gain_db\": -6") + "," +
                                            track("quiet", player("p", "stereo.wav"), "\"mute\": true") +
                                            R"(,{"id": "mix", "type": "bus", "params": {"gain_db": -3}})",
                                        edge("m", "mix") + "," + edge("s", "mix", "\"gain_db\": 2") + "," +
                                            edge("quiet", "mix") + "," + edge("s", "out") + "," + edge("mix", "out"));
  CHECK(worst(studio.render(both), [&](std::size_t i, std::size_t c) {
          const double s = stereo[2 * i + c] * gain(-6.0);
          return s + gain(-3.0) * ((c == 0 ? static_cast<double>(mono[i]) : 0.0) + s * gain(2.0));
        }) < kExact);
}

TEST_CASE("mixer: a player sounds at its place, to the frame") {
  Studio studio;
  const std::vector<float> sound = noise_floats(1000, 2);
  studio.wav("a.wav", 2, sound);
  for (const int start : {1, 63, 64, 65, 1000, 4801}) {
    CAPTURE(start);
    const std::vector<float> out = studio.render(session_text(
        track("a", player("p", "a.wav", "\"start_s\": " + std::to_string(start / 48000.0 + 1e-9))), edge("a", "out")));
    REQUIRE(out.size() == 2u * static_cast<std::size_t>(start + 1000));
    CHECK(std::all_of(out.begin(), out.begin() + 2 * start, [](float s) { return s == 0.0f; }));
    CHECK(std::equal(sound.begin(), sound.end(), out.begin() + 2 * start));
  }
}

TEST_CASE("mixer: a foreign file keeps pitch and place") {
  Studio studio;
  studio.wav("a.wav", 2, sine(44100 * 3, 2, 440.0, 44100.0), 44100);
  const std::vector<float> out = studio.render(session_text(track("a", player("p", "a.wav")), edge("a", "out")));
  const std::vector<float> expected = sine(48000 * 3, 2, 440.0, 48000.0);
  REQUIRE(out.size() == expected.size());
  double most = 0.0;
  for (std::size_t i = 2000; i + 2000 < out.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(out[i]) - static_cast<double>(expected[i])));
  CHECK(most < 1e-5);
}

TEST_CASE("mixer: the same samples whatever the block") {
  Studio studio;
  const std::string text = orchestra(studio);
  const auto render = [&](std::uint32_t block, std::int64_t to) {
    return studio.render(text, [&](RenderOptions& o) {
      o.block_frames = block;
      o.to = at_frame(to);
    });
  };
  const std::vector<float> expected = render(1024, 50'000);
  float peak = 0.0f;
  for (const float s : expected) peak = std::max(peak, std::abs(s));
  CHECK(peak > 0.01f);
  for (const std::uint32_t block : {17u, 63u, 64u, 65u, 512u, 1000u, 65536u}) {
    CAPTURE(block);
    CHECK(render(block, 50'000) == expected);
  }
  const std::vector<float> one = render(1, 3000);
  CHECK(std::equal(one.begin(), one.end(), expected.begin()));
  CHECK(render(1024, 50'000) == expected);  // and again
}

TEST_CASE("mixer: a render from the middle is the middle of the render") {
  Studio studio;
  const std::string text = orchestra(studio);
  const std::vector<float> whole = studio.render(text, [&](RenderOptions& o) { o.to = at_frame(50'000); });
  for (const std::int64_t from : {1, 64, 480, 1000, 12'345, 30'000, 49'999}) {
    CAPTURE(from);
    const std::vector<float> part = studio.render(text, [&](RenderOptions& o) {
      o.from = at_frame(from);
      o.to = at_frame(50'000);
    });
    REQUIRE(part.size() == whole.size() - 2 * static_cast<std::size_t>(from));
    CHECK(std::equal(part.begin(), part.end(), whole.begin() + 2 * from));
  }
}
