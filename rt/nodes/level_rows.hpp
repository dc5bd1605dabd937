// THREAD: audio - the two rows of every kind whose level is one parameter
#pragma once

#include "rt/dsp/planar.hpp"
#include "rt/dsp/ramp.hpp"
#include "rt/node.hpp"

namespace continuo::rt {

/// Row 0: the factor where it stands still. Row 1: 1 where it moves; then it is worked out at each sample. A member's
/// place in both is its first lane.
template <bool kDecibel>
struct LevelRows {
  static constexpr std::uint32_t kCount = 2;

  /// In begin_block. True while the level moves.
  static bool begin(Step& step, const Member& m, const Param& level, const Slice& slice) noexcept RT_NONBLOCKING {
    const bool moving = level.moving(slice.block_frame());
    step.row(0)[m.first_lane] = kDecibel ? dsp::db_to_gain(level.target()) : static_cast<float>(level.target());
    step.row(1)[m.first_lane] = moving ? 1.0f : 0.0f;
    return moving;
  }

  /// In process: out[c] = in[c] times the level, for `channels` channels. `in` may be `out`.
  template <class Pointer>
  static void apply(const Step& step, const Member& m, const Param& level, const Slice& slice, Pointer const* in,
                    std::uint32_t channels) noexcept RT_NONBLOCKING {
    if (step.row(1)[m.first_lane] == 0.0f) {
      for (std::uint32_t c = 0; c < channels; ++c) dsp::scale(m.out[c], in[c], step.row(0)[m.first_lane], slice.frames);
      return;
    }
    alignas(64) float factors[kBlockFrames];
    if constexpr (kDecibel)
      dsp::decibel_ramp(level, slice.engine_frame, slice.frames, factors);
    else
      dsp::linear_ramp(level, slice.engine_frame, slice.frames, factors);
    for (std::uint32_t c = 0; c < channels; ++c) dsp::multiply(m.out[c], in[c], factors, slice.frames);
  }
};

}  // namespace continuo::rt
