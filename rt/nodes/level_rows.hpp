// THREAD: audio - the two rows of every kind whose level is one parameter
#pragma once

#include "rt/dsp/ramp.hpp"
#include "rt/node.hpp"

namespace continuo::rt {

/// begin_block() of a kind: `work_out(member)` for each member that is moving; true where it goes on moving.
template <class WorkOut>
void for_each_moving(Step& step, WorkOut&& work_out) noexcept RT_NONBLOCKING {
  step.moving = false;
  for (const Member& m : step.members) {
    if (m.node->moving) m.node->moving = work_out(m);
    step.moving |= m.node->moving;
  }
}

/// The same for all of a member's lanes.
inline void write_lanes(const Step& step, const Member& m, std::uint32_t row, float value) noexcept RT_NONBLOCKING {
  for (std::uint32_t lane = m.first_lane; lane < m.first_lane + std::uint32_t{m.lanes}; ++lane)
    *step.row(row, lane) = value;
}

/// Row 0: the factor where it stands still, in each of the member's lanes. Row 1: 1 where it moves; then it is worked
/// out at each sample.
template <bool kDecibel>
struct LevelRows {
  static constexpr std::uint32_t kCount = 2;

  /// begin_block() of a kind that moves in nothing but its level, parameter `param`.
  static void begin(Step& step, const Slice& slice, std::uint16_t param) noexcept RT_NONBLOCKING {
    for_each_moving(
        step, [&](const Member& m) noexcept RT_NONBLOCKING { return begin(step, m, m.node->params[param], slice); });
  }
  /// Of one member. True while the level moves.
  static bool begin(const Step& step, const Member& m, const Param& level, const Slice& slice) noexcept RT_NONBLOCKING {
    const bool moving = level.moving(slice.block_frame());
    const float factor = kDecibel ? dsp::db_to_gain(level.target()) : static_cast<float>(level.target());
    for (std::uint32_t lane = m.first_lane; lane < m.first_lane + std::uint32_t{m.lanes}; ++lane) {
      *step.row(0, lane) = factor;
      *step.row(1, lane) = moving ? 1.0f : 0.0f;
    }
    return moving;
  }
  static bool moves(const Step& step, const Member& m) noexcept RT_NONBLOCKING {
    return *step.row(1, m.first_lane) != 0.0f;
  }
  static void ramp(const Param& level, const Slice& slice, float* factors) noexcept RT_NONBLOCKING {
    if constexpr (kDecibel)
      dsp::decibel_ramp(level, slice.engine_frame, slice.frames, factors);
    else
      dsp::linear_ramp(level, slice.engine_frame, slice.frames, factors);
  }

  /// In process: out[c] = in[c] times the level, for `channels` channels. `in` may be `out`.
  template <class Pointer>
  static void apply(const Step& step, const Member& m, const Param& level, const Slice& slice, Pointer const* in,
                    std::uint32_t channels) noexcept RT_NONBLOCKING {
    if (!moves(step, m)) {
      const float factor = *step.row(0, m.first_lane);
      for (std::uint32_t c = 0; c < channels; ++c)
        slice.kernels->scale(m.to(c, slice), in[c] + slice.buffer_offset, factor, slice.frames);
      return;
    }
    alignas(64) float factors[kBlockFrames];
    ramp(level, slice, factors);
    for (std::uint32_t c = 0; c < channels; ++c)
      slice.kernels->multiply(m.to(c, slice), in[c] + slice.buffer_offset, factors, slice.frames);
  }
};

/// At a frame, any of a node's parameters.
[[nodiscard]] inline bool any_moving(const Node& node, FrameCount frame) noexcept RT_NONBLOCKING {
  return std::any_of(node.params.begin(), node.params.end(),
                     [frame](const Param& p) noexcept RT_NONBLOCKING { return p.moving(frame); });
}

}  // namespace continuo::rt
