// THREAD: any - times as people write them: 1:02.5, 62.5s, 250ms, 48000f
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace continuo::cli {

/// A place or a length: frames, or seconds that become frames at a rate.
struct TimeText {
  bool is_frames = false;
  std::int64_t frames = 0;
  double seconds = 0.0;
  /// To the nearest frame. EX_USAGE beyond 2^53 frames.
  [[nodiscard]] std::int64_t to_frames(double rate_hz) const;
  [[nodiscard]] double to_seconds(double rate_hz) const;
};

/// "1:02.5" (minutes), "1:02:03.5" (hours), "62.5s", "250ms", "48000f", "0". A number alone is refused: it could be any
/// of them. EX_USAGE that names `what` ("TIME", "--ramp").
[[nodiscard]] TimeText parse_time(std::string_view text, std::string_view what);

/// "1:02.500"; frames below 0 get a minus.
[[nodiscard]] std::string time_text(std::int64_t frames, double rate_hz);

}  // namespace continuo::cli
