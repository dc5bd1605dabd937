#include "server/session/emit.hpp"

#include <algorithm>

namespace continuo::session {
namespace {

std::size_t whole_tiles(std::uint32_t lanes) { return (lanes + rt::kMaxLanes - 1) / rt::kMaxLanes * rt::kMaxLanes; }

class Emission {
 public:
  Emission(const OpList& list, const Schedule& schedule, const BufferMap& buffers, std::size_t slots)
      : list_(list), schedule_(schedule), buffers_(buffers), plan_(std::make_unique<rt::RenderPlan>()) {
    plan_->nodes.resize(slots);
  }

  std::unique_ptr<rt::RenderPlan> run() {
    make_room();
    float* rows = plan_->slab.get() + buffers_.count * kBufferStride;
    std::size_t first_member = 0;
    for (std::size_t g = 0; g < schedule_.groups.size(); ++g) {
      const Group& group = schedule_.groups[g];
      rt::Step& step = plan_->steps[g];
      start(step, group, rows);
      rows += step.row_count * whole_tiles(step.lanes);
      step.members = std::span(plan_->members).subspan(first_member, group.ops.size());
      first_member += group.ops.size();
      add_members(step, group);
      if (step.kind->in_tiles()) add_lanes(step, group);
    }
    plan_->part_ends = schedule_.part_ends;
    plan_->tasks = schedule_.tasks;
    plan_->tasks_before = schedule_.tasks_before;
    plan_->root_tasks = static_cast<std::uint32_t>(std::count_if(
        schedule_.tasks.begin(), schedule_.tasks.end(), [](const rt::Task& task) { return task.before_count == 0; }));
    plan_->marks = std::vector<rt::TaskMark>(schedule_.tasks.size());
    return std::move(plan_);
  }

 private:
  // All sizes first: what points into these must stay where it is.
  void make_room() {
    plan_->slab_floats = buffers_.count * kBufferStride;
    std::size_t tile_lanes = 0;
    for (const Group& group : schedule_.groups) {
      const rt::NodeKind& kind = *list_.ops[group.ops.front()].kind;
      plan_->slab_floats += kind.row_count(group.size) * whole_tiles(group.lanes);
      if (kind.in_tiles()) tile_lanes += group.lanes;
    }
    plan_->slab = rt::make_aligned_floats(plan_->slab_floats);
    plan_->steps.resize(schedule_.groups.size());
    plan_->members.resize(list_.ops.size());
    plan_->lane_in.reserve(tile_lanes);
    plan_->lane_key.reserve(tile_lanes);
    plan_->lane_out.reserve(tile_lanes);
    plan_->in_pointers.resize(list_.ins.size());
    plan_->out_pointers.resize(list_.signals - 1);
    for (std::size_t i = 0; i < list_.ins.size(); ++i) plan_->in_pointers[i] = buffer(list_.ins[i]);
    for (SignalId signal = 1; signal < list_.signals; ++signal) plan_->out_pointers[signal - 1] = buffer(signal);
  }

  void start(rt::Step& step, const Group& group, float* rows) const {
    step.kind = list_.ops[group.ops.front()].kind;
    step.lanes = group.lanes;
    step.size = group.size;
    step.row_count = step.kind->row_count(group.size);
    step.rows = rows;
    step.packed = group.packed;
    step.stays = group.stays;
    step.unpacks = group.unpacks;
  }

  void add_members(rt::Step& step, const Group& group) {
    std::uint32_t lane = 0;
    for (std::size_t i = 0; i < group.ops.size(); ++i) {
      const Op& op = list_.ops[group.ops[i]];
      step.members[i] = {.node = op.node,
                         .in = plan_->in_pointers.data() + op.first_in,
                         .out = plan_->out_pointers.data() + (op.first_out - 1),
                         .in_count = static_cast<std::uint16_t>(op.in_count),
                         .out_count = static_cast<std::uint16_t>(op.out_count),
                         .first_lane = static_cast<std::uint16_t>(lane),
                         .lanes = static_cast<std::uint16_t>(op.lanes())};
      lane += op.lanes();
      if (!op.addressed) continue;
      plan_->nodes[op.ref.slot] = {
          .node = op.node, .step = &step, .member = static_cast<std::uint32_t>(i), .generation = op.ref.generation};
    }
  }

  // A member's channels that nothing feeds are silent; a member without a key listens to its own sound.
  void add_lanes(rt::Step& step, const Group& group) {
    const bool keyed = std::any_of(group.ops.begin(), group.ops.end(),
                                   [&](std::uint32_t op) { return list_.ops[op].in_count > list_.ops[op].out_count; });
    step.lane_in = plan_->lane_in.data() + plan_->lane_in.size();
    step.lane_out = plan_->lane_out.data() + plan_->lane_out.size();
    if (keyed) step.lane_key = plan_->lane_key.data() + plan_->lane_key.size();
    for (const rt::Member& m : step.members) {
      for (std::uint32_t c = 0; c < m.out_count; ++c) {
        const float* const in = c < m.in_count ? m.in[c] : buffer(kSilence);
        plan_->lane_in.push_back(in);
        plan_->lane_out.push_back(m.out[c]);
        if (!keyed) continue;
        const std::uint32_t key = m.out_count + c;
        plan_->lane_key.push_back(m.in_count <= m.out_count ? in : key < m.in_count ? m.in[key] : buffer(kSilence));
      }
    }
  }

  [[nodiscard]] float* buffer(SignalId signal) const {
    return plan_->slab.get() + buffers_.of_signal[signal] * kBufferStride;
  }

  const OpList& list_;
  const Schedule& schedule_;
  const BufferMap& buffers_;
  std::unique_ptr<rt::RenderPlan> plan_;
};

}  // namespace

std::unique_ptr<rt::RenderPlan> emit_plan(const OpList& list, const Schedule& schedule, const BufferMap& buffers,
                                          std::size_t slots) {
  return Emission(list, schedule, buffers, slots).run();
}

}  // namespace continuo::session
