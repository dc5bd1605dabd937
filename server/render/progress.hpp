// THREAD: job - how far a render is, for a person who waits
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>

namespace continuo::render {

/// "43 %, 57 times real time". One line that is rewritten on a terminal; elsewhere lines of their own, at most one a
/// second.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  Progress(std::FILE* to, bool terminal, std::function<Clock::time_point()> now = [] { return Clock::now(); });

  void show(std::int64_t done, std::int64_t frames, double rate_hz);
  /// Leaves the line, so that others may write.
  void end();

 private:
  std::FILE* const to_;
  const bool terminal_;
  const std::function<Clock::time_point()> now_;
  const Clock::time_point began_;
  Clock::time_point shown_;
  bool whole_ = false;  // 100 % was said, and is said once
  bool open_ = false;   // the cursor stands in a line of ours
};

}  // namespace continuo::render
