// THREAD: job - how far a render is, for a person who waits
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <utility>

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

/// {"progress":0.5}: the same for a program, at most ten a second.
class ProgressLines {
 public:
  using Clock = Progress::Clock;
  explicit ProgressLines(
      std::FILE* to, std::function<Clock::time_point()> now = [] { return Clock::now(); })
      : to_(to), now_(std::move(now)) {}
  /// False where nobody reads any more.
  [[nodiscard]] bool show(std::int64_t done, std::int64_t frames);

 private:
  std::FILE* const to_;
  const std::function<Clock::time_point()> now_;
  std::optional<Clock::time_point> shown_;
};

}  // namespace continuo::render
