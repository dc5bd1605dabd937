// THREAD: control makes, audio runs - player: a prepared source, placed in time
#pragma once

#include <memory>

#include "rt/node.hpp"
#include "rt/nodes/fade_tail.hpp"
#include "rt/play_slot.hpp"
#include "rt/source.hpp"

namespace continuo::rt {

/// 0 in, the item's channels out. A timeline player sounds item frame (timeline - start) while the timeline rolls; a
/// free one rolls by itself between Action::player_start and player_stop. A source that is late gives silence for
/// exactly the frames that are missing (counted), and is then back in its place: late frames are dropped, tracks never
/// drift apart.
///
/// Fades (audio_.fade_frames, as the last exchange_source said; 0: none, every edge is hard): what sounds when the
/// player stops, is located or loses its source fades out; what begins in the middle of its item fades in, beside it.
/// Item frame 0 never fades in. Where the disk is late the last sample fades to silence, and what comes back fades in.
/// All of it is a function of frames; but for these fades, the sound is the item's, bit for bit.
struct PlayerParam {
  enum : std::uint16_t { gain_db, count };
};
struct PlayerNode final : Node {
  /// `channels`: of its output.
  PlayerNode(Uid node_uid, bool is_free, FrameCount timeline_start, std::uint32_t channels = 1);
  /// Where it is, while its source is `told` of: written at each slice, at each start, stop and exchange, and as the
  /// state is then. Whoever reads it shares it.
  const std::shared_ptr<PlaySlot> slot = std::make_shared<PlaySlot>();
  struct alignas(64) Audio {
    // Asked for at each slice: one line.
    Source* source = nullptr;   // borrowed from the disk side; comes and goes by Action::exchange_source
    FrameCount start = 0;       // timeline player: the timeline frame (engine rate) of item frame 0
    FrameCount position = 0;    // free player: the item frame to play next
    FrameCount next = 0;        // while it runs
    PlaySlot* slot = nullptr;   // null: nobody reads
    FrameCount item_begin = 0;  // item frames from here to item_until are the item's that was published last
    FrameCount item_until = 0;
    const bool free;
    bool rolling = false;  // free player
    bool running = false;  // it was asked for sound up to item frame `next`
    bool steady = false;   // and nothing fades: neither in, nor away from what was before
    bool dry = false;      // the disk is late, and what sounded before is dealt with
    // Asked for while something begins, ends or is late.
    std::uint32_t fade_frames = 0;
    std::uint32_t faded_in = 0;           // fade_frames: all of it
    const PlayTable::Row* row = nullptr;  // of item_begin
    FadeTail tail;
    std::vector<float> last;  // frame of the source, where its ring is empty behind it
  } audio_;
};
[[nodiscard]] const NodeKind& player_kind() noexcept;

}  // namespace continuo::rt
