// THREAD: any - planar channels to interleaved frames
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"

namespace continuo::rt::dsp {

/// Channel c of `to` is from[c][at...]; channels from `given` on are silent.
inline void interleave(float* to, std::uint32_t channels, const float* const* from, std::uint32_t given,
                       std::uint32_t at, std::uint32_t frames) noexcept RT_NONBLOCKING {
  for (std::uint32_t c = 0; c < channels; ++c) {
    const float* __restrict in = c < given ? from[c] + at : nullptr;
    for (std::uint32_t i = 0; i < frames; ++i) to[i * channels + c] = in == nullptr ? 0.0f : in[i];
  }
}

}  // namespace continuo::rt::dsp
