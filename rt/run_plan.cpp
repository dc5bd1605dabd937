#include "rt/run_plan.hpp"

#include "rt/guard.hpp"

namespace continuo::rt {

void run_part(std::span<Step> steps, std::span<const Slice> slices) noexcept RT_NONBLOCKING {
  for (const Slice& slice : slices) {
    const bool looks = guard_looks(slice);
    for (Step& step : steps) {
      if (step.moving && slice.block_offset == 0) step.kind->begin_block(step, slice);
      if (looks || step.watched)
        process_guarded(step, slice, looks);
      else
        step.kind->process(step, slice);
    }
  }
}

void run_parts(RenderPlan& plan, std::uint32_t first, std::uint32_t end, std::span<const Slice> slices) noexcept
    RT_NONBLOCKING {
  std::uint32_t begin = first == 0 ? 0 : plan.part_ends[first - 1];
  for (std::uint32_t part = first; part < end; ++part) {
    const std::uint32_t next = plan.part_ends[part];
    run_part(std::span(plan.steps).subspan(begin, next - begin), slices);
    begin = next;
  }
}

void run_plan(RenderPlan& plan, std::span<const Slice> slices) noexcept RT_NONBLOCKING {
  run_parts(plan, 0, static_cast<std::uint32_t>(plan.part_ends.size()), slices);
  const std::uint32_t rest = plan.part_ends.empty() ? 0 : plan.part_ends.back();
  if (rest < plan.steps.size()) run_part(std::span(plan.steps).subspan(rest), slices);
}

}  // namespace continuo::rt
