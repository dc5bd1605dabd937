// THREAD: control makes, any thread reads - where the items of a player's queue lie on its source's axis
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/scale_frames.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// Never changed once it was handed over. Items follow one another on the axis of the source's frames; where two
/// overlap, the one that comes in is the one that sounds. A queue that goes round has rows of its first round, up to
/// `cycle_begin`, and rows of what then comes again and again.
struct PlayTable {
  struct Row {
    FrameCount begin = 0;   // on the axis; in a cycle: in the cycle's frames, from its beginning
    FrameCount frames = 0;  // of the item, all of it; kEndless
    FrameCount before = 0;  // frames of its round before it
    Uid uid = 0;
    std::uint32_t number = 0;  // in the queue, from 1
  };
  std::uint64_t revision = 0;   // of the queue
  std::uint32_t count = 0;      // its items, those that cannot be played too
  FrameCount length = 0;        // of one round; kEndless where an item has no end
  std::vector<Row> first;       // begins rise
  std::vector<Row> again;       // of the cycle; empty: there is none
  FrameCount cycle_begin = 0;   // on the axis
  FrameCount cycle_frames = 0;  // the cycle's own, of which from_hz are to_hz of the axis
  std::uint32_t from_hz = 1;
  std::uint32_t to_hz = 1;
  FrameCount end = 0;  // where a queue that does not go round is over

  struct Place {
    const Row* row = nullptr;     // null: behind the last one
    FrameCount begin = 0;         // on the axis: of the row's item in this round
    FrameCount until = kEndless;  // where the next one, or the end, is
  };

  [[nodiscard]] bool goes_round() const noexcept RT_NONBLOCKING { return !again.empty(); }

  /// The item at a frame; of frames before the first: that. Its steps grow with the logarithm of the queue's length.
  [[nodiscard]] Place find(FrameCount frame) const noexcept RT_NONBLOCKING {
    frame = std::max<FrameCount>(frame, 0);
    if (goes_round() && frame >= cycle_begin) {
      const FrameCount at = last_frame_at(frame - cycle_begin, from_hz, to_hz);
      const FrameCount round = at / cycle_frames * cycle_frames;
      const std::size_t i = last_of(again, at - round);
      const FrameCount next = i + 1 < again.size() ? again[i + 1].begin : cycle_frames;
      return {&again[i], cycle_begin + scale_frames(round + again[i].begin, from_hz, to_hz),
              cycle_begin + scale_frames(round + next, from_hz, to_hz)};
    }
    if (first.empty() || (!goes_round() && frame >= end)) return {nullptr, end, kEndless};
    const std::size_t i = last_of(first, frame);
    const FrameCount next = i + 1 < first.size() ? first[i + 1].begin : goes_round() ? cycle_begin : end;
    return {&first[i], first[i].begin, next};
  }

 private:
  /// The last row that begins at or before `frame`, which the first one does.
  [[nodiscard]] static std::size_t last_of(const std::vector<Row>& rows, FrameCount frame) noexcept RT_NONBLOCKING {
    std::size_t low = 0;
    for (std::size_t count = rows.size() - 1; count > 0;) {
      const std::size_t step = (count + 1) / 2;
      if (rows[low + step].begin <= frame) {
        low += step;
        count -= step;
      } else {
        count = step - 1;
      }
    }
    return low;
  }
};

}  // namespace continuo::rt
