// THREAD: any - what is no number is kept out of long memory, of takes and of the device
#pragma once

#include <bit>
#include <cstdint>

#include "rt/annotations.hpp"

namespace continuo::rt::dsp {

/// Neither infinite nor NaN. Bits, not arithmetic: no compiler flag takes it away.
[[nodiscard]] constexpr bool is_finite(float x) noexcept RT_NONBLOCKING {
  return (std::bit_cast<std::uint32_t>(x) & 0x7f800000u) != 0x7f800000u;
}

/// `out` gets `in`; what is no number as 0. `in` may be `out`; they must not overlap otherwise.
inline void copy_finite(float* out, const float* in, std::uint32_t count) noexcept RT_NONBLOCKING {
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(in[i]);
    out[i] = std::bit_cast<float>((bits & 0x7f800000u) == 0x7f800000u ? 0u : bits);
  }
}

/// In place; how many samples were no numbers.
inline std::uint32_t make_finite(float* samples, std::uint32_t count) noexcept RT_NONBLOCKING {
  std::uint32_t bad = 0;
  for (std::uint32_t i = 0; i < count; ++i) bad += is_finite(samples[i]) ? 0u : 1u;
  if (bad != 0) copy_finite(samples, samples, count);
  return bad;
}

}  // namespace continuo::rt::dsp
