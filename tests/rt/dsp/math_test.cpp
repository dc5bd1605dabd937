#include "rt/dsp/math.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdlib>

#include "rt/dsp/kernels.hpp"
#include "rt/dsp/pan.hpp"

// libm is the reference: its answers are within one unit in the last place of the truth.
namespace {

using namespace continuo::rt;

/// How many doubles lie between two.
double ulps(double a, double b) {
  if (a == b) return 0;
  return std::abs(a - b) / (std::nextafter(std::abs(b), INFINITY) - std::abs(b));
}

constexpr int kPoints = 200001;
double between(double low, double high, int i) { return low + (high - low) * i / (kPoints - 1); }

}  // namespace

TEST_CASE("exp2 is within 2 units in the last place of libm") {
  double worst = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double x = between(-1021.0, 1023.0, i);
    worst = std::max(worst, ulps(dsp::exp2(x), std::exp2(x)));
    const double y = between(-4.0, 4.0, i);
    worst = std::max(worst, ulps(dsp::exp2(y), std::exp2(y)));
  }
  MESSAGE("worst: " << worst << " ulp");
  CHECK(worst <= 2.0);
  for (int n = -1021; n <= 1023; ++n) REQUIRE(dsp::exp2(n) == std::ldexp(1.0, n));
  CHECK(dsp::exp2(-5000.0) == dsp::exp2(-1021.0));
  CHECK(dsp::exp2(5000.0) == dsp::exp2(1023.0));
}

TEST_CASE("log2 is within 2 units in the last place of libm, or 3e-16") {
  double worst = 0;
  for (int i = 0; i < kPoints; ++i) {
    for (const double x : {std::exp2(between(-1000.0, 1000.0, i)), between(0.5, 2.0, i)}) {
      const double error = std::abs(dsp::log2(x) - std::log2(x));
      if (error > 3e-16) worst = std::max(worst, ulps(dsp::log2(x), std::log2(x)));
    }
  }
  MESSAGE("worst: " << worst << " ulp");
  CHECK(worst <= 2.0);
  CHECK(dsp::log2(1.0) == 0.0);
  for (int n = -1000; n <= 1000; ++n) REQUIRE(dsp::log2(std::ldexp(1.0, n)) == n);
  CHECK(dsp::log2(0.0) == -INFINITY);
  CHECK(dsp::log2(-1.0) == -INFINITY);
}

TEST_CASE("sin and cos of turns, double: within 3e-16, and exact at the quarters") {
  double worst = 0;
  constexpr long double kTwoPi = 6.283185307179586476925286766559L;
  for (int i = 0; i < kPoints; ++i) {
    const double x = between(-3.0, 3.0, i);
    worst = std::max(worst, std::abs(static_cast<double>(dsp::sin_turns(x) - std::sin(kTwoPi * x))));
    worst = std::max(worst, std::abs(static_cast<double>(dsp::cos_turns(x) - std::cos(kTwoPi * x))));
  }
  MESSAGE("worst: " << worst);
  CHECK(worst <= 3e-16);
  for (int i = -4; i <= 4; ++i) {
    CHECK(dsp::sin_turns(i + 0.0) == 0.0);
    CHECK(dsp::sin_turns(i + 0.25) == 1.0);
    CHECK(dsp::sin_turns(i + 0.5) == 0.0);
    CHECK(dsp::sin_turns(i + 0.75) == -1.0);
    CHECK(dsp::cos_turns(i + 0.0) == 1.0);
    CHECK(dsp::cos_turns(i + 0.25) == 0.0);
    CHECK(dsp::cos_turns(i + 0.5) == -1.0);
  }
}

TEST_CASE("decibels: 0 is exactly 1, -150 and below exactly 0, the rest is libm's float") {
  CHECK(dsp::db_to_gain(0.0) == 1.0f);
  CHECK(std::bit_cast<std::uint32_t>(dsp::db_to_gain(-150.0)) == 0u);
  CHECK(std::bit_cast<std::uint32_t>(dsp::db_to_gain(-1000.0)) == 0u);
  CHECK(dsp::db_to_gain(-149.9) > 0.0f);
  int off = 0;
  for (int i = 0; i < kPoints; ++i) {
    const double db = between(-149.9, 48.0, i);
    const auto expected = static_cast<float>(std::pow(10.0, db / 20.0));
    const float got = dsp::db_to_gain(db);
    if (got != expected) ++off;
    REQUIRE((got == expected || got == std::nextafter(expected, got)));
  }
  CHECK(off < kPoints / 10000);
}

TEST_CASE("known bits: a compiler or CPU that changes them changes every render") {
  CHECK(std::bit_cast<std::uint64_t>(dsp::exp2(0.3)) == std::bit_cast<std::uint64_t>(0x1.3b2c47bff8329p+0));
  CHECK(std::bit_cast<std::uint32_t>(dsp::db_to_gain(-6.0)) == std::bit_cast<std::uint32_t>(0x1.009b9cp-1f));
  alignas(64) const std::uint32_t phases[16] = {0x12345678u};
  alignas(64) float sines[16];
  dsp::chosen_kernels().sines_of(sines, phases, 16);
  CHECK(std::bit_cast<std::uint32_t>(sines[0]) == std::bit_cast<std::uint32_t>(0x1.ba74b2p-2f));
}

TEST_CASE("pan: constant power, the ends and the middle exact") {
  for (int i = -100; i <= 100; ++i) {
    const dsp::PanFactors f = dsp::constant_power_pan(i / 100.0);
    CHECK(f.left * f.left + f.right * f.right == doctest::Approx(1.0).epsilon(1e-14));
    CHECK(f.left == doctest::Approx(std::cos((i / 100.0 + 1.0) * 0.78539816339744831)).epsilon(1e-14));
  }
  CHECK(dsp::constant_power_pan(-1.0).left == 1.0);
  CHECK(dsp::constant_power_pan(-1.0).right == 0.0);
  CHECK(dsp::constant_power_pan(1.0).left == 0.0);
  CHECK(dsp::constant_power_pan(1.0).right == 1.0);
  CHECK(20.0 * std::log10(dsp::constant_power_pan(0.0).left) == doctest::Approx(-3.0103).epsilon(1e-5));
  CHECK(dsp::constant_power_pan(-7.0).left == 1.0);

  CHECK(dsp::constant_power_balance(0.0).left == 1.0);
  CHECK(dsp::constant_power_balance(0.0).right == 1.0);
  CHECK(dsp::constant_power_balance(-1.0).left == 1.0);
  CHECK(dsp::constant_power_balance(-1.0).right == 0.0);
  CHECK(dsp::constant_power_balance(0.5).left ==
        doctest::Approx(1.41421356 * std::cos(1.5 * 0.785398163)).epsilon(1e-7));
  CHECK(dsp::constant_power_balance(0.5).right == 1.0);
}
