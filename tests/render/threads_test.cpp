// Whole renders on several threads: the samples of one, whatever the session's shape.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <string>
#include <utility>

#include "tests/server/render/render_test.hpp"

using namespace continuo;
using namespace continuo::render;
using namespace continuo::render::test;

namespace {

std::string effect(const std::string& id, const std::string& type, const std::string& params = "") {
  return R"({"id": ")" + id + R"(", "type": ")" + type + R"(", "params": {)" + params + "}}";
}

/// Tracks with chains of different lengths, two groups, a send to a reverb, a sidechain, a limiter at the end; files of
/// another rate among them.
std::string stage(const Studio& studio, int tracks) {
  studio.wav("mono.wav", 1, noise_floats(20'000, 1, 1));
  studio.wav("stereo.wav", 2, noise_floats(24'000, 2, 2));
  studio.wav("foreign.wav", 1, noise_floats(20'000, 1, 3), 44100);
  std::string nodes, edges;
  for (int i = 0; i < tracks; ++i) {
    const std::string id = "t" + std::to_string(i);
    std::string chain = player("p", i % 5 == 0 ? "stereo.wav" : i % 7 == 0 ? "foreign.wav" : "mono.wav");
    if (i % 3 != 0) chain += "," + effect("eq", "eq", R"("band1.type": "peak", "band1.gain_db": 3)");
    for (int k = 0; k < i % 4; ++k)
      chain += "," + effect("c" + std::to_string(k), "compressor",
                            "\"threshold_db\": " + std::to_string(-40 + i / 2) + R"(, "lookahead_ms": )" +
                                std::to_string(i % 3));
    nodes += track(id, chain,
                   "\"gain_db\": " + std::to_string(-25 - i % 9) + ", \"pan\": " + std::to_string(i % 11 * 0.1 - 0.5)) +
             ",";
    edges += edge(id, i % 2 == 0 ? "even" : "odd") + "," + (i % 6 == 0 ? edge(id + ":pre", "hall") + "," : "");
  }
  nodes += R"({"id": "even", "type": "bus"},{"id": "odd", "type": "bus", "children": [)" +
           effect("duck", "compressor") + R"(]},{"id": "hall", "type": "bus", "children": [)" + effect("r", "reverb") +
           R"(]},{"id": "main", "type": "bus", "children": [)" + effect("l", "limiter") + "]}";
  edges += edge("even", "main") + "," + edge("odd", "main") + "," + edge("hall", "main") + "," + edge("main", "out") +
           "," + edge("even", "odd/duck:sidechain");
  return session_text(nodes, edges);
}

}  // namespace

TEST_CASE("render: 1, 2, 3 and 4 threads give the same file, with a tail of its own length, in any blocks") {
  for (const int tracks : {3, 40}) {
    const Studio studio;
    const std::string text = stage(studio, tracks);
    const auto rendered = [&](std::uint32_t threads, std::uint32_t block) {
      return studio.render(text, [&](RenderOptions& options) {
        options.threads = threads;
        options.block_frames = block;
        options.tail_auto = true;
      });
    };
    const std::vector<float> alone = rendered(1, 1024);
    REQUIRE(alone.size() > 2 * 24'000);
    CHECK(std::any_of(alone.begin(), alone.end(), [](float x) { return std::abs(x) > 0.01f; }));
    for (const auto& [threads, block] : {std::pair{2u, 1024u}, {2u, 333u}, {3u, 1024u}, {4u, 5000u}}) {
      CAPTURE(tracks);
      CAPTURE(threads);
      CAPTURE(block);
      CHECK(rendered(threads, block) == alone);
    }
  }
}

TEST_CASE("render on several threads: an error in the middle ends it whole, and leaves nothing") {
  const Studio studio;
  const std::string text = stage(studio, 40);
  RenderOptions options = studio.options();
  options.threads = 3;
  std::atomic<bool> cancelled{false};
  options.cancelled = &cancelled;
  options.progress = [&](std::int64_t done, std::int64_t, double) { cancelled = done > 8000; };
  const auto result = Studio::attempt(studio.document(text), options);
  REQUIRE_FALSE(result);
  CHECK(result.error().reason == "CANCELLED");
  CHECK(studio.tidy());
}
