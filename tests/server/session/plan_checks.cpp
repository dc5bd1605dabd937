#include "tests/server/session/plan_checks.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "rt/nodes/device_io.hpp"
#include "rt/nodes/mix.hpp"

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

namespace {

/// What a task's steps touch.
struct Touched {
  std::set<const void*> reads;   // buffers
  std::set<const void*> writes;  // buffers, nodes, and the device
};

Touched touched_by(const rt::RenderPlan& plan, std::size_t first, std::size_t end) {
  Touched t;
  for (std::size_t i = first; i < end; ++i) {
    const rt::Step& step = plan.steps[i];
    if (step.kind == &rt::device_output_kind()) t.writes.insert(step.kind);
    for (const rt::Member& m : step.members) {
      if (step.kind != &rt::mix_kind()) t.writes.insert(m.node);  // all mixes share one, and leave it alone
      t.reads.insert(m.in, m.in + m.in_count);
      t.writes.insert(m.out, m.out + m.out_count);
    }
  }
  t.reads.erase(plan.slab.get());  // silence
  return t;
}

bool meet(const std::set<const void*>& a, const std::set<const void*>& b) {
  return std::any_of(a.begin(), a.end(), [&](const void* p) { return b.contains(p); });
}

}  // namespace

std::string task_fault_of(const rt::RenderPlan& plan) {
  if (plan.tasks.empty()) return plan.tasks_before.empty() && plan.root_tasks == 0 ? "" : "orders without tasks";
  if (plan.marks.size() != plan.tasks.size()) return "marks";
  std::vector<std::set<std::size_t>> behind(plan.tasks.size());  // all that a task waits for, however far
  std::vector<Touched> touched;
  std::size_t part = 0, step = 0;
  for (std::size_t t = 0; t < plan.tasks.size(); ++t) {
    const rt::Task& task = plan.tasks[t];
    const std::string name = "task " + std::to_string(t);
    if (task.first_part != part || task.end_part <= part || task.end_part > plan.part_ends.size())
      return "parts of " + name;
    part = task.end_part;
    const std::size_t end = plan.part_ends[part - 1];
    if (end <= step) return "no steps in " + name;
    if (plan.steps[step].packed || plan.steps[end - 1].stays) return "a tile leaves " + name;
    touched.push_back(touched_by(plan, step, end));
    step = end;
    if ((task.before_count == 0) != (t < plan.root_tasks)) return "a root too few or too many: " + name;
    for (std::size_t i = 0; i < task.before_count; ++i) {
      const std::size_t before = plan.tasks_before[task.first_before + i];
      if (before >= t) return name + " waits for what comes later";
      behind[t].insert(before);
      behind[t].insert(behind[before].begin(), behind[before].end());
    }
    for (std::size_t other = 0; other < t; ++other) {
      if (behind[t].contains(other)) continue;
      if (meet(touched[t].writes, touched[other].writes) || meet(touched[t].writes, touched[other].reads) ||
          meet(touched[t].reads, touched[other].writes))
        return name + " gets in the way of task " + std::to_string(other);
    }
  }
  if (part != plan.part_ends.size() || step != plan.steps.size()) return "steps in no task";
  return "";
}

}  // namespace continuo::session::test
