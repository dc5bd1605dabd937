// THREAD: audio writes, any thread reads - levels as memory, not as a stream of events
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/meter_feed.hpp"
#include "rt/prefetch.hpp"
#include "rt/snapshot.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// How many frames one window of a meter covers: 8 blocks, counted on the engine clock, so that a window does not
/// depend on the device's buffer size. A node's first may be shorter.
inline constexpr std::uint32_t kMeterWindowFrames = 512;

/// How many windows a slot remembers: 0.68 s at 48 kHz. A reader that comes at least that often misses no peak.
inline constexpr std::uint32_t kMeterHistory = 64;

/// One channel's levels over one window. Linear; full scale is 1.0.
struct MeterWindow {
  FrameCount end_frame = 0;  // engine frame just after the window
  float peak = 0.0f;         // largest absolute sample
  float mean_square = 0.0f;  // average of the squares
};

/// One channel's bounded history. The audio thread is its only writer: no read changes anything, so any number of
/// clients each fold the maxima since their own last read (MeterReader).
class MeterSlot {
 public:
  /// Audio thread. Wait-free.
  void publish(const MeterWindow& window) noexcept RT_NONBLOCKING {
    const std::uint64_t n = published_.load(std::memory_order_relaxed);
    history_[n % kMeterHistory].write(window);
    published_.store(n + 1, std::memory_order_release);
  }
  /// Audio thread: the `n`th window will be published soon. Each lies in memory that was last touched kMeterHistory
  /// windows ago.
  void prepare(std::uint64_t n) noexcept RT_NONBLOCKING {
    prefetch_to_write(&history_[n % kMeterHistory]);
    prefetch_to_write(&published_);
  }
  /// Any thread: soon somebody reads what was published, and from the `n`th window on. Where the audio thread has just
  /// written, on another core, each line is far away: they come side by side.
  void expect(std::uint64_t n) const noexcept RT_NONBLOCKING {
    prefetch(&published_);
    for (std::uint64_t i = n; i < n + 4; i += 2) prefetch(&history_[i % kMeterHistory]);
  }
  /// Any thread. Windows published so far.
  [[nodiscard]] std::uint64_t published() const noexcept RT_NONBLOCKING {
    return published_.load(std::memory_order_acquire);
  }
  /// Any thread. Window number `n` (from 0); false when it was never written, is overwritten, or is being overwritten.
  [[nodiscard]] bool try_read(std::uint64_t n, MeterWindow& window) const noexcept RT_NONBLOCKING {
    const std::uint64_t now = published();
    if (n >= now || now - n > kMeterHistory - 1) return false;
    return history_[n % kMeterHistory].try_read(window) && published() - n <= kMeterHistory - 1;
  }

 private:
  std::atomic<std::uint64_t> published_{0};
  std::array<Snapshot<MeterWindow>, kMeterHistory> history_;
};

/// One slot a channel, and whether anybody looks at them: what nobody looks at is not measured. Shared between a
/// meter's node and its readers: the slots live as long as either.
class MeterSlots {
 public:
  explicit MeterSlots(std::size_t channels) : slots_(channels) {}

  [[nodiscard]] std::size_t size() const noexcept RT_NONBLOCKING { return slots_.size(); }
  [[nodiscard]] MeterSlot& operator[](std::size_t channel) noexcept RT_NONBLOCKING { return slots_[channel]; }
  [[nodiscard]] const MeterSlot& operator[](std::size_t channel) const noexcept { return slots_[channel]; }
  [[nodiscard]] auto begin() noexcept RT_NONBLOCKING { return slots_.begin(); }
  [[nodiscard]] auto end() noexcept RT_NONBLOCKING { return slots_.end(); }

