#include "server/render/time_text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace continuo::render {
namespace {

constexpr double kMaxSeconds = 1e6;
constexpr std::int64_t kMaxFrames = std::int64_t{1} << 40;

/// All of `text` as a plain decimal ("12", "2.5"): no sign, no exponent, no "inf".
bool read_decimal(std::string_view text, double& value) {
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return error == std::errc() && end == text.data() + text.size();
}

/// "02" or "02.5" after a colon: one or two digits before the point, below 60.
bool read_part(std::string_view text, double& value) {
  const std::size_t whole = std::min(text.find('.'), text.size());
  return whole >= 1 && whole <= 2 && read_decimal(text, value) && value < 60.0;
}

bool read_clock(std::string_view text, double& seconds) {
  const std::size_t colon = text.find(':');
  double first = 0.0;
  if (!read_decimal(text.substr(0, colon), first) || text.substr(0, colon).find('.') != std::string_view::npos)
    return false;
  std::string_view rest = text.substr(colon + 1);
  const std::size_t second_colon = rest.find(':');
  if (second_colon != std::string_view::npos) {
    double minutes = 0.0;
    const std::string_view middle = rest.substr(0, second_colon);
    if (middle.find('.') != std::string_view::npos || !read_part(middle, minutes)) return false;
    first = first * 60.0 + minutes;
    rest = rest.substr(second_colon + 1);
  }
  double last = 0.0;
  if (!read_part(rest, last)) return false;
  seconds = first * 60.0 + last;
  return true;
}

}  // namespace

std::int64_t TimeText::to_frames(double rate_hz, double text_rate_hz) const {
  if (is_frames && rate_hz == text_rate_hz) return frames;
  const double at = is_frames ? static_cast<double>(frames) / text_rate_hz : seconds;
  return static_cast<std::int64_t>(std::llround(at * rate_hz));
}

Result<TimeText> parse_time(std::string_view text, std::string_view field) {
  const auto refuse = [&](const char* why) {
    return make_error(ErrorKind::invalid_argument, "BAD_TIME", std::string(field),
                      std::string(field) + ": \"" + std::string(text) + "\" " + why);
  };
  TimeText time;
  bool good = false;
  if (text == "0") {
    good = true;
  } else if (text.find(':') != std::string_view::npos) {
    good = read_clock(text, time.seconds);
  } else if (text.ends_with("ms")) {
    good = read_decimal(text.substr(0, text.size() - 2), time.seconds);
    time.seconds /= 1000.0;
  } else if (text.ends_with('s')) {
    good = read_decimal(text.substr(0, text.size() - 1), time.seconds);
  } else if (text.ends_with('f')) {
    const std::string_view digits = text.substr(0, text.size() - 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), time.frames);
    time.is_frames = true;
    good = error == std::errc() && end == digits.data() + digits.size() && !digits.starts_with('-');
  }
  if (!good) return refuse("is no time; write 1:02.5, 62.5s, 250ms or 48000f");
  if (time.seconds > kMaxSeconds || time.frames > kMaxFrames)
    return refuse("is too long; at most 1000000s or 1099511627776f");
  return time;
}

}  // namespace continuo::render
