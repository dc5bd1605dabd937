#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

TEST_CASE("a node that goes wrong is muted and named, with the same samples for any blocks and threads") {
  const Studio studio;
  constexpr int kFrames = 48'000 * 3;
  constexpr int kTracks = 20;
  std::string nodes, edges;
  for (int k = 0; k < kTracks; ++k) {
    const std::string id = "t" + std::to_string(k);
    std::vector<float> sound = noise_floats(kFrames, 1, static_cast<std::uint32_t>(k + 1));
    if (k == 3) std::fill(sound.begin() + 50'000, sound.begin() + 70'000, 3e38f);
    studio.wav(id + ".wav", 1, sound);
    nodes += track(id, player("p", id + ".wav", R"("gain_db": 10)") +
                           R"(,{"id":"e","type":"eq","params":{"band1.type":"peak","band1.gain_db":3}},)"
                           R"({"id":"c","type":"compressor","params":{"detector":"rms"}})") +
             ",";
    edges += edge(id, "bus", R"("gain_db": -20)") + ",";
  }
  nodes += R"({"id":"bus","type":"bus","children":[{"id":"d","type":"delay"},{"id":"r","type":"reverb"},)"
           R"({"id":"l","type":"limiter"}]})";
  edges += edge("bus", "out");
  const session::Document document = studio.document(session_text(nodes, edges));
  std::vector<float> reference;
  for (const std::uint32_t threads : {1u, 2u})
    for (const std::uint32_t block : {64u, 17u, 1000u, 4096u}) {
      RenderOptions options = studio.options();
      options.threads = threads;
      options.block_frames = block;
      const auto result = Studio::attempt(document, options);
      REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
      REQUIRE(result->warnings.size() == 1);  // nobody but the player; and the limiter let nothing through
      CHECK(result->warnings[0] == "t3/p gave NaN or Inf: muted for a second, 1 time");
      const std::vector<float> all = studio.take(options.output);
      CHECK(std::ranges::all_of(all, [](float x) { return std::isfinite(x); }));
      CHECK(
          std::any_of(all.begin() + 2 * 52'000, all.begin() + 2 * 53'000, [](float x) { return std::abs(x) > 1e-3f; }));
      CHECK(std::any_of(all.end() - 2000, all.end(), [](float x) { return std::abs(x) > 1e-3f; }));
      if (reference.empty()) reference = all;
      REQUIRE(all.size() == reference.size());
      CHECK(std::memcmp(all.data(), reference.data(), all.size() * sizeof(float)) == 0);
    }
}

TEST_CASE("files that hold what is no number are named, and rendered with silence in its place") {
  const Studio studio;
  std::vector<float> sound(4'800, 0.25f), input(4'800, 0.125f);
  sound[100] = std::nanf("");
  sound[101] = HUGE_VALF;
  input[200] = -HUGE_VALF;
  studio.wav("a.wav", 1, sound);
  studio.wav("in.wav", 1, input);
  const session::Document document =
      studio.document(session_text(player("p", "a.wav"), edge("p", "out:1") + "," + edge("in:1", "out:2")));
  RenderOptions options = studio.options();
  options.given.device_input = studio.dir / "in.wav";
  const auto result = Studio::attempt(document, options);
  REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
  REQUIRE(result->warnings.size() == 2);
  CHECK(result->warnings[0].find("a.wav holds NaN or infinite samples: 2 were") != std::string::npos);
  CHECK(result->warnings[1].find("in.wav holds NaN or infinite samples: 1 were") != std::string::npos);
  const std::vector<float> all = studio.take(options.output);
  for (std::size_t i = 0; i < 4'800; ++i) {
    REQUIRE(all[2 * i] == (i == 100 || i == 101 ? 0.0f : 0.25f));
    REQUIRE(all[2 * i + 1] == (i == 200 ? 0.0f : 0.125f));
  }
}
