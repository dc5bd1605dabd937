// THREAD: audio - a node that gives what is no number is muted for a second, named and counted
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/node.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// How often all outputs are looked at: a multiple of kBlockFrames, on its grid. A look costs some nanoseconds a lane,
/// so not at every block; what slips through in between is silenced at the device and kept out of every memory.
inline constexpr std::uint32_t kGuardFrames = 512;

/// The slice ends at a point of the guard's grid: a function of the frame alone, so that buffers, spans and threads
/// leave no trace.
[[nodiscard]] inline bool guard_looks(const Slice& slice) noexcept RT_NONBLOCKING {
  const FrameCount end = (slice.rolling ? slice.timeline_frame : slice.engine_frame) + slice.frames;
  return (end & (kGuardFrames - 1)) == 0 && slice.ends_cell();
}

/// A step's process() where the guard looks, or where a member is watched.
///
/// A look is at the last frame of each member's outputs: what has gone wrong in a recursion stays wrong. Whose is no
/// number is suspect, and judged at the next grid point, one block later, if it still is none:
/// - Its inputs were finite: it is the culprit. From the next frame on its outputs are silence for one second of engine
///   frames; then it is tried again, as good as new. Counted in Counters::node_faults, told in Counters::faults.
/// - They were not: it forgets what it heard, and works again as soon as they are finite.
void process_guarded(Step& step, const Slice& slice, bool looks) noexcept RT_NONBLOCKING;

/// A plan was taken at this engine frame: whether a member of the step is watched.
void note_watched(Step& step, FrameCount frame) noexcept RT_NONBLOCKING;

/// Counts a fault and tells it. `muted_until` as in Fault.
void report_fault(const Node& node, const Slice& slice, FrameCount muted_until) noexcept RT_NONBLOCKING;

}  // namespace continuo::rt
