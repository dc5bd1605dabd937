#include "rt/snapshot.hpp"

#include <doctest/doctest.h>

using namespace continuo;

namespace {
struct Odd {
  double a = 0;
  char b = 0;
  char pad[3] = {};
  int c = 0;
  short d = 0;
};
}  // namespace

TEST_CASE("a snapshot gives back the last value written, whole") {
  rt::Snapshot<Odd> snapshot;
  Odd got;
  got.c = 9;
  REQUIRE(snapshot.try_read(got));  // never written: zeros
  CHECK(got.c == 0);
  for (int i = 1; i < 100; ++i) {
    snapshot.write({.a = i * 0.5, .b = static_cast<char>(i), .c = -i, .d = static_cast<short>(i)});
    REQUIRE(snapshot.try_read(got));
    CHECK(got.a == i * 0.5);
    CHECK(got.c == -i);
    CHECK(got.d == i);
  }
}

TEST_CASE("no tries, no answer, and the value stays as it was") {
  rt::Snapshot<int> snapshot;
  snapshot.write(3);
  int value = 8;
  CHECK_FALSE(snapshot.try_read(value, 0));
  CHECK(value == 8);
}
