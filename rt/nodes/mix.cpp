#include "rt/nodes/mix.hpp"

#include "rt/dsp/planar.hpp"

namespace continuo::rt {
namespace {

class MixKind final : public NodeKind {
 public:
  constexpr MixKind() noexcept : NodeKind("mix") {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }

  // All mixes share a node, which is therefore left alone.
  void begin_block(Step& step, const Slice&) const noexcept RT_NONBLOCKING override { step.moving = false; }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      for (std::uint32_t c = 0; c < m.out_count; ++c) {
        if (c == 0 && m.in_count != 0)
          slice.kernels->mix(m.to(0, slice), m.in, m.in_count, slice.buffer_offset, slice.frames);
        else
          dsp::silence(m.to(c, slice), slice.frames);
      }
    }
  }
};

constinit const MixKind kMix;

}  // namespace

const NodeKind& mix_kind() noexcept { return kMix; }

}  // namespace continuo::rt
