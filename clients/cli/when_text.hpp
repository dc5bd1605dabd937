// THREAD: any - moments as people write them: +3s, 1:02.5, 48000f, @2026-11-20T12:00:00Z
#pragma once

#include <string_view>

#include "continuo/v1/types.pb.h"

namespace continuo::cli {

/// "+3s": after that long. "@...Z": UTC. "1:02.5", "62.5s", "48000f": the timeline's next pass over it; that needs the
/// timeline's rate unless it is in frames. EX_USAGE.
[[nodiscard]] v1::When parse_when(std::string_view text, double timeline_rate_hz);

/// The rate is needed to read `text`.
[[nodiscard]] bool when_needs_rate(std::string_view text);

}  // namespace continuo::cli
