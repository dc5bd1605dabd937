// A chunk shared by a crew: every file once, then the render, with the team where there is one.
#include "server/render/chunk_crew.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

using namespace continuo::render;

TEST_CASE("chunk crew: each file is filled once, all before the render; what must be in order is the caller's") {
  for (const std::uint32_t threads : {1u, 2u, 4u}) {
    for (const bool graph : {false, true}) {
      ChunkCrew crew(threads, graph);
      CHECK(crew.threads() == threads);
      CHECK((crew.team() != nullptr) == (graph && threads > 1));
      const auto caller = std::this_thread::get_id();
      for (int chunk = 0; chunk < 200; ++chunk) {
        std::vector<int> filled(static_cast<std::size_t>(chunk) % 9);  // plain ints: the crew's own order must do
        bool meanwhile = false, rendered = false;
        crew.run({.files = filled.size(),
                  .fill = [&](std::size_t file) { ++filled[file]; },
                  .meanwhile = [&] { meanwhile = std::this_thread::get_id() == caller; },
                  .render =
                      [&] {
                        rendered = meanwhile && std::this_thread::get_id() == caller &&
                                   std::all_of(filled.begin(), filled.end(), [](int n) { return n == 1; });
                      }});
        REQUIRE(rendered);
      }
    }
  }
}
