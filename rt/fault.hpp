// THREAD: audio and its workers write, control reads - which nodes gave what is no number, and when
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

struct Fault {
  Uid node = 0;
  FrameCount frame = 0;        // engine frame behind the sample that gave it away
  FrameCount muted_until = 0;  // engine frame; not above `frame`: it was not muted (the device's input)
};

/// A bounded queue for any number of writers and one reader, with no retry on either side. The loser is the newcomer:
/// counted, not kept (Counters::node_faults counts it all the same).
class FaultLog {
 public:
  static constexpr std::uint32_t kCapacity = 256;

  /// Audio thread or one of its workers. Wait-free. False when full: counted here.
  bool try_push(const Fault& fault) noexcept RT_NONBLOCKING {
    // Whoever gets a place here will find a cell: cells are given back before places are.
    if (used_.fetch_add(1, std::memory_order_acquire) >= kCapacity) {
      used_.fetch_sub(1, std::memory_order_relaxed);
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    // The pop that emptied this ticket's cell may have been seen only by a writer who got its place after us and its
    // ticket before: the order of the tickets passes on what each has seen.
    const std::uint64_t ticket = next_.fetch_add(1, std::memory_order_acq_rel);
    Cell& cell = cells_[ticket % kCapacity];
    cell.fault = fault;
    cell.ready.store(ticket + 1, std::memory_order_release);
    return true;
  }

  /// Control thread, one at a time. False: none, or the next is just being written.
  [[nodiscard]] bool try_pop(Fault& fault) noexcept {
    Cell& cell = cells_[read_ % kCapacity];
    if (cell.ready.load(std::memory_order_acquire) != read_ + 1) return false;
    fault = cell.fault;
    ++read_;
    used_.fetch_sub(1, std::memory_order_release);
    return true;
  }

  /// Any thread.
  [[nodiscard]] std::uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Cell {
    std::atomic<std::uint64_t> ready{0};  // the ticket it holds, and 1
    Fault fault;
  };
  std::array<Cell, kCapacity> cells_;
  std::atomic<std::uint32_t> used_{0};
  std::atomic<std::uint64_t> next_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::uint64_t read_ = 0;  // the reader's own
};

}  // namespace continuo::rt
