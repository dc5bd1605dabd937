// THREAD: control writes, audio reads - the one ordered stream inwards
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "rt/types.hpp"

namespace continuo::rt {

struct RenderPlan;
struct Source;
struct Sink;

/// One thing to do at one frame.
struct Action {
  enum class Kind : std::uint8_t {
    set_param,  // node, param, value, ramp_frames
    transport_start,
    transport_stop,
    transport_locate,  // position
    player_start,      // node: a free player starts where its source stands
    player_stop,       // node
    exchange_source,   // node, source: after the batch, `source` holds what the player had before (may be null).
                       // ramp_frames: the length of the player's fades from here on, at most 512 (nodes/player.hpp)
    record_start,      // node, sink: the recorder takes from this frame on; `sink` becomes null, or comes back refused
    record_stop,       // node: the recorder lets go of its sink (Sink::finished); `sink`, where it is not null, says of
                       // which one alone: a stop that comes late ends nothing else
    output_level,  // value (linear factor), ramp_frames: fade of the device output alone, behind the graph; recorders
                   // and renders do not hear it. 1 at the start; an engine that wants a device to fade in sends 0 first
    land,          // every command before it that waits for a later frame is applied now, before any command behind it
  };
  Kind kind = Kind::set_param;
  std::uint16_t param = 0;
  std::uint32_t ramp_frames = 0;
  std::uint32_t wait_frames = 0;  // set_param: the value holds for so long, then the ramp begins
  NodeRef node;
  union {
    double value = 0.0;
    FrameCount position;
    Source* source;
    Sink* sink;
  };
};

/// A transaction: all of it is applied at one frame, the plan first. Never split over slices.
/// [control] builds it and never touches it again -> [audio] applies it, swapping in what it replaced -> [control] gets
/// it back in Event::batch and destroys what it holds.
struct Batch {
  RenderPlan* plan = nullptr;  // in: the plan to take; back: the plan that was replaced. Null: no change of plan
  std::vector<Action> actions;
};

/// One entry of the stream: a value, or a pointer to a batch. Small, so that a flood of values stays in the cache.
struct Command {
  std::uint64_t sequence = 0;  // rises by one with each entry
  FrameCount frame = kNow;     // engine frame to apply it at; kNow or the past: at once
  Batch* batch = nullptr;      // null: `value` is the whole command
  Action value;
};

}  // namespace continuo::rt
