// THREAD: any one thread - what one reader has not seen yet of all of a meter's channels
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "rt/meter.hpp"

namespace continuo::rt {

/// As MeterReader, of a whole meter: its channels are always folded over the same windows, those that each of them has,
/// so that they can be compared. Owned by the reader; any one thread.
struct MeterChannelsReader {
  std::uint64_t next = 0;

  /// Windows that every channel has published; 0 of a meter without channels.
  [[nodiscard]] static std::uint64_t published(const MeterSlots& slots) noexcept {
    std::uint64_t least = slots.size() == 0 ? 0 : slots[0].published();
    for (std::size_t c = 1; c < slots.size(); ++c) least = std::min(least, slots[c].published());
    return least;
  }

  /// One for whom all that is there is old.
  [[nodiscard]] static MeterChannelsReader from_now(const MeterSlots& slots) noexcept { return {published(slots)}; }

  /// Folds what is new into `out`, one window a channel. False when nothing is: `out` then says nothing. `missed`
  /// counts windows that were overwritten, in any channel, before they were read. Bounded: where the audio thread
  /// overwrites windows under this read it begins anew behind them, at most kMeterHistory times.
  [[nodiscard]] bool fold(const MeterSlots& slots, std::span<MeterWindow> out, std::uint64_t& missed) noexcept {
    for (std::size_t c = 0; c < slots.size(); ++c) slots[c].expect(next);
    const std::uint64_t end = published(slots);
    std::uint64_t begin = next;
    for (std::size_t c = 0; c < slots.size(); ++c) {
      const std::uint64_t now = slots[c].published();
      begin = now > kMeterHistory - 1 ? std::max(begin, now - (kMeterHistory - 1)) : begin;
    }
    while (begin < end && !fold(slots, out, begin, end)) {
    }
    begin = std::min(begin, end);
    if (begin > next) missed += begin - next;
    const bool any = begin < end;
    next = std::max(next, end);
    return any;
  }

 private:
  /// False, and `begin` behind it, where a window is gone.
  static bool fold(const MeterSlots& slots, std::span<MeterWindow> out, std::uint64_t& begin,
                   std::uint64_t end) noexcept {
    const auto count = static_cast<float>(end - begin);
    for (std::size_t c = 0; c < out.size() && c < slots.size(); ++c) {
      MeterWindow all, w;
      for (std::uint64_t n = begin; n < end; ++n) {
        if (!slots[c].try_read(n, w)) {
          begin = n + 1;
          return false;
        }
        all.peak = w.peak > all.peak ? w.peak : all.peak;
        all.mean_square += w.mean_square;
        all.end_frame = w.end_frame;
      }
      all.mean_square /= count;
      out[c] = all;
    }
    return true;
  }
};

}  // namespace continuo::rt
