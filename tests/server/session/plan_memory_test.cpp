#include <doctest/doctest.h>
#include <malloc.h>

#include <cstdint>

#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/random_document.hpp"

using namespace continuo;
using namespace continuo::session;

namespace {

std::size_t bytes_in_use() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace

// Sanitizers have an allocator of their own, of which mallinfo2() knows nothing; they look for leaks at the end.
TEST_CASE("ten thousand plans, each another session: memory at rest is what it was, and every slab is aligned") {
  constexpr std::uint32_t kSessions = 8;
  std::vector<Document> documents;
  for (std::uint32_t seed = 0; seed < kSessions; ++seed)
    documents.push_back(
        test::random_document(seed + 7, {.roots = 3, .connections = 5, .steady = true, .sounding = true}));
  test::Rig rig(2, 4);
  const auto go = [&](std::uint32_t plans) {
    for (std::uint32_t n = 0; n < plans; ++n) {
      rig.take(documents[n % kSessions]);
      REQUIRE(reinterpret_cast<std::uintptr_t>(rig.plan->slab.get()) % 64 == 0);
      rig.render(n % 3 == 0 ? 600 : 64);
    }
    for (int i = 0; i < 3; ++i) {  // at rest: nothing fades
      rig.take(documents[0]);
      rig.render(600);
    }
  };
  go(200);
  const std::size_t at_rest = bytes_in_use();
  go(10000);
  // As many slots and tables as the largest of them needs, and the allocator's own.
  CHECK(bytes_in_use() <= at_rest + 16384);
}
