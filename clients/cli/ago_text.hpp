// THREAD: any - moments of the past as people write them
#pragma once

#include <cstdint>
#include <string_view>

namespace continuo::cli {

/// Seconds since 1970, with a fraction cut off. "90s", "15m", "3h", "2d": so long before `now`; "03:12" or "03:12:30":
/// the last time that the clocks here showed it; "@2026-11-20T03:12:00Z". EX_USAGE that names `what`.
[[nodiscard]] std::int64_t parse_ago(std::string_view text, std::int64_t now, std::string_view what);

}  // namespace continuo::cli
