// THREAD: control makes, audio runs - player: a prepared source, placed in time
#pragma once

#include "rt/node.hpp"
#include "rt/source.hpp"

namespace continuo::rt {

/// 0 in, the item's channels out. A timeline player sounds item frame (timeline - start) while the timeline rolls; a free one
/// rolls by itself between Action::player_start and player_stop. A source that is late gives silence for exactly the
/// frames that are missing (counted), and is then back in its place: late frames are dropped, tracks never drift apart.
struct PlayerParam { enum : std::uint16_t { gain_db, count }; };
struct PlayerNode final : Node {
  PlayerNode(Uid node_uid, bool is_free, FrameCount timeline_start);
  const bool free;
  struct {
    Source* source = nullptr;  // borrowed from the disk side; comes and goes by Action::exchange_source
    FrameCount start = 0;      // timeline player: the timeline frame (engine rate) of item frame 0
    FrameCount position = 0;   // free player: the item frame to play next
    bool rolling = false;      // free player
  } audio_;
};
[[nodiscard]] const NodeKind& player_kind() noexcept;

}  // namespace continuo::rt
