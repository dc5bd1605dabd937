// THREAD: any - UTC as RFC 3339 text
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace continuo::journal {

/// Nanoseconds since 1970: "2026-11-20T03:12:00.000000000Z".
[[nodiscard]] std::string utc_text(std::int64_t utc_ns);
/// "2026-11-20T03:12:00Z", with a fraction or without, of the years 1970 to 2262; none for anything else.
[[nodiscard]] std::optional<std::int64_t> parse_utc(const std::string& text);
[[nodiscard]] std::int64_t utc_now_ns();

}  // namespace continuo::journal
