// THREAD: control builds, audio runs - the compiled document: steps in order over one slab of buffers
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "rt/node.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// 64-byte aligned memory whose deleter knows the alignment.
struct AlignedDelete {
  void operator()(float* p) const noexcept { ::operator delete[](p, std::align_val_t{64}); }
};
using AlignedFloats = std::unique_ptr<float[], AlignedDelete>;
[[nodiscard]] AlignedFloats make_aligned_floats(std::size_t count);  // zeroed, hence touched. Control thread

/// The plan's table: where a node's commands go. A slot that this plan does not use has a null node.
struct NodeEntry {
  Node* node = nullptr;
  Step* step = nullptr;
  std::uint32_t member = 0;      // index in step->members
  std::uint32_t generation = 0;  // must equal the command's
};

/// A parameter that follows the timeline: automation.hpp.
struct PlanLane {
  const NodeEntry* entry = nullptr;  // in RenderPlan::nodes
  std::uint16_t param = 0;
  std::uint32_t glide_frames = 0;  // to the lane's value, where the parameter stands elsewhere when it is to follow
  FrameCount delay = 0;            // its node hears the timeline so much later: delay compensation
  std::shared_ptr<const struct AutomationLane> lane;
  struct LaneRun* run = nullptr;  // audio thread
};

/// Frames that a buffer of a plan holds: the longest stretch that its steps run for before the next command, clock
/// change or device buffer. Live that is a block; offline a few, so that each part of the plan stays in the cache for
/// longer.
inline constexpr std::uint32_t kSpanFrames = 256;

/// A stretch of parts that one thread runs for the whole span, and what must be done before. Every one of those has a
/// lower number, and what a task writes nobody touches but itself and tasks that are behind it.
struct Task {
  std::uint32_t first_part = 0;
  std::uint32_t end_part = 0;
  std::uint32_t first_before = 0;  // in RenderPlan::tasks_before
  std::uint32_t before_count = 0;
};

/// The span, by its number in the team, in which a task was done last. Written by whoever ran it.
struct alignas(64) TaskMark {
  std::atomic<std::uint64_t> span{0};
};

/// Immutable once published, but for what says "audio thread" above (Step::moving, rows, buffers, marks). Built by
/// server/session/plan_compiler; taken and given back whole in a Batch. It does not own its nodes.
struct RenderPlan {
  std::vector<Step> steps;  // in an order that respects every connection
  std::vector<std::uint32_t>
      part_ends;            // the steps before each run slice by slice, the whole span, before what follows
  std::vector<Task> tasks;  // empty: not cut for several threads. Else part_ends has the last end too
  std::vector<std::uint32_t> tasks_before;
  std::uint32_t root_tasks = 0;  // the first so many tasks wait for none, all others do
  std::vector<TaskMark> marks;   // one a task. Audio thread and its team
  std::vector<Member> members;   // steps' spans point into these; they never grow after the build
  std::vector<const float*> in_pointers;
  std::vector<float*> out_pointers;
  std::vector<const float*> lane_in;  // of steps that work in tiles, by lane
  std::vector<const float*> lane_key;
  std::vector<float*> lane_out;
  std::vector<NodeEntry> nodes;  // by NodeRef::slot
  std::vector<PlanLane> lanes;   // by their nodes' addresses, then by parameter; none twice
  AlignedFloats slab;            // buffers and rows
  std::size_t slab_floats = 0;
  double sample_rate_hz = 0.0;
  std::uint64_t id = 0;  // rises by one with each plan; for logs and tests
};

}  // namespace continuo::rt