  /// Audio thread, at the end of a window.
  [[nodiscard]] bool looked_at() const noexcept RT_NONBLOCKING { return readers_.load(std::memory_order_relaxed) != 0; }
  /// Audio thread, at the end of a window: where the sound itself goes, if anybody listens. `before`: where it went.
  /// Who listens anew either keeps it going or finds there, to be cleared, all that the one before was fed: the
  /// read-modify-write puts the two in an order, where it stops.
  [[nodiscard]] MeterFeed* fed(const MeterFeed* before = nullptr) noexcept RT_NONBLOCKING {
    std::uint32_t listeners = listeners_.load(std::memory_order_acquire);
    if (listeners == 0 && before != nullptr) listeners = listeners_.fetch_add(0, std::memory_order_acq_rel);
    return listeners != 0 ? feed_.get() : nullptr;
  }

 private:
  friend class MeterLook;
  friend class MeterListen;
  std::atomic<std::uint32_t> readers_{0};
  std::atomic<std::uint32_t> listeners_{0};
  std::unique_ptr<MeterFeed> feed_;  // made for the first listener, before it counts; it lives as long as the slots
  std::vector<MeterSlot> slots_;
};

/// While it lives its meter measures: from the end of the window on in which it was made. Any thread.
class MeterLook {
 public:
  explicit MeterLook(std::shared_ptr<MeterSlots> slots) : slots_(std::move(slots)) {
    slots_->readers_.fetch_add(1, std::memory_order_relaxed);
  }
  ~MeterLook() {
    if (slots_) slots_->readers_.fetch_sub(1, std::memory_order_relaxed);
  }
  MeterLook(MeterLook&&) noexcept = default;
  MeterLook& operator=(MeterLook&&) = delete;
  MeterLook(const MeterLook&) = delete;
  MeterLook& operator=(const MeterLook&) = delete;

 private:
  std::shared_ptr<MeterSlots> slots_;
};

/// While it lives its meter measures, and its sound is fed, from the end of the window on in which it was made. One at
/// a time for each meter, of one thread: that one drains the feed.
class MeterListen {
 public:
  /// Not on the audio thread. `frames`: how late the drain may be.
  MeterListen(std::shared_ptr<MeterSlots> slots, std::size_t frames) : look_(slots), slots_(std::move(slots)) {
    if (!slots_->feed_) slots_->feed_ = std::make_unique<MeterFeed>(static_cast<std::uint32_t>(slots_->size()), frames);
    slots_->listeners_.fetch_add(1, std::memory_order_acq_rel);
    slots_->feed_->clear();  // not before it counts: see fed()
  }
  ~MeterListen() {
    if (slots_) slots_->listeners_.fetch_sub(1, std::memory_order_release);
  }
  MeterListen(MeterListen&&) noexcept = default;
  MeterListen& operator=(MeterListen&&) = delete;
  MeterListen(const MeterListen&) = delete;
  MeterListen& operator=(const MeterListen&) = delete;

  [[nodiscard]] MeterFeed& feed() const noexcept { return *slots_->feed_; }

 private:
  MeterLook look_;
  std::shared_ptr<MeterSlots> slots_;
};

/// The levels that one reader has not seen yet, folded: the greatest peak and the average power of all windows since
/// its last read. Owned by the reader; any one thread.
struct MeterReader {
  std::uint64_t next = 0;
  /// Folds what is new. False when nothing is. `missed` counts windows that were overwritten before they were read.
  [[nodiscard]] bool fold(const MeterSlot& slot, MeterWindow& out, std::uint64_t& missed) noexcept {
    const std::uint64_t now = slot.published();
    if (now - next > kMeterHistory - 1) {
      missed += now - next - (kMeterHistory - 1);
      next = now - (kMeterHistory - 1);
    }
    MeterWindow w;
    std::uint32_t count = 0;
    float power = 0.0f;
    out = {};
    for (; next < now; ++next) {
      if (!slot.try_read(next, w)) {
        ++missed;
        continue;
      }
      out.peak = w.peak > out.peak ? w.peak : out.peak;
      out.end_frame = w.end_frame;
      power += w.mean_square;
      ++count;
    }
    if (count == 0) return false;
    out.mean_square = power / static_cast<float>(count);
    return true;
  }
};

}  // namespace continuo::rt
