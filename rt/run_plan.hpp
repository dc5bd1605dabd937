// THREAD: audio - the steps of a plan, part after part, for a span of slices
#pragma once

#include <cstdint>
#include <span>

#include "rt/annotations.hpp"
#include "rt/node.hpp"
#include "rt/render_plan.hpp"

namespace continuo::rt {

/// The most slices of a span: whole blocks, and a piece at either end.
inline constexpr std::uint32_t kSpanSlices = kSpanFrames / kBlockFrames + 2;

/// These steps slice by slice, the whole span.
void run_part(std::span<Step> steps, std::span<const Slice> slices) noexcept RT_NONBLOCKING;

/// The parts from `first` to before `end`, by their numbers.
void run_parts(RenderPlan& plan, std::uint32_t first, std::uint32_t end, std::span<const Slice> slices) noexcept
    RT_NONBLOCKING;

/// All of them, in order, on this thread.
void run_plan(RenderPlan& plan, std::span<const Slice> slices) noexcept RT_NONBLOCKING;

}  // namespace continuo::rt
