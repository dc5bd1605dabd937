// THREAD: any but audio - a broken invariant of ours ends the daemon, in Release too
#pragma once

namespace continuo {

/// Writes the place and the expression to the log and aborts: a daemon in a state that we did not think of is worse
/// than one that its supervisor starts again.
[[noreturn]] void check_failed(const char* expression, const char* file, int line, const char* why) noexcept;

}  // namespace continuo

/// `why` says what the invariant is for. The audio thread counts instead (rt/counters.hpp).
#define CONTINUO_CHECK(expression, why) \
  (static_cast<bool>(expression) ? void(0) : ::continuo::check_failed(#expression, __FILE__, __LINE__, why))
