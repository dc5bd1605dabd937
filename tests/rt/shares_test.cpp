// Shares: every number once, one's own first.
#include "rt/shares.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using continuo::rt::Shares;

namespace {

std::vector<std::uint32_t> take_all(Shares& shares, std::uint32_t member) {
  std::vector<std::uint32_t> taken;
  for (std::uint32_t number = 0; shares.try_take(member, number);) taken.push_back(number);
  return taken;
}

}  // namespace

TEST_CASE("shares: nothing is there before it is offered, and nothing after it was taken") {
  Shares shares(3);
  std::uint32_t number = 77;
  CHECK_FALSE(shares.try_take(0, number));
  shares.offer(0);
  CHECK_FALSE(shares.try_take(2, number));
  CHECK(number == 77);
  shares.offer(1);
  CHECK(shares.try_take(0, number));
  CHECK(number == 0);
  CHECK_FALSE(shares.try_take(0, number));
}

TEST_CASE("shares: a member's own come first, in order, then all others; for any count") {
  for (const std::uint32_t members : {1u, 2u, 3u, 8u}) {
    Shares shares(members);
    for (const std::uint32_t count : {1u, 2u, 7u, 8u, 64u, 1000u}) {
      for (std::uint32_t member = 0; member < members; ++member) {
        shares.offer(count);
        std::vector<std::uint32_t> taken = take_all(shares, member);
        if (count % members == 0) CHECK(taken.front() == count / members * member);
        std::sort(taken.begin(), taken.end());
        REQUIRE(taken.size() == count);
        for (std::uint32_t i = 0; i < count; ++i) REQUIRE(taken[i] == i);
      }
    }
  }
}

TEST_CASE("shares: two members at once, round after round: the same two get the same halves") {
  Shares shares(2);
  for (int round = 0; round < 3; ++round) {
    shares.offer(10);
    std::vector<std::uint32_t> a, b;
    for (std::uint32_t number = 0; a.size() + b.size() < 10;) {
      REQUIRE(shares.try_take(0, number));
      a.push_back(number);
      REQUIRE(shares.try_take(1, number));
      b.push_back(number);
    }
    CHECK(a == std::vector<std::uint32_t>{0, 1, 2, 3, 4});
    CHECK(b == std::vector<std::uint32_t>{5, 6, 7, 8, 9});
  }
}
