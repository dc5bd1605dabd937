// THREAD: control - one call later, which never comes after the timer is gone
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "server/control/strand.hpp"

namespace continuo::control {

/// A waiting handler of Asio may be under way when its timer is destroyed or set anew; this one then stays silent.
class Timer {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Timer(Strand& strand) : timer_(strand.io()) {}
  ~Timer() { cancel(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  /// Replaces the call that waits.
  void at(Clock::time_point when, std::function<void()> then) {
    cancel();
    waiting_ = std::make_shared<bool>(true);
    timer_.expires_at(when);
    timer_.async_wait([waiting = waiting_, then = std::move(then), this](const boost::system::error_code&) {
      if (!*waiting) return;
      waiting_.reset();
      then();
    });
  }
  void after(Clock::duration time, std::function<void()> then) { at(Clock::now() + time, std::move(then)); }

  void cancel() {
    if (waiting_) *waiting_ = false;
    waiting_.reset();
    timer_.cancel();
  }
  [[nodiscard]] bool waiting() const noexcept { return waiting_ != nullptr; }
  [[nodiscard]] Clock::time_point when() const { return timer_.expiry(); }

 private:
  boost::asio::steady_timer timer_;
  std::shared_ptr<bool> waiting_;
};

}  // namespace continuo::control
