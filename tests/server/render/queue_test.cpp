// Queues in a render: the same samples as the file that was cut into items, from anywhere, at any rate.
#include <cmath>

#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

std::string queue(const std::string& items) {
  return session_text(track("a", R"({"id": "p", "type": "player", "queue": [)" + items + "]}"), edge("a", "out"));
}

}  // namespace

TEST_CASE("render: a file cut into a queue is the file, at its rate and at another, and from its middle") {
  Studio studio;
  for (const int rate : {48000, 44100}) {
    studio.wav("a.wav", 2, noise_floats(60'000, 2), rate);
    const std::string whole = session_text(track("a", player("p", "a.wav")), edge("a", "out"));
    const std::string parts = queue(
        R"({"file": "a.wav", "out_frame": 11}, {"file": "a.wav", "in_frame": 11, "out_frame": 33333},
           {"file": "a.wav", "in_frame": 33333})");
    for (const std::int64_t from : {0, 10, 20'001}) {
      CAPTURE(rate);
      CAPTURE(from);
      const auto change = [&](RenderOptions& options) { options.from = at_frame(from); };
      const auto expected = studio.render(whole, change);
      CHECK(studio.render(parts, change) == expected);
    }
  }
}

TEST_CASE("render: a crossfade is the sum of two curves, also of two rates, and its length is known before") {
  Studio studio;
  studio.wav("a.wav", 2, noise_floats(20'000, 2, 1), 48000);
  studio.wav("b.wav", 2, noise_floats(30'000, 2, 2), 44100);
  const auto alone = [&](const std::string& file) {
    return studio.render(session_text(track("a", player("p", file)), edge("a", "out")));
  };
  const auto a = alone("a.wav"), b = alone("b.wav");
  std::vector<float> expected = a;
  const std::size_t overlap = 2400;
  const std::size_t join = a.size() - 2 * overlap;
  for (std::size_t i = 0; i < 2 * overlap; ++i)
    expected[join + i] = static_cast<float>(
        static_cast<double>(a[join + i]) * std::sqrt(static_cast<double>(overlap - i / 2) / double{overlap}) +
        static_cast<double>(b[i]) * std::sqrt(static_cast<double>(i / 2) / double{overlap}));
  expected.insert(expected.end(), b.begin() + 2 * overlap, b.end());
  const std::string faded = queue(
      R"({"file": "a.wav"}, {"file": "b.wav", "crossfade_ms": 50, "crossfade_curve": "equal_power"})");
  CHECK(studio.render(faded) == expected);
  for (const std::int64_t from : {17'599, 17'600, 18'001, 19'999, 20'000}) {
    CAPTURE(from);
    const auto part = studio.render(faded, [&](RenderOptions& options) { options.from = at_frame(from); });
    CHECK(part == std::vector<float>(expected.begin() + 2 * from, expected.end()));
  }
}

TEST_CASE("render: a queue that is repeated needs an end, and goes round without a gap") {
  Studio studio;
  studio.wav("a.wav", 1, noise_floats(1000, 1));
  const std::string endless = session_text(
      track("a", R"({"id": "p", "type": "player", "params": {"loop": true}, "queue": [{"file": "a.wav"}, {"file": "a.wav",
          "in_frame": 300}]})"),
      edge("a", "out"));
  const auto refused = Studio::attempt(studio.document(endless), studio.options());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "NO_END");
  const auto out = studio.render(endless, [](RenderOptions& options) { options.to = at_frame(5000); });
  REQUIRE(out.size() == 10'000);
  for (std::size_t i = 0; i < 6600; ++i) REQUIRE(out[i] == out[i + 3400]);
}

TEST_CASE("render: a loop without an end in a queue needs an end, a missing file of one is named") {
  Studio studio;
  studio.wav("a.wav", 1, noise_floats(1000, 1));
  const std::string endless = queue(R"({"file": "a.wav", "loops": 0})");
  const auto refused = Studio::attempt(studio.document(endless), studio.options());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "NO_END");
  const auto out = studio.render(endless, [](RenderOptions& options) { options.to = at_frame(2500); });
  REQUIRE(out.size() == 5000);
  for (std::size_t i = 0; i < 3000; ++i) REQUIRE(out[i] == out[i + 2000]);
  const auto missing = Studio::attempt(studio.document(queue(R"({"file": "gone.wav"})")), studio.options());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().field == "a/p.queue");
}
