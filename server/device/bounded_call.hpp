// THREAD: control - a call into a driver that may never come back is made on a thread of its own
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace continuo::device {

/// Makes this thread a driver thread, named "continuo-driver": an assertion that fails in a library on it does not end
/// the process (PortAudio asserts that a JACK server lives while it lets go of it). `died` is called instead, once, and
/// the thread stands still for ever, in the middle of the call. On all other threads assertions abort as ever.
void become_driver_thread(std::function<void()> died);

/// Runs `work` on a driver thread and waits for its value, but no longer than `bound`. Nothing: it is still at it and
/// goes on alone, for ever if need be; should it come back, `late` gets the value on that thread. Where a library gives
/// up in the middle, `died` speaks for `work`; where that happens within `late`, `late` is called once more, with
/// died()'s value. Exactly one of caller and `late` gets a value of `work`. So all three own what they touch.
template <class T>
[[nodiscard]] std::optional<T> call_bounded(std::chrono::milliseconds bound, std::function<T()> work,
                                            std::function<T()> died, std::function<void(T)> late) {
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<T> value;
    bool given_up = false;
    std::function<void(T)> late;

    void deliver(T got) {
      {
        const std::lock_guard lock(mutex);
        if (!given_up) {
          value = std::move(got);
          changed.notify_one();
          return;
        }
      }
      late(std::move(got));
    }
  };
  const auto shared = std::make_shared<Shared>();
  shared->late = std::move(late);
  std::thread([shared, work = std::move(work), died = std::move(died)] {
    become_driver_thread([shared, died] { shared->deliver(died()); });
    shared->deliver(work());
  }).detach();
  std::unique_lock lock(shared->mutex);
  if (!shared->changed.wait_for(lock, bound, [&] { return shared->value.has_value(); })) {
    shared->given_up = true;
    return std::nullopt;
  }
  return std::move(shared->value);
}

}  // namespace continuo::device
