#include "server/journal/utc.hpp"

#include <google/protobuf/util/time_util.h>

#include <chrono>
#include <cstdio>
#include <ctime>

namespace continuo::journal {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

std::string utc_text(std::int64_t utc_ns) {
  const std::time_t seconds = static_cast<std::time_t>(utc_ns / kSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + n, sizeof text - n, ".%09dZ", static_cast<int>(utc_ns % kSecond));
  return text;
}

std::optional<std::int64_t> parse_utc(const std::string& text) {
  google::protobuf::Timestamp time;
  if (!text.ends_with('Z') || !google::protobuf::util::TimeUtil::FromString(text, &time)) return std::nullopt;
  // The years in which nanoseconds fit into 63 bits.
  constexpr std::int64_t kLatest = std::int64_t{9'223'372'035};
  if (time.seconds() < 0 || time.seconds() > kLatest) return std::nullopt;
  return time.seconds() * kSecond + time.nanos();
}

std::int64_t utc_now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

}  // namespace continuo::journal
