// Rendered automation against what arithmetic says, and the same samples however and from wherever they are asked for.
#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

constexpr std::int64_t kFrames = 9000;

/// What frame 1000, 4000 and 8000 of the lane say, by hand.
double fade_db(double frame) {
  if (frame < 1000.0) return -30.0;
  if (frame < 4000.0) return -30.0 + (frame - 1000.0) / 100.0;
  if (frame < 8000.0) return 0.0;
  return -12.0;
}
double pan_at(double frame) { return frame < 6000.0 ? -1.0 + frame / 3000.0 : 1.0; }
double feed_at(double frame) { return frame < 5000.0 ? 0.1 * std::pow(5.0, frame / 5000.0) : 0.5; }

const char* const kFade =
    R"("gain_db": {"points": [{"frame": 1000, "value": -30}, {"frame": 4000, "value": 0, "curve": "hold"}, {"frame": 8000, "value": -12}]})";
const char* const kPan = R"("pan": {"points": [{"frame": 0, "value": -1}, {"frame": 6000, "value": 1}]})";

std::string automated_track(const std::string& children, const std::string& lanes) {
  return R"({"id": "a", "type": "track", "params": {"gain_db": -3}, "automation": {)" + lanes + R"(}, "children": [)" +
         children + "]}";
}

}  // namespace

TEST_CASE("automation: level and pan are the lanes' at every sample") {
  Studio studio;
  studio.wav("one.wav", 1, std::vector<float>(static_cast<std::size_t>(kFrames), 0.5f));
  const std::string text =
      session_text(automated_track(player("p", "one.wav"), std::string(kFade) + ", " + kPan), edge("a", "out"));
  const std::vector<float> whole = studio.render(text, [](RenderOptions& o) { o.to = at_frame(kFrames); });
  REQUIRE(whole.size() == 2 * kFrames);
  for (std::size_t i = 0; i < static_cast<std::size_t>(kFrames); ++i) {
    const auto frame = static_cast<double>(i);
    const double level = 0.5 * std::pow(10.0, fade_db(frame) / 20.0);
    const double angle = (pan_at(frame) + 1.0) * std::numbers::pi / 4.0;
    CAPTURE(i);
    REQUIRE(whole[2 * i] == doctest::Approx(level * std::cos(angle)).epsilon(1e-5).scale(1e-2));
    REQUIRE(whole[2 * i + 1] == doctest::Approx(level * std::sin(angle)).epsilon(1e-5).scale(1e-2));
  }
  for (const std::uint32_t block : {1u, 17u, 64u, 65u, 256u, 1000u, 4096u}) {
    CAPTURE(block);
    CHECK(whole == studio.render(text, [&](RenderOptions& o) {
      o.to = at_frame(kFrames);
      o.block_frames = block;
    }));
  }
  CHECK(whole == studio.render(text, [](RenderOptions& o) {
    o.to = at_frame(kFrames);
    o.threads = 2;
  }));
  // From anywhere: right from the first sample, with the bits of the whole.
  for (const std::int64_t from : {1, 999, 1000, 1001, 2345, 4000, 7999, 8000}) {
    CAPTURE(from);
    const std::vector<float> part = studio.render(text, [&](RenderOptions& o) {
      o.from = at_frame(from);
      o.to = at_frame(kFrames);
    });
    CHECK(part == std::vector<float>(whole.begin() + 2 * from, whole.end()));
  }
}

TEST_CASE("automation: an exponential segment, and a lane that is off") {
  Studio studio;
  studio.wav("one.wav", 1, std::vector<float>(static_cast<std::size_t>(kFrames), 0.5f));
  const std::string matrix =
      R"({"id": "m", "type": "matrix", "params": {"channels": 1}, "automation": {"gain.1_1": {"points": [{"frame": 0, "value": 0.1, "curve": "exponential"}, {"frame": 5000, "value": 0.5}]}}})";
  const std::string text =
      session_text(automated_track(player("p", "one.wav") + "," + matrix,
                                   R"("pan": {"on": false, "points": [{"frame": 0, "value": 1}]})"),
                   edge("a", "out"));
  const std::vector<float> whole = studio.render(text, [](RenderOptions& o) { o.to = at_frame(kFrames); });
  const double rest = 0.5 * std::pow(10.0, -3.0 / 20.0) * std::sqrt(0.5);
  for (std::size_t i = 0; i < static_cast<std::size_t>(kFrames); ++i) {
    CAPTURE(i);
    REQUIRE(whole[2 * i] == doctest::Approx(rest * feed_at(static_cast<double>(i))).epsilon(1e-5));
    REQUIRE(whole[2 * i] == whole[2 * i + 1]);
  }
}

TEST_CASE("automation: at another rate the lane keeps its seconds") {
  Studio studio;
  studio.wav("one.wav", 1, std::vector<float>(96000, 0.5f), 96000);
  const std::string text = session_text(automated_track(player("p", "one.wav"), kFade), edge("a", "out"));
  const std::vector<float> twice = studio.render(text, [](RenderOptions& o) {
    o.sample_rate_hz = 96000.0;
    o.to = at_frame(kFrames);
  });
  REQUIRE(twice.size() == 4 * kFrames);
  for (std::size_t i = 0; i < 2 * static_cast<std::size_t>(kFrames); ++i) {
    CAPTURE(i);
    const double level = 0.5 * std::sqrt(0.5) * std::pow(10.0, fade_db(static_cast<double>(i) / 2.0) / 20.0);
    REQUIRE(twice[2 * i] == doctest::Approx(level).epsilon(1e-5));
  }
}

TEST_CASE("automation: behind a latency the lane lands on the sound's sample") {
  Studio studio;
  studio.wav("one.wav", 1, std::vector<float>(static_cast<std::size_t>(kFrames), 0.25f));
  const std::string late = R"({"id": "l", "type": "limiter", "params": {"ceiling_db": 0}})";
  const std::string text = session_text(automated_track(player("p", "one.wav") + "," + late, kFade), edge("a", "out"));
  const std::vector<float> whole = studio.render(text, [](RenderOptions& o) { o.to = at_frame(kFrames); });
  for (std::size_t i = 200; i < static_cast<std::size_t>(kFrames) - 200; ++i) {
    CAPTURE(i);
    const double level = 0.25 * std::sqrt(0.5) * std::pow(10.0, fade_db(static_cast<double>(i)) / 20.0);
    REQUIRE(whole[2 * i] == doctest::Approx(level).epsilon(1e-4));
  }
}
