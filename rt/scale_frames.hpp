// THREAD: any - frames at one rate, as frames at another
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// To the nearest, a half goes up. Of 0 or more; exact at any length.
[[nodiscard]] constexpr FrameCount scale_frames(FrameCount frames, std::uint32_t from_hz, std::uint32_t to_hz) noexcept
    RT_NONBLOCKING {
  const FrameCount seconds = frames / from_hz;
  const FrameCount rest = frames % from_hz;
  return seconds * to_hz + (2 * rest * to_hz + from_hz) / (2 * FrameCount{from_hz});
}

/// The last frame that scale_frames() brings to `scaled`, or before it.
[[nodiscard]] constexpr FrameCount last_frame_at(FrameCount scaled, std::uint32_t from_hz, std::uint32_t to_hz) noexcept
    RT_NONBLOCKING {
  const FrameCount seconds = scaled / to_hz;
  const FrameCount rest = scaled % to_hz;
  return seconds * from_hz + (FrameCount{from_hz} * (2 * rest + 1) - 1) / (2 * FrameCount{to_hz});
}

}  // namespace continuo::rt
