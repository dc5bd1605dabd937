#include "clients/cli/when_text.hpp"

#include <google/protobuf/util/time_util.h>

#include <string>

#include "clients/cli/failure.hpp"
#include "clients/cli/time_text.hpp"

namespace continuo::cli {

bool when_needs_rate(std::string_view text) {
  return !text.starts_with('+') && !text.starts_with('@') && !text.ends_with('f');
}

v1::When parse_when(std::string_view text, double timeline_rate_hz) {
  v1::When when;
  if (text.starts_with('@')) {
    const std::string utc(text.substr(1));
    google::protobuf::Timestamp parsed;
    if (!google::protobuf::util::TimeUtil::FromString(utc, &parsed)) {
      throw Failure(kUsage, "BAD_TIME", "--at", "'" + utc + "' is not a UTC time; write @2026-11-20T12:00:00Z");
    }
    when.set_utc(utc);
  } else if (text.starts_with('+')) {
    const TimeText time = parse_time(text.substr(1), "--at");
    if (time.is_frames)
      throw Failure(kUsage, "BAD_TIME", "--at", "'" + std::string(text) + "': after so many seconds, as in +3s");
    when.set_after_seconds(time.seconds);
  } else {
    when.set_timeline_frame(parse_time(text, "--at").to_frames(timeline_rate_hz));
  }
  return when;
}

}  // namespace continuo::cli
