// THREAD: control - when to look at the ring of events: often while something is under way, else never
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "rt/types.hpp"
#include "server/control/timer.hpp"

namespace continuo::control {

/// The audio thread must not wake anybody, so control looks: every millisecond while an answer is due, ever more seldom
/// while the device stands still, not at all while nothing is outstanding (an idle daemon stays idle).
class EventPump {
 public:
  struct Hooks {
    std::function<void()> poll;             // takes the events that are there
    std::function<bool()> outstanding;      // a command is under way
    std::function<rt::FrameCount()> frame;  // the engine frame of now
    std::function<double()> rate_hz;        // of the engine
  };
  EventPump(Strand& strand, Hooks hooks);

  /// Something was sent: look soon.
  void wake();
  /// `then` once the engine has come to `frame`, or after `limit` where the device stands still; its argument says
  /// whether it came.
  void at_frame(rt::FrameCount frame, std::chrono::milliseconds limit, std::function<void(bool)> then);
  /// poll() is called when the engine has come to `frame`, and now and then before; in place of the alarm before. None:
  /// for nothing.
  void alarm(std::optional<rt::FrameCount> frame);
  /// Nothing is called any more.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiter {
    rt::FrameCount frame;
    Clock::time_point limit;
    std::function<void(bool)> then;
  };
  void arm(Clock::duration after);
  void turn();

  Hooks hooks_;
  Timer timer_;
  std::vector<Waiter> waiters_;
  std::optional<rt::FrameCount> alarm_;
  Clock::time_point busy_since_;
  bool stopped_ = false;
  bool turning_ = false;  // it arms itself afterwards
};

}  // namespace continuo::control
