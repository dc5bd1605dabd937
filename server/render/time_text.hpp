// THREAD: any - times as people write them: 1:02.5, 62.5s, 250ms, 48000f
#pragma once

#include <cstdint>
#include <string_view>

#include "server/base/result.hpp"

namespace continuo::render {

/// A place on the timeline, or a length: frames of the session's rate, or seconds.
struct TimeText {
  bool is_frames = false;
  std::int64_t frames = 0;
  double seconds = 0.0;
  /// To the nearest frame of `rate_hz`, where one frame of the text is one of `text_rate_hz`.
  [[nodiscard]] std::int64_t to_frames(double rate_hz, double text_rate_hz) const;
};

/// "1:02.5" (minutes), "1:02:03.5" (hours), "62.5s", "250ms", "48000f", "0". A number alone is refused: it could be any
/// of them. At most 10^6 seconds or 2^40 frames. INVALID_ARGUMENT "BAD_TIME" that names `field`.
[[nodiscard]] Result<TimeText> parse_time(std::string_view text, std::string_view field);

}  // namespace continuo::render
