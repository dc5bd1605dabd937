#include "server/device/liveness.hpp"

#include <doctest/doctest.h>

using continuo::device::Liveness;
using namespace std::chrono_literals;

TEST_CASE("a counter that moves is alive, one that stands still for the bound is not") {
  Liveness watch(1000ms);
  Liveness::Time t{};
  for (std::uint64_t beat = 0; beat < 50; ++beat) CHECK(watch.look(beat, t += 100ms));
  for (int i = 0; i < 9; ++i) CHECK(watch.look(49, t += 100ms));
  CHECK_FALSE(watch.look(49, t += 100ms));
  CHECK(watch.look(50, t += 100ms));  // it came back
}

TEST_CASE("a watcher that slept does not condemn what it watches") {
  Liveness watch(1000ms);
  Liveness::Time t{};
  CHECK(watch.look(7, t));
  CHECK(watch.look(7, t += 1h));  // our own process was stopped, or the machine suspended
  CHECK(watch.look(8, t += 10ms));
  CHECK(watch.look(8, t += 1h));
  CHECK_FALSE(watch.look(8, t += 1h));  // but not for ever
}

TEST_CASE("the first look decides nothing") {
  Liveness watch(1ms);
  Liveness::Time t{};
  CHECK(watch.look(0, t += 1h));
}
