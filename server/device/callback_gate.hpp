// THREAD: control opens and closes, audio enters - who may not come in any more, decided in one atomic word
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "rt/annotations.hpp"

namespace continuo::device {

/// Guards what a callback reaches. Once close() has returned and wait_left() has answered true, nothing behind the gate
/// is touched again, however late a thread of a frozen audio server wakes up. The word is `generation << 1 | busy`. An
/// odd generation is open. One audio thread at a time.
class CallbackGate {
 public:
  /// Control thread. What it wrote before is seen by whoever enters. Open already: nothing happens.
  void open() noexcept { turn(false); }

  /// Control thread. No try_enter() succeeds after it; one that did before may still be inside.
  void close() noexcept { turn(true); }

  /// Control thread. True once nobody is inside; false after `bound`.
  [[nodiscard]] bool wait_left(std::chrono::milliseconds bound) const {
    const auto end = std::chrono::steady_clock::now() + bound;
    while (word_.load(std::memory_order_acquire) & kBusy) {
      if (std::chrono::steady_clock::now() >= end) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return true;
  }

  /// Audio thread. Wait-free. False: closed, or being closed this instant; the caller writes silence and goes.
  [[nodiscard]] bool try_enter() noexcept RT_NONBLOCKING {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    if (!(word & kOpen) || (word & kBusy)) return false;
    return word_.compare_exchange_strong(word, word | kBusy, std::memory_order_acquire, std::memory_order_relaxed);
  }

  /// Audio thread, after a try_enter() that succeeded. Wait-free.
  void leave() noexcept RT_NONBLOCKING { word_.fetch_and(~kBusy, std::memory_order_release); }

  [[nodiscard]] bool is_open() const noexcept { return word_.load(std::memory_order_acquire) & kOpen; }
  /// Rises by one with each open() and close() that changed something.
  [[nodiscard]] std::uint64_t generation() const noexcept { return word_.load(std::memory_order_acquire) >> 1; }

 private:
  static constexpr std::uint64_t kBusy = 1;
  static constexpr std::uint64_t kOpen = 2;  // the generation's lowest bit

  // The busy bit changes under our hands, the rest does not: only the control thread writes it.
  void turn(bool from_open) noexcept {
    if (is_open() == from_open) word_.fetch_add(2, std::memory_order_acq_rel);
  }

  std::atomic<std::uint64_t> word_{0};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

}  // namespace continuo::device
