// THREAD: any - one sample of a periodic waveform from its phase alone
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/dsp/math.hpp"

/// No state: a sample is a function of its phase and of the step a frame, so any slice of a tone can be made on its
/// own. Band-limited by polynomial corrections around each corner (PolyBLEP for steps: Valimaki and Huovilainen 2007;
/// PolyBLAMP, its integral, for the corners of a triangle).
namespace continuo::rt::dsp {

/// What to add around a unit step (from -1/2 to 1/2) at t = 0. `t` and `dt` in turns; t in [0, 1), dt in (0, 1/2].
[[nodiscard]] constexpr float blep(float t, float dt) noexcept RT_NONBLOCKING {
  const float after = t / dt;            // frames since the step
  const float before = (t - 1.0f) / dt;  // minus the frames until it
  const float a = after + after - after * after - 1.0f;
  const float b = before * before + before + before + 1.0f;
  return 0.5f * ((t < dt ? a : 0.0f) + (t > 1.0f - dt ? b : 0.0f));
}

/// What to add around a corner where the slope rises by 1 a frame at t = 0.
[[nodiscard]] constexpr float blamp(float t, float dt) noexcept RT_NONBLOCKING {
  const float after = t < dt ? 1.0f - t / dt : 0.0f;
  const float before = t > 1.0f - dt ? 1.0f + (t - 1.0f) / dt : 0.0f;
  return (after * after * after + before * before * before) * (1.0f / 6.0f);
}

/// A phase of 2^32 a turn as turns in [0, 1).
[[nodiscard]] constexpr float turns_of(std::uint32_t phase) noexcept RT_NONBLOCKING {
  return static_cast<float>(phase >> 8) * 0x1p-24f;
}

[[nodiscard]] constexpr float saw(std::uint32_t phase, float dt) noexcept RT_NONBLOCKING {
  const float t = turns_of(phase);
  return t + t - 1.0f - 2.0f * blep(t, dt);
}

[[nodiscard]] constexpr float square(std::uint32_t phase, float dt) noexcept RT_NONBLOCKING {
  const float step = phase < 0x80000000u ? 1.0f : -1.0f;
  return step + 2.0f * (blep(turns_of(phase), dt) - blep(turns_of(phase + 0x80000000u), dt));
}

[[nodiscard]] constexpr float triangle(std::uint32_t phase, float dt) noexcept RT_NONBLOCKING {
  const float t = turns_of(phase + 0x40000000u);  // from the lower corner
  const float ramp = t < 0.5f ? 4.0f * t - 1.0f : 3.0f - 4.0f * t;
  const float corners = blamp(t, dt) - blamp(turns_of(phase + 0xc0000000u), dt);
  return ramp + 8.0f * dt * corners;
}

}  // namespace continuo::rt::dsp
