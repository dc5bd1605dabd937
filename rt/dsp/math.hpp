// THREAD: any - the functions that reach a sample, with the same bits on every CPU
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

#include "rt/annotations.hpp"

/// libm picks its variants by CPU and so changes last bits between machines. These use only +, -, *, / and bit moves,
/// each rounded once by IEEE 754 (the project is compiled with -ffp-contract=off), so that they cannot. No branches on
/// the argument: loops over them vectorise. Rounding to nearest is taken for granted; the renderer sets it.
/// Series: Abramowitz & Stegun, Handbook of Mathematical Functions, 4.2.1 (exp), 4.3.65 (sin), 4.1.27 (ln), cut where
/// the next term is below half a unit in the last place. Measured errors: tests/rt/dsp/math_test.cpp.
namespace continuo::rt::dsp {

inline constexpr double kLn2 = 0x1.62e42fefa39efp-1;
inline constexpr double kTwoPi = 0x1.921fb54442d18p+2;
inline constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
/// log2(10) / 20: decibels to powers of two.
inline constexpr double kLog2PerDb = 0x1.542a5a12e1c5bp-3;
/// At or below this a level is silence: exactly 0.
inline constexpr double kSilenceDb = -150.0;

/// 2^x. Within 2 units in the last place for -1021 <= x <= 1023, held at the ends beyond.
[[nodiscard]] constexpr double exp2(double x) noexcept RT_NONBLOCKING {
  x = x < -1021.0 ? -1021.0 : x;
  x = x > 1023.0 ? 1023.0 : x;
  constexpr double kShifter = 0x1.8p52;  // adding it rounds to an integer, which is then in the low bits
  const double shifted = x + kShifter;
  const double z = (x - (shifted - kShifter)) * kLn2;  // |z| <= ln 2 / 2
  double p = 1.0 / 6227020800.0;
  p = p * z + 1.0 / 479001600.0;
  p = p * z + 1.0 / 39916800.0;
  p = p * z + 1.0 / 3628800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z + 1.0 / 40320.0;
  p = p * z + 1.0 / 5040.0;
  p = p * z + 1.0 / 720.0;
  p = p * z + 1.0 / 120.0;
  p = p * z + 1.0 / 24.0;
  p = p * z + 1.0 / 6.0;
  p = p * z + 0.5;
  p = p * z + 1.0;
  p = p * z + 1.0;
  const std::uint64_t n = std::bit_cast<std::uint64_t>(shifted) - std::bit_cast<std::uint64_t>(kShifter);
  return p * std::bit_cast<double>((n + 1023) << 52);
}

/// log2(x) for a normal x > 0, within 2 units in the last place of the result or 3e-16; 0 and below: minus infinity.
[[nodiscard]] constexpr double log2(double x) noexcept RT_NONBLOCKING {
  constexpr std::uint64_t kRootHalf =
      0x3fe6a09e667f3bcdull;  // sqrt(1/2): the mantissa is taken in sqrt(1/2) to sqrt(2)
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(x) - kRootHalf;
  const auto exponent = static_cast<double>(static_cast<std::int64_t>(bits) >> 52);
  const double m = std::bit_cast<double>((bits & 0x000fffffffffffffull) + kRootHalf);
  const double s = (m - 1.0) / (m + 1.0);  // |s| <= 0.172
  const double q = s * s;
  double p = 1.0 / 23.0;
  p = p * q + 1.0 / 21.0;
  p = p * q + 1.0 / 19.0;
  p = p * q + 1.0 / 17.0;
  p = p * q + 1.0 / 15.0;
  p = p * q + 1.0 / 13.0;
  p = p * q + 1.0 / 11.0;
  p = p * q + 1.0 / 9.0;
  p = p * q + 1.0 / 7.0;
  p = p * q + 1.0 / 5.0;
  p = p * q + 1.0 / 3.0;
  const double ln = 2.0 * (s + s * q * p);
  const double result = exponent + ln * 1.4426950408889634074;
  return x > 0.0 ? result : -std::numeric_limits<double>::infinity();
}

namespace detail {

/// sin(2 pi r) for |r| <= 1/4.
[[nodiscard]] constexpr double sin_quarter(double r) noexcept RT_NONBLOCKING {
  const double z = r * kTwoPi;
  const double q = z * z;
  double p = 1.0 / 51090942171709440000.0;
  p = p * q - 1.0 / 121645100408832000.0;
  p = p * q + 1.0 / 355687428096000.0;
  p = p * q - 1.0 / 1307674368000.0;
  p = p * q + 1.0 / 6227020800.0;
  p = p * q - 1.0 / 39916800.0;
  p = p * q + 1.0 / 362880.0;
  p = p * q - 1.0 / 5040.0;
  p = p * q + 1.0 / 120.0;
  p = p * q - 1.0 / 6.0;
  return z + z * (q * p);
}

/// x less its nearest integer: -1/2 to 1/2. Exact for |x| below 2^51.
[[nodiscard]] constexpr double turn(double x) noexcept RT_NONBLOCKING { return x - ((x + 0x1.8p52) - 0x1.8p52); }

template <class Real>
[[nodiscard]] constexpr Real magnitude(Real x) noexcept RT_NONBLOCKING {
  return x < Real(0) ? -x : x;
}

}  // namespace detail

/// sin(2 pi x), cos(2 pi x): the argument is in turns. Absolute error below 3e-16. Exact at every quarter of a turn.
[[nodiscard]] constexpr double cos_turns(double x) noexcept RT_NONBLOCKING {
  const double y = detail::sin_quarter(0.25 - detail::magnitude(detail::turn(x)));
  return y > 1.0 ? 1.0 : (y < -1.0 ? -1.0 : y);
}
[[nodiscard]] constexpr double sin_turns(double x) noexcept RT_NONBLOCKING {
  const double r = detail::turn(x);
  const double folded = 0.25 - detail::magnitude(detail::magnitude(r) - 0.25);
  const double y = detail::sin_quarter(r < 0.0 ? -folded : folded);
  return y > 1.0 ? 1.0 : (y < -1.0 ? -1.0 : y);
}

/// The factor of a level. Exactly 1 for 0 dB, exactly 0 at or below kSilenceDb; else within half a unit in the last
/// place of float, but for rare ties.
[[nodiscard]] constexpr float db_to_gain(double db) noexcept RT_NONBLOCKING {
  const auto gain = static_cast<float>(exp2(db * kLog2PerDb));
  return db > kSilenceDb ? gain : 0.0f;
}

}  // namespace continuo::rt::dsp
