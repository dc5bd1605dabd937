// THREAD: any - loops over one channel's samples: silence, copy, scale, sum
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

/// Sample by sample. `in` may be `out`.
inline void multiply(float* out, const float* in, const float* factors, std::uint32_t frames) noexcept RT_NONBLOCKING {
  const float* __restrict by = factors;
  if (out == in) {
    float* __restrict to = out;
    for (std::uint32_t i = 0; i < frames; ++i) to[i] *= by[i];
    return;
  }
  float* __restrict to = out;
  const float* __restrict from = in;
  for (std::uint32_t i = 0; i < frames; ++i) to[i] = from[i] * by[i];
}

/// One partial sum: inputs[0] + inputs[1] + ..., from the left. `count` is at least 1; `out` is none of the inputs.
inline void sum_in_order(float* out, const float* const* inputs, std::uint32_t count, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  float* __restrict sum = out;
  std::copy_n(inputs[0], frames, sum);
  std::uint32_t k = 1;
  for (; k + 4 <= count; k += 4) {
    const float* __restrict a = inputs[k];
    const float* __restrict b = inputs[k + 1];
    const float* __restrict c = inputs[k + 2];
    const float* __restrict d = inputs[k + 3];
    for (std::uint32_t i = 0; i < frames; ++i) sum[i] = (((sum[i] + a[i]) + b[i]) + c[i]) + d[i];
  }
  for (; k < count; ++k) {
    const float* __restrict a = inputs[k];
    for (std::uint32_t i = 0; i < frames; ++i) sum[i] += a[i];
  }
}

}  // namespace continuo::rt::dsp
