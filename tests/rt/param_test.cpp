#include "rt/param.hpp"

#include <doctest/doctest.h>

#include "rt/dsp/ramp.hpp"

using namespace continuo::rt;

TEST_CASE("a set without a ramp is there at its own frame") {
  Param p(3.0);
  CHECK(p.at(0) == 3.0);
  CHECK_FALSE(p.moving(0));
  p.set(5.0, 100, 0);
  CHECK(p.at(100) == 5.0);
  CHECK_FALSE(p.moving(100));
}

TEST_CASE("a ramp is a straight line from its frame to its end") {
  Param p(0.0);
  p.set(10.0, 1000, 100);
  CHECK(p.at(1000) == 0.0);
  CHECK(p.at(1025) == 2.5);
  CHECK(p.at(1099) == doctest::Approx(9.9));
  CHECK(p.at(1100) == 10.0);
  CHECK(p.at(1000000) == 10.0);
  CHECK(p.moving(1099));
  CHECK_FALSE(p.moving(1100));
  CHECK(p.target() == 10.0);
}

TEST_CASE("a ramp that is overtaken starts again from where it is") {
  Param p(0.0);
  p.set(10.0, 0, 100);
  p.set(0.0, 50, 10);
  CHECK(p.at(50) == 5.0);
  CHECK(p.at(55) == 2.5);
  CHECK(p.at(60) == 0.0);
  p.set(8.0, 55, 0);
  CHECK(p.at(55) == 8.0);
}

TEST_CASE("the longest ramp there is does not overflow") {
  Param p(0.0);
  p.set(1.0, 5, 0xffffffffu);
  CHECK(p.moving(0x100000003));
  CHECK(p.at(0x80000004) == doctest::Approx(0.5));
  CHECK_FALSE(p.moving(0x100000004));
}

TEST_CASE("ramps are closed forms: any cut gives the same samples") {
  Param p(-60.0);
  p.set(6.0, 10, 333);
  float whole[400], cut[400];
  for (std::uint32_t i = 0; i < 400; i += 50) dsp::decibel_ramp(p, 10 + i, 50, whole + i);
  for (std::uint32_t i = 0; i < 400; ++i) dsp::decibel_ramp(p, 10 + i, 1, cut + i);
  for (int i = 0; i < 400; ++i) {
    REQUIRE(whole[i] == cut[i]);
    REQUIRE((i == 0 || whole[i] >= whole[i - 1]));
  }
  CHECK(whole[333] == dsp::db_to_gain(6.0));
  for (std::uint32_t i = 0; i < 400; i += 50) dsp::linear_ramp(p, 10 + i, 50, whole + i);
  for (int i = 0; i < 400; ++i) REQUIRE(whole[i] == static_cast<float>(p.at(10 + i)));
  CHECK(whole[0] == -60.0f);
  CHECK(whole[399] == 6.0f);
}

TEST_CASE("many values at once are those of at(), before, across and after the end of a ramp") {
  Param p(1.0 / 3);
  p.set(-7.1, 1000, 37);
  for (const FrameCount first : {1000, 1001, 1030, 1036, 1037, 1038, 5000})
    for (const std::uint32_t count : {0u, 1u, 7u, 64u}) {
      double values[65];
      values[count] = 99.0;
      p.values(first, count, values);
      for (std::uint32_t i = 0; i < count; ++i) REQUIRE(values[i] == p.at(first + i));
      CHECK(values[count] == 99.0);
    }
}
