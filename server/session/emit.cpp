#include "server/session/emit.hpp"

namespace continuo::session {
namespace {

std::size_t row_stride(std::uint32_t lanes) { return (lanes + rt::kMaxLanes - 1) / rt::kMaxLanes * rt::kMaxLanes; }

std::uint32_t lanes_of(const OpList& list, const Group& group) {
  std::uint32_t lanes = 0;
  for (const std::uint32_t op : group) lanes += list.ops[op].lanes();
  return lanes;
}

}  // namespace

std::unique_ptr<rt::RenderPlan> emit_plan(const OpList& list, const std::vector<Group>& groups,
                                          const BufferMap& buffers, std::size_t slots) {
  auto plan = std::make_unique<rt::RenderPlan>();
  const std::size_t rows_at = buffers.count * kBufferStride;
  plan->slab_floats = rows_at;
  for (const Group& group : groups) {
    plan->slab_floats += list.ops[group.front()].kind->row_count() * row_stride(lanes_of(list, group));
  }
  plan->slab = rt::make_aligned_floats(plan->slab_floats);

  // All sizes first: what points into these must stay where it is.
  plan->steps.resize(groups.size());
  plan->members.resize(list.ops.size());
  plan->in_pointers.resize(list.ins.size());
  plan->out_pointers.resize(list.signals - 1);
  plan->nodes.resize(slots);

  const auto buffer = [&](SignalId signal) { return plan->slab.get() + buffers.of_signal[signal] * kBufferStride; };
  for (std::size_t i = 0; i < list.ins.size(); ++i) plan->in_pointers[i] = buffer(list.ins[i]);
  for (SignalId signal = 1; signal < list.signals; ++signal) plan->out_pointers[signal - 1] = buffer(signal);

  float* rows = plan->slab.get() + rows_at;
  std::size_t first_member = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    rt::Step& step = plan->steps[g];
    step.kind = list.ops[groups[g].front()].kind;
    step.members = std::span(plan->members).subspan(first_member, groups[g].size());
    step.lanes = lanes_of(list, groups[g]);
    step.row_stride = static_cast<std::uint32_t>(row_stride(step.lanes));
    step.rows = rows;
    rows += step.kind->row_count() * step.row_stride;
    std::uint32_t lane = 0;
    for (std::size_t i = 0; i < groups[g].size(); ++i) {
      const Op& op = list.ops[groups[g][i]];
      step.members[i] = {.node = op.node,
                         .in = plan->in_pointers.data() + op.first_in,
                         .out = plan->out_pointers.data() + (op.first_out - 1),
                         .in_count = static_cast<std::uint16_t>(op.in_count),
                         .out_count = static_cast<std::uint16_t>(op.out_count),
                         .first_lane = static_cast<std::uint16_t>(lane)};
      lane += op.lanes();
      if (op.addressed) {
        plan->nodes[op.ref.slot] = {
            .node = op.node, .step = &step, .member = static_cast<std::uint32_t>(i), .generation = op.ref.generation};
      }
    }
    first_member += groups[g].size();
  }
  return plan;
}

}  // namespace continuo::session
