// THREAD: control - counters that only rise: which of them rose lately
#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "rt/types.hpp"

namespace continuo::control {

/// What a counter says is for ever, what is wrong now is not: a count is news for kLately of sound, from the moment on
/// when somebody looked and saw that it had risen.
class Rises {
 public:
  static constexpr double kLatelySeconds = 60.0;

  [[nodiscard]] static bool lately(rt::FrameCount then, rt::FrameCount now, double rate_hz) noexcept {
    return static_cast<double>(now - then) <= kLatelySeconds * rate_hz;
  }

  /// `counter`: its name, a literal. It stands at `value` now.
  [[nodiscard]] bool rose(std::string_view counter, std::uint64_t value, rt::FrameCount now, double rate_hz) {
    Seen& seen = seen_[counter];
    if (value > seen.value) seen = {value, now};
    return seen.value > 0 && lately(seen.frame, now, rate_hz);
  }

 private:
  struct Seen {
    std::uint64_t value = 0;
    rt::FrameCount frame = 0;
  };
  std::map<std::string_view, Seen> seen_;
};

}  // namespace continuo::control
