// THREAD: audio writes, any thread reads - where a player is, all of one instant
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/snapshot.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// In every reading position <= length, item_position <= item_frames, and the item is one of the queue of `revision`.
struct PlayReading {
  enum class State : std::uint8_t {
    none,     // nothing was published yet
    stopped,  // it stands
    waiting,  // it rolls; its first frame is still to come
    playing,
    late,   // it rolls, in silence, because the disk is late
    ended,  // it rolls, behind its last frame
  };
  FrameCount engine_frame = 0;   // of which instant all this is: of its next frame
  FrameCount position = 0;       // of a queue: in its round
  FrameCount length = kEndless;  // of a queue: one round
  Uid item = 0;                  // 0: no queue, or behind its last item
  FrameCount item_position = 0;
  FrameCount item_frames = 0;  // kEndless
  std::uint64_t revision = 0;  // of the queue; 0: there is none
  std::uint32_t number = 0;    // the item's, from 1; 0 as `item`
  std::uint32_t count = 0;     // items in the queue
  State state = State::none;
  friend bool operator==(const PlayReading&, const PlayReading&) = default;
};

/// One cache line. The audio thread is its only writer.
class PlaySlot {
 public:
  /// Wait-free.
  void publish(const PlayReading& r) noexcept RT_NONBLOCKING {
    const std::uint64_t mixed =
        r.revision << 24 | std::uint64_t{r.number} << 14 | std::uint64_t{r.count} << 4 | std::uint64_t(r.state);
    slot_.write({r.engine_frame, r.position, r.length, r.item, r.item_position, r.item_frames, mixed});
  }
  /// False, and `r` as it was, while the writer was in the way again and again. State::none before the first.
  [[nodiscard]] bool try_read(PlayReading& r) const noexcept RT_NONBLOCKING {
    Packed p;
    if (!slot_.try_read(p)) return false;
    r = {.engine_frame = p.engine_frame,
         .position = p.position,
         .length = p.length,
         .item = p.item,
         .item_position = p.item_position,
         .item_frames = p.item_frames,
         .revision = p.mixed >> 24,
         .number = static_cast<std::uint32_t>(p.mixed >> 14 & kMost),
         .count = static_cast<std::uint32_t>(p.mixed >> 4 & kMost),
         .state = static_cast<PlayReading::State>(p.mixed & 15)};
    return true;
  }

 private:
  static constexpr std::uint64_t kMost = 1023;  // items in a queue
  struct Packed {
    FrameCount engine_frame;
    FrameCount position;
    FrameCount length;
    Uid item;
    FrameCount item_position;
    FrameCount item_frames;
    std::uint64_t mixed;
  };
  alignas(64) Snapshot<Packed> slot_;
  static_assert(sizeof(Snapshot<Packed>) == 64);
};

}  // namespace continuo::rt
