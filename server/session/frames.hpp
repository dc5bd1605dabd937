// THREAD: any - frames at one rate, as frames at another
#pragma once

#include <cmath>
#include <cstdint>

namespace continuo::session {

/// Rounded to the nearest. Whole rates divide exactly: no rounding of a double on the way, however long the timeline.
[[nodiscard]] inline std::int64_t convert_frames(std::int64_t frames, double from_hz, double to_hz) {
  if (from_hz == to_hz || from_hz <= 0.0) return frames;
  const auto from = static_cast<std::int64_t>(std::llround(from_hz));
  const auto to = static_cast<std::int64_t>(std::llround(to_hz));
  const std::int64_t whole = frames / from;
  const std::int64_t rest = frames % from;
  return whole * to + (rest * to + (rest < 0 ? -from / 2 : from / 2)) / from;
}

}  // namespace continuo::session
