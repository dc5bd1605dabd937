#include "clients/cli/time_text.hpp"

#include <charconv>
#include <cmath>
#include <optional>

#include "clients/cli/failure.hpp"
#include "clients/cli/output.hpp"

namespace continuo::cli {
namespace {

constexpr double kMaxFrames = 9007199254740992.0;  // 2^53: what a double, and so JSON, counts exactly

// Digits with at most one point between or after them: no sign, no exponent, no "inf".
std::optional<double> decimal(std::string_view text) {
  if (text.empty() || text.front() == '.' || text.find_first_not_of("0123456789.") != std::string_view::npos) return {};
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

std::optional<std::int64_t> whole(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return {};
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value > static_cast<std::int64_t>(kMaxFrames)) return {};
  return value;
}

std::optional<TimeText> clock_text(std::string_view text) {
  const std::size_t last = text.rfind(':');
  std::string_view head = text.substr(0, last);
  const auto seconds = decimal(text.substr(last + 1));
  std::int64_t hours = 0;
  const std::size_t first = head.find(':');
  if (first != std::string_view::npos) {
    const auto value = whole(head.substr(0, first));
    if (!value) return {};
    hours = *value;
    head = head.substr(first + 1);
  }
  const auto minutes = whole(head);
  // 1:75 is a slip of the finger; 90:00 is an hour and a half.
  if (!seconds || !minutes || *seconds >= 60.0 || (first != std::string_view::npos && *minutes >= 60)) return {};
  return TimeText{false, 0, static_cast<double>(hours) * 3600.0 + static_cast<double>(*minutes) * 60.0 + *seconds};
}

std::optional<TimeText> parse(std::string_view text) {
  if (text == "0") return TimeText{};
  if (text.find(':') != std::string_view::npos) return clock_text(text);
  const auto in_seconds = [](std::optional<double> value, double scale) -> std::optional<TimeText> {
    if (!value) return {};
    return TimeText{false, 0, *value / scale};
  };
  if (text.ends_with("ms")) return in_seconds(decimal(text.substr(0, text.size() - 2)), 1000.0);
  if (text.ends_with('s')) return in_seconds(decimal(text.substr(0, text.size() - 1)), 1.0);
  if (text.ends_with('f')) {
    const auto frames = whole(text.substr(0, text.size() - 1));
    if (!frames) return {};
    return TimeText{true, *frames, 0.0};
  }
  return {};
}

}  // namespace

std::int64_t TimeText::to_frames(double rate_hz) const {
  if (is_frames) return frames;
  const double exact = seconds * rate_hz;
  if (!(exact < kMaxFrames)) throw Failure(kUsage, "TIME_RANGE", "", "the time is beyond 2^53 frames");
  return std::llround(exact);
}

double TimeText::to_seconds(double rate_hz) const {
  if (!is_frames) return seconds;
  return rate_hz > 0.0 ? static_cast<double>(frames) / rate_hz : 0.0;
}

TimeText parse_time(std::string_view text, std::string_view what) {
  if (const auto time = parse(text)) return *time;
  throw Failure(kUsage, "BAD_TIME", std::string(what),
                "'" + std::string(text) + "' is not a time; write 1:02.5, 62.5s, 250ms or 48000f");
}

std::string time_text(std::int64_t frames, double rate_hz) {
  if (!(rate_hz > 0.0)) return std::to_string(frames) + "f";
  const bool negative = frames < 0;
  const auto ms = static_cast<std::int64_t>(std::floor(std::fabs(static_cast<double>(frames)) * 1000.0 / rate_hz));
  const std::int64_t seconds = ms / 1000;
  const std::int64_t hours = seconds / 3600;
  const auto minutes = static_cast<int>(seconds / 60 % 60);
  const std::string tail = format("%02d.%03d", static_cast<int>(seconds % 60), static_cast<int>(ms % 1000));
  const std::string head =
      hours > 0 ? format("%lld:%02d:", static_cast<long long>(hours), minutes) : format("%d:", minutes);
  return (negative ? "-" : "") + head + tail;
}

}  // namespace continuo::cli
