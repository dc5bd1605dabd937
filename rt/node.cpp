#include "rt/node.hpp"

namespace continuo::rt {

void NodeKind::arrange(Step&) const noexcept RT_NONBLOCKING {}

void NodeKind::begin_block(Step& step, const Slice&) const noexcept RT_NONBLOCKING {
  for (const Member& m : step.members) m.node->moving = false;
  step.moving = false;
}

bool NodeKind::act(Member&, Action&, const Slice&) const noexcept RT_NONBLOCKING { return false; }

void NodeKind::forget(Step& step, const Member& member) const noexcept RT_NONBLOCKING {
  if (step.row_count == 0) return;
  for (std::uint32_t lane = member.first_lane; lane < member.first_lane + std::uint32_t{member.lanes}; ++lane)
    for (std::uint32_t r = 0; r < step.row_count; ++r) *step.row(r, lane) = 0.0f;
  member.node->worked_out = -1;
  member.node->moving = true;
  step.moving = true;
}

std::uint32_t NodeKind::row_count(std::uint32_t) const noexcept { return row_count_; }

void TileKind::process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING {
  for (std::uint32_t first = 0; first < step.lanes; first += kMaxLanes) {
    const std::uint32_t lanes = std::min(step.lanes - first, kMaxLanes);
    if (!step.packed) slice.kernels->pack(slice.tile, step.lane_in + first, lanes, slice.buffer_offset, slice.frames);
    process_tile(step, slice, first, lanes, slice.tile);
    if (step.unpacks)
      slice.kernels->unpack(step.lane_out + first, lanes, slice.buffer_offset, slice.tile, slice.frames);
  }
}

}  // namespace continuo::rt
