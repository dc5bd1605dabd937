#include "server/control/rises.hpp"

#include <doctest/doctest.h>

using continuo::control::Rises;

TEST_CASE("a counter that rose is news for a minute of sound, from when it was seen, and again when it rises again") {
  Rises rises;
  constexpr double kRate = 1000.0;
  CHECK_FALSE(rises.rose("a", 0, 0, kRate));
  CHECK(rises.rose("a", 3, 500, kRate));
  CHECK_FALSE(rises.rose("b", 0, 500, kRate));  // each is its own
  CHECK(rises.rose("a", 3, 60'500, kRate));
  CHECK_FALSE(rises.rose("a", 3, 60'501, kRate));
  CHECK(rises.rose("a", 4, 60'502, kRate));
  CHECK_FALSE(rises.rose("a", 4, 200'000, kRate));
}
