#include "rt/timeline.hpp"

#include <doctest/doctest.h>

using namespace continuo::rt;

TEST_CASE("the timeline stands until it is started, and goes on from where it was located") {
  Timeline t;
  t.advance(64);
  CHECK(t.position() == 0);
  t.start();
  t.advance(10);
  CHECK(t.position() == 10);
  t.locate(-1000);
  t.advance(1);
  CHECK(t.position() == -999);
  t.stop();
  t.advance(500);
  CHECK(t.position() == -999);
  CHECK_FALSE(t.rolling());
}

TEST_CASE("the grid is the engine's while the timeline stands, the timeline's while it rolls, below zero too") {
  Timeline t;
  t.locate(7);
  CHECK(t.frames_to_grid(0) == 64);
  CHECK(t.frames_to_grid(1) == 63);
  CHECK(t.frames_to_grid(64) == 64);
  t.start();
  CHECK(t.frames_to_grid(0) == 57);
  t.locate(-1);
  CHECK(t.frames_to_grid(0) == 1);
  t.locate(-64);
  CHECK(t.frames_to_grid(3) == 64);
  t.locate(-65);
  CHECK(t.frames_to_grid(3) == 1);
}
