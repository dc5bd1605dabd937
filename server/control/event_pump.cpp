#include "server/control/event_pump.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace continuo::control {
namespace {
using namespace std::chrono_literals;
}

EventPump::EventPump(Strand& strand, Hooks hooks) : hooks_(std::move(hooks)), timer_(strand) {}

void EventPump::wake() {
  busy_since_ = Clock::now();
  if (!stopped_) arm(1ms);
}

void EventPump::at_frame(rt::FrameCount frame, std::chrono::milliseconds limit, std::function<void(bool)> then) {
  waiters_.push_back({frame, Clock::now() + limit, std::move(then)});
  wake();
}

void EventPump::alarm(std::optional<rt::FrameCount> frame) {
  alarm_ = frame;
  if (alarm_ && !stopped_ && !turning_) arm(1ms);
}

void EventPump::stop() {
  stopped_ = true;
  waiters_.clear();
  alarm_.reset();
  timer_.cancel();
}

void EventPump::arm(Clock::duration after) {
  const auto when = Clock::now() + after;
  if (timer_.waiting() && timer_.when() <= when) return;
  timer_.at(when, [this] { turn(); });
}

void EventPump::turn() {
  turning_ = true;
  hooks_.poll();
  turning_ = false;
  const auto now = Clock::now();
  const rt::FrameCount frame = hooks_.frame();
  std::vector<std::pair<std::function<void(bool)>, bool>> due;
  for (auto at = waiters_.begin(); at != waiters_.end();) {
    const bool came = frame >= at->frame;
    if (!came && now < at->limit) {
      ++at;
      continue;
    }
    due.emplace_back(std::move(at->then), came);
    at = waiters_.erase(at);
  }
  for (auto& [then, came] : due) then(came);
  if (stopped_ || (!hooks_.outstanding() && waiters_.empty() && !alarm_)) return;
  if (hooks_.outstanding()) {
    const auto busy = now - busy_since_;
    return arm(busy < 200ms ? 1ms : busy < 2s ? 5ms : 20ms);
  }
  // Waiters alone: come when the first of them is nearly due.
  double seconds = 0.2;
  if (alarm_) seconds = std::min(seconds, static_cast<double>(*alarm_ - frame) / hooks_.rate_hz());
  for (const Waiter& waiter : waiters_) {
    seconds = std::min(seconds, static_cast<double>(waiter.frame - frame) / hooks_.rate_hz());
    seconds = std::min(seconds, std::chrono::duration<double>(waiter.limit - now).count());
  }
  arm(std::chrono::microseconds(std::max<std::int64_t>(1000, static_cast<std::int64_t>(seconds * 9e5))));
}

}  // namespace continuo::control
