// THREAD: audio writes, control reads - what became of each command
#pragma once

#include <cstdint>

#include "rt/types.hpp"

namespace continuo::rt {

struct Batch;

/// One a command, so the ring of events can be given room for every command that was accepted: the renderer takes a
/// command only while its event is sure to fit. No event is ever lost.
struct Event {
  enum class Kind : std::uint8_t {
    applied,   // it became sound at `frame`
    refused,   // the schedule was full: nothing was applied (counted; the sender tries again or reports)
    orphaned,  // its node was gone: nothing was applied
  };
  Kind kind = Kind::applied;
  std::uint64_t sequence = 0;
  FrameCount frame = 0;    // engine frame
  Batch* batch = nullptr;  // the batch comes home; the receiver owns it and all it points to
};

}  // namespace continuo::rt
