// THREAD: control posts, its own thread works - what is too slow for the strand and not a disk stream's business
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace continuo::control {

/// One thread, first in first out. A driver call may hang for minutes, so nobody waits for it without a bound.
class Worker {
 public:
  explicit Worker(const char* thread_name);
  /// Waits up to `kPatience` for the work under way; what still waits in line is dropped. A thread that is stuck by
  /// then is left alone with its own state.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  static constexpr std::chrono::milliseconds kPatience{500};

  void post(std::function<void()> work);
  /// True once everything posted before is done; false after `limit`.
  [[nodiscard]] bool wait_idle(std::chrono::milliseconds limit);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace continuo::control
