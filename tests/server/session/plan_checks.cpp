#include "tests/server/session/plan_checks.hpp"

#include <algorithm>
#include <cstdint>
#include <set>

namespace continuo::session::test {
namespace {

using Buffer = const float*;

std::string where(std::size_t step, const rt::Step& s) {
  return std::string(s.kind->name()) + " in step " + std::to_string(step);
}

}  // namespace

std::string fault_of(const rt::RenderPlan& plan) {
  const float* const begin = plan.slab.get();
  const float* const end = begin + plan.slab_floats;
  const auto inside = [&](const float* p, std::size_t floats) { return p >= begin && p + floats <= end; };
  std::set<Buffer> written;  // since the beginning of the slice
  std::size_t members = 0;
  const float* rows_before = begin;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const rt::Step& step = plan.steps[i];
    if (step.members.empty()) return "no members: " + where(i, step);
    members += step.members.size();
    if (step.lanes > rt::kMaxLanes && step.members.size() > 1) return "too wide: " + where(i, step);
    if (step.row_count != step.kind->row_count(step.size)) return "row count: " + where(i, step);
    if (reinterpret_cast<std::uintptr_t>(step.rows) % 64 != 0) return "rows not aligned: " + where(i, step);
    const std::size_t row_floats = std::size_t{step.row_count} * ((step.lanes + 15) / 16 * 16);
    if (row_floats > 0 && (!inside(step.rows, row_floats) || step.rows < rows_before))
      return "rows overlap: " + where(i, step);
    rows_before = std::max<const float*>(rows_before, step.rows + row_floats);
    std::multiset<Buffer> reads;
    std::set<Buffer> writes;
    std::uint32_t lane = 0;
    for (const rt::Member& member : step.members) {
      if (&member.node->kind != step.kind) return "another kind's node: " + where(i, step);
      if (member.first_lane != lane) return "lanes: " + where(i, step);
      if (member.lanes != (step.kind->in_tiles() ? member.out_count : std::max(member.in_count, member.out_count)))
        return "lanes: " + where(i, step);
      lane += member.lanes;
      for (std::uint32_t c = 0; c < member.in_count; ++c) reads.insert(member.in[c]);
      for (std::uint32_t c = 0; c < member.out_count; ++c) {
        if (!writes.insert(member.out[c]).second) return "written twice: " + where(i, step);
        if (member.out[c] == begin) return "silence written: " + where(i, step);
      }
    }
    if (lane != step.lanes) return "lanes: " + where(i, step);
    for (const Buffer buffer : reads) {
      if (!inside(buffer, rt::kSpanFrames) || reinterpret_cast<std::uintptr_t>(buffer) % 64 != 0)
        return "address: " + where(i, step);
      if (buffer != begin && !written.contains(buffer)) return "read before it is written: " + where(i, step);
    }
    for (const rt::Member& member : step.members) {
      for (std::uint32_t c = 0; c < member.out_count; ++c) {
        const Buffer buffer = member.out[c];
        if (!inside(buffer, rt::kSpanFrames)) return "address: " + where(i, step);
        if (!reads.contains(buffer)) continue;
        const bool own = step.kind->in_place() && c < member.in_count && member.in[c] == buffer;
        if (!own || reads.count(buffer) != 1) return "written while it is read: " + where(i, step);
      }
    }
    written.insert(writes.begin(), writes.end());
  }
  if (members != plan.members.size()) return "members that are in no step";
  for (const rt::NodeEntry& entry : plan.nodes) {
    if (entry.node == nullptr) continue;
    if (entry.step < plan.steps.data() || entry.step >= plan.steps.data() + plan.steps.size()) return "table: step";
    if (entry.member >= entry.step->members.size() || entry.step->members[entry.member].node != entry.node)
      return "table: member";
  }
  return "";
}

}  // namespace continuo::session::test
