// THREAD: any - small loops over one channel's samples, for where speed is no matter; the others are in kernels.hpp
#pragma once

#include <algorithm>
#include <cstdint>

#include "rt/annotations.hpp"

namespace continuo::rt::dsp {

inline void silence(float* out, std::uint32_t frames) noexcept RT_NONBLOCKING { std::fill_n(out, frames, 0.0f); }

/// `in` may be `out`; they must not overlap otherwise.
inline void copy(float* out, const float* in, std::uint32_t frames) noexcept RT_NONBLOCKING {
  if (out != in) std::copy_n(in, frames, out);
}

/// Times a constant. 1 leaves every bit alone; 0 is silence, whatever comes in (also NaN). `in` may be `out`.
inline void scale(float* out, const float* in, float factor, std::uint32_t frames) noexcept RT_NONBLOCKING {
  if (factor == 1.0f) return copy(out, in, frames);
  if (factor == 0.0f) return silence(out, frames);
  if (out == in) {
    for (std::uint32_t i = 0; i < frames; ++i) out[i] *= factor;
    return;
  }
  float* __restrict to = out;
  const float* __restrict from = in;
  for (std::uint32_t i = 0; i < frames; ++i) to[i] = from[i] * factor;
}

}  // namespace continuo::rt::dsp
