// THREAD: any - between interleaved frames and planar channels
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"

namespace continuo::rt::dsp {

/// `from` holds `frames` frames of `channels` samples; the first `taken` channels go to to[c][at...].
inline void deinterleave(float* const* to, std::uint32_t taken, std::uint32_t at, const float* from,
                         std::uint32_t channels, std::uint32_t frames) noexcept RT_NONBLOCKING {
  for (std::uint32_t c = 0; c < taken; ++c) {
    float* __restrict out = to[c] + at;
    for (std::uint32_t i = 0; i < frames; ++i) out[i] = from[i * channels + c];
  }
}

/// Channel c of `to` is from[c][at...]; channels from `given` on are silent.
inline void interleave(float* to, std::uint32_t channels, const float* const* from, std::uint32_t given,
                       std::uint32_t at, std::uint32_t frames) noexcept RT_NONBLOCKING {
  for (std::uint32_t c = 0; c < channels; ++c) {
    const float* __restrict in = c < given ? from[c] + at : nullptr;
    for (std::uint32_t i = 0; i < frames; ++i) to[i * channels + c] = in == nullptr ? 0.0f : in[i];
  }
}

}  // namespace continuo::rt::dsp
