// THREAD: control or render - operations, groups and buffers -> rt::RenderPlan
#pragma once

#include <memory>

#include "rt/render_plan.hpp"
#include "server/session/buffers.hpp"

namespace continuo::session {

/// Floats from one buffer to the next: a multiple of 64 bytes that keeps neighbours off the same 4 KiB offset.
inline constexpr std::size_t kBufferStride = rt::kSpanFrames + 80;
static_assert(kBufferStride % 16 == 0);

[[nodiscard]] std::unique_ptr<rt::RenderPlan> emit_plan(const OpList& list, const Schedule& schedule,
                                                        const BufferMap& buffers, std::size_t slots);

}  // namespace continuo::session
