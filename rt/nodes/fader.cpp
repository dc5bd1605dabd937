#include <algorithm>

#include "rt/dsp/pan.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/dsp/ramp.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

/// How a member's pan acts; it follows from its channels.
enum class Shape { mono_to_stereo, stereo, plain };

Shape shape_of(const Member& m) noexcept RT_NONBLOCKING {
  if (m.out_count == 2 && m.in_count == 1) return Shape::mono_to_stereo;
  if (m.out_count == 2 && m.in_count == 2) return Shape::stereo;
  return Shape::plain;
}

dsp::PanFactors pan_factors(Shape shape, double pan) noexcept RT_NONBLOCKING {
  if (shape == Shape::mono_to_stereo) return dsp::constant_power_pan(pan);
  if (shape == Shape::stereo) return dsp::constant_power_balance(pan);
  return {};
}

/// Fader and pan in one kernel: a pan is a fader without gain and audible. Rows: the factor of each output channel
/// where nothing moves; whether the member moves.
template <bool kFader>
class PanningKind final : public NodeKind {
 public:
  constexpr explicit PanningKind(const char* name) noexcept : NodeKind(name, 2, true) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING {
      const std::vector<Param>& p = m.node->params;
      const bool moving = any_moving(*m.node, slice.block_frame());
      const dsp::PanFactors pan = pan_factors(shape_of(m), p[kPan].target());
      const float level = kFader ? dsp::db_to_gain(p[FaderParam::gain_db].target()) *
                                       static_cast<float>(p[kAudible].target() * (1.0 - 2.0 * p[kInverted].target()))
                                 : 1.0f;
      for (std::uint32_t c = 0; c < m.out_count; ++c)
        *step.row(0, m.first_lane + c) = level * static_cast<float>(c == 0 ? pan.left : pan.right);
      *step.row(1, m.first_lane) = moving ? 1.0f : 0.0f;
      return moving;
    });
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      const Shape shape = shape_of(m);
      const std::uint32_t channels = shape == Shape::mono_to_stereo ? 2u : std::min(m.in_count, m.out_count);
      if (*step.row(1, m.first_lane) == 0.0f && shape == Shape::mono_to_stereo) {
        const float factors[2] = {*step.row(0, m.first_lane), *step.row(0, m.first_lane + 1)};
        slice.kernels->scale_two(m.out, slice.buffer_offset, m.from(0, slice), factors, slice.frames);
      } else if (*step.row(1, m.first_lane) == 0.0f) {
        for (std::uint32_t c = 0; c < channels; ++c)
          slice.kernels->scale(m.to(c, slice), input(m, shape, c, slice), *step.row(0, m.first_lane + c), slice.frames);
      } else {
        alignas(64) float factors[2][kBlockFrames];
        ramp(m, shape, slice, factors);
        for (std::uint32_t c = 0; c < channels; ++c)
          slice.kernels->multiply(m.to(c, slice), input(m, shape, c, slice), factors[shape == Shape::plain ? 0 : c],
                                  slice.frames);
      }
      for (std::uint32_t c = channels; c < m.out_count; ++c) dsp::silence(m.to(c, slice), slice.frames);
    }
  }

 private:
  static constexpr std::uint16_t kPan = kFader ? std::uint16_t{FaderParam::pan} : std::uint16_t{PanParam::pan};
  static constexpr std::uint16_t kAudible = kFader ? std::uint16_t{FaderParam::audible} : std::uint16_t{0};
  static constexpr std::uint16_t kInverted = kFader ? std::uint16_t{FaderParam::inverted} : std::uint16_t{0};

  static const float* input(const Member& m, Shape shape, std::uint32_t c, const Slice& slice) noexcept RT_NONBLOCKING {
    return m.from(shape == Shape::mono_to_stereo ? 0 : c, slice);
  }

  static void ramp(const Member& m, Shape shape, const Slice& slice, float (&factors)[2][kBlockFrames]) noexcept
      RT_NONBLOCKING {
    const std::vector<Param>& p = m.node->params;
    alignas(64) float level[kBlockFrames];
    alignas(64) float audible[kBlockFrames];
    std::fill_n(level, slice.frames, 1.0f);
    std::fill_n(audible, slice.frames, 1.0f);
    if constexpr (kFader) {
      dsp::decibel_ramp(p[FaderParam::gain_db], slice.engine_frame, slice.frames, level);
      dsp::linear_ramp(p[kAudible], slice.engine_frame, slice.frames, audible);
      alignas(64) float inverted[kBlockFrames];
      dsp::linear_ramp(p[kInverted], slice.engine_frame, slice.frames, inverted);
      for (std::uint32_t i = 0; i < slice.frames; ++i) audible[i] *= 1.0f - 2.0f * inverted[i];
    }
    alignas(64) double position[kBlockFrames];
    p[kPan].values(slice.engine_frame, slice.frames, position);
    for (std::uint32_t i = 0; i < slice.frames; ++i) {
      const dsp::PanFactors pan = pan_factors(shape, position[i]);
      factors[0][i] = level[i] * audible[i] * static_cast<float>(pan.left);
      factors[1][i] = level[i] * audible[i] * static_cast<float>(pan.right);
    }
  }
};

constinit const PanningKind<true> kFaderKind{"fader"};
constinit const PanningKind<false> kPanKind{"pan"};

}  // namespace

const NodeKind& fader_kind() noexcept { return kFaderKind; }
const NodeKind& pan_kind() noexcept { return kPanKind; }

}  // namespace continuo::rt
