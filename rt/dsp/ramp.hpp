// THREAD: audio - a parameter's value at every sample while it moves
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/dsp/math.hpp"
#include "rt/param.hpp"
#include "rt/types.hpp"

/// Every value is a closed form of its own engine frame and of nothing else, so neither a device buffer that ends in
/// the middle nor a new block in the middle of a ramp (some other node's command, a new plan) makes a step in the
/// sound. Costs some nanoseconds a sample, and only while something moves.
namespace continuo::rt::dsp {

/// A parameter in decibels, as factors. At most kBlockFrames at a time, here and below.
inline void decibel_ramp(const Param& param, FrameCount frame, std::uint32_t frames, float* factors) noexcept
    RT_NONBLOCKING {
  alignas(64) double db[kBlockFrames];
  param.values(frame, frames, db);
  float* __restrict out = factors;
  for (std::uint32_t i = 0; i < frames; ++i) out[i] = db_to_gain(db[i]);
}

/// A parameter as it is.
inline void linear_ramp(const Param& param, FrameCount frame, std::uint32_t frames, float* values) noexcept
    RT_NONBLOCKING {
  alignas(64) double exact[kBlockFrames];
  param.values(frame, frames, exact);
  for (std::uint32_t i = 0; i < frames; ++i) values[i] = static_cast<float>(exact[i]);
}

}  // namespace continuo::rt::dsp
