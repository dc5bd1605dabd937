// A crew: everybody once a round, all back before it goes on.
#include "server/render/crew.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace continuo::render;

TEST_CASE("crew: every member works once a round, the caller is the first, and what they wrote is seen") {
  for (const std::uint32_t members : {1u, 2u, 3u, 8u}) {
    Crew crew(members);
    CHECK(crew.members() == members);
    std::vector<int> rounds(members);  // plain ints: the crew's own order must do
    std::vector<std::thread::id> who(members);
    for (int round = 1; round <= 300; ++round) {
      crew.run([&](std::uint32_t member) {
        ++rounds[member];
        who[member] = std::this_thread::get_id();
      });
      REQUIRE(std::all_of(rounds.begin(), rounds.end(), [&](int r) { return r == round; }));
    }
    CHECK(who[0] == std::this_thread::get_id());
    CHECK(std::set(who.begin(), who.end()).size() == members);
  }
}

TEST_CASE("crew: never used, and of a number out of range") {
  CHECK(Crew(0).members() == 1);
  CHECK(Crew(1000).members() == Crew::kMaxMembers);
}
