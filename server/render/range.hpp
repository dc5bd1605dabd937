// THREAD: any - from which frame to which frame of the timeline a render goes
#pragma once

#include <cstdint>
#include <optional>

#include "server/base/result.hpp"
#include "server/render/time_text.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::render {

struct Range {
  std::int64_t from = 0;  // frames of the render's rate
  std::int64_t to = 0;    // one after the last
  [[nodiscard]] std::int64_t frames() const noexcept { return to - from; }
};

/// What was asked for.
struct RangeText {
  TimeText from;
  std::optional<TimeText> to;
  std::optional<TimeText> length;
  std::optional<TimeText> tail;
};

/// One frame after the last timeline player that is no loop; 0 where there is none.
[[nodiscard]] std::int64_t end_of_players(const session::Compiled& compiled, const session::MediaTable& table,
                                          std::uint32_t rate_hz);

/// `device_frames`: of the file that the device's inputs bring; 0: none. Where neither an end nor a length is asked
/// for, the range ends with the later of both. INVALID_ARGUMENT "NO_END", "EMPTY_RANGE".
[[nodiscard]] Result<Range> find_range(const RangeText& text, double rate_hz, double session_rate_hz,
                                       std::int64_t players_end, std::int64_t device_frames);

}  // namespace continuo::render
