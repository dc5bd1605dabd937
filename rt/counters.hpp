// THREAD: audio writes, any thread reads - losses, load, clocks: relaxed atomics and one snapshot
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/fault.hpp"
#include "rt/snapshot.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// Both clocks at one instant.
struct ClockReading {
  FrameCount engine_frame = 0;    // of the next frame to be rendered
  FrameCount timeline_frame = 0;  // engine-rate frames
  std::uint64_t applied = 0;      // sequence number of the last command that was applied or refused
  std::uint64_t rolling = 0;      // 1 while the timeline rolls
};

/// How long callbacks took, in powers of two of the time-stamp counter's ticks. Written by the device's callback.
class Histogram {
 public:
  static constexpr std::size_t kBuckets = 64;
  void add(std::uint64_t ticks) noexcept RT_NONBLOCKING {
    const auto bucket = static_cast<std::size_t>(std::bit_width(ticks));
    buckets_[bucket < kBuckets ? bucket : kBuckets - 1].fetch_add(1, std::memory_order_relaxed);
    if (ticks > worst_.load(std::memory_order_relaxed)) worst_.store(ticks, std::memory_order_relaxed);
    total_.fetch_add(ticks, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t bucket(std::size_t i) const noexcept {
    return buckets_[i].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t worst_ticks() const noexcept { return worst_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t total_ticks() const noexcept { return total_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};  // [i]: 2^(i-1) <= ticks < 2^i
  std::atomic<std::uint64_t> worst_{0};
  std::atomic<std::uint64_t> total_{0};
};

/// What the renderer counts. "Cannot happen" is in here too.
struct Counters {
  Snapshot<ClockReading> clock;                        // after every device buffer
  std::atomic<std::uint64_t> buffers{0};               // device buffers rendered
  std::atomic<std::uint64_t> commands_orphaned{0};     // their node was gone
  std::atomic<std::uint64_t> commands_refused{0};      // the schedule was full
  std::atomic<std::uint64_t> automation_refused{0};    // lanes that do not run: too many do
  std::atomic<std::uint64_t> starved_frames{0};        // frames that players asked for in vain
  std::atomic<std::uint64_t> lost_record_frames{0};    // frames that found a recorder's ring full
  std::atomic<std::uint64_t> non_finite_samples{0};    // NaN or Inf that reached the device output, sent as silence
  std::atomic<std::uint64_t> non_finite_inputs{0};     // samples, that came from the device; taken as silence
  std::atomic<std::uint64_t> non_finite_recorded{0};   // samples, that reached a take; written as silence
  std::atomic<std::uint64_t> ceiling_samples{0};       // beyond the device output's ceiling, cut off there
  std::atomic<std::uint64_t> node_faults{0};           // times that a node was muted (guard.hpp), or its input was bad
  FaultLog faults;                                     // which: at most FaultLog::kCapacity wait to be read
  std::atomic<std::uint64_t> buffers_without_plan{0};  // silence, because no plan was there yet
  std::atomic<std::uint64_t> events_lost{0};           // cannot happen: room for each was made sure of before
};

}  // namespace continuo::rt
