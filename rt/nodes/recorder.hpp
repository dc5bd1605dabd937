// THREAD: control makes, audio runs - recorder: pushes what it hears to a sink that the disk side drains
#pragma once

#include "rt/node.hpp"
#include "rt/sink.hpp"

namespace continuo::rt {

/// in_count channels, 0 out. Takes from the frame of Action::record_start on, to the sink's limit, its stop on the timeline, or
/// record_stop. A sink that waits (pre-record) is given what comes; record_start with that same sink begins its take. Where the sink has
/// more channels than the node, the rest is silence; where it has fewer, the rest is not taken.
struct RecorderNode final : Node {
  explicit RecorderNode(Uid node_uid);
  struct {
    Sink* sink = nullptr;
  } audio_;
};
[[nodiscard]] const NodeKind& recorder_kind() noexcept;

}  // namespace continuo::rt
