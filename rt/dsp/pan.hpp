// THREAD: any - the two pan laws
#pragma once

#include "rt/annotations.hpp"
#include "rt/dsp/math.hpp"

namespace continuo::rt::dsp {

struct PanFactors {
  double left = 1.0;
  double right = 1.0;
};

/// `pan` is -1 (left) to 1 (right), held at the ends.
[[nodiscard]] constexpr double hold_pan(double pan) noexcept RT_NONBLOCKING {
  return pan < -1.0 ? -1.0 : (pan > 1.0 ? 1.0 : pan);
}

/// One channel to two at constant power: -3.01 dB in the middle, exactly 1 and 0 at the ends.
[[nodiscard]] constexpr PanFactors constant_power_pan(double pan) noexcept RT_NONBLOCKING {
  const double turns = (hold_pan(pan) + 1.0) * 0.125;
  return {cos_turns(turns), sin_turns(turns)};
}

/// Two channels to two: the constant-power law times the root of 2, never above 1, so that the middle changes nothing.
/// 1.0 once rounded to float; exactly 1 by intent at pan 0.
[[nodiscard]] constexpr PanFactors constant_power_balance(double pan) noexcept RT_NONBLOCKING {
  const PanFactors law = constant_power_pan(pan);
  const double left = pan <= 0.0 ? 1.0 : law.left * kSqrt2;
  const double right = pan >= 0.0 ? 1.0 : law.right * kSqrt2;
  return {left < 1.0 ? left : 1.0, right < 1.0 ? right : 1.0};
}

}  // namespace continuo::rt::dsp
