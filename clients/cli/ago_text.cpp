#include "clients/cli/ago_text.hpp"

#include <google/protobuf/util/time_util.h>

#include <charconv>
#include <cstdio>
#include <ctime>
#include <string>

#include "clients/cli/failure.hpp"

namespace continuo::cli {

std::int64_t parse_ago(std::string_view text, std::int64_t now, std::string_view what) {
  const Failure wrong(kUsage, "BAD_TIME", std::string(what),
                      "'" + std::string(text) + "' is no moment: write 15m, 3h, 2d, 03:12 or @2026-11-20T03:12:00Z");
  if (text.starts_with('@')) {
    google::protobuf::Timestamp time;
    if (!google::protobuf::util::TimeUtil::FromString(std::string(text.substr(1)), &time)) throw wrong;
    return time.seconds();
  }
  int hour = 0;
  int minute = 0;
  int second = 0;
  int used = 0;
  const std::string word(text);
  if (word.find(':') != std::string::npos) {
    const int read = std::sscanf(word.c_str(), "%2d:%2d%n:%2d%n", &hour, &minute, &used, &second, &used);
    if (read < 2 || static_cast<std::size_t>(used) != word.size() || hour < 0 || hour > 23 || minute < 0 ||
        minute > 59 || second < 0 || second > 60)
      throw wrong;
    const std::time_t today = static_cast<std::time_t>(now);
    std::tm parts{};
    localtime_r(&today, &parts);
    parts.tm_hour = hour;
    parts.tm_min = minute;
    parts.tm_sec = second;
    parts.tm_isdst = -1;
    std::int64_t at = std::mktime(&parts);
    if (at > now) {
      --parts.tm_mday;
      parts.tm_isdst = -1;
      at = std::mktime(&parts);
    }
    return at;
  }
  std::int64_t count = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(word.data() + word.size() - end));
  const std::int64_t seconds = unit == "s" ? 1 : unit == "m" ? 60 : unit == "h" ? 3600 : unit == "d" ? 86400 : 0;
  if (problem != std::errc() || seconds == 0 || count < 0 || count > 1'000'000'000 / seconds * 10) throw wrong;
  return now - count * seconds;
}

}  // namespace continuo::cli
