#include "rt/nodes/mix.hpp"

#include <algorithm>

#include "rt/dsp/planar.hpp"

namespace continuo::rt {
namespace {

class MixKind final : public NodeKind {
 public:
  constexpr MixKind() noexcept : NodeKind("mix") {}

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      for (std::uint32_t c = 1; c < m.out_count; ++c) dsp::silence(m.out[c], slice.frames);
      if (m.out_count != 0) mix(m, slice.frames);
    }
  }

 private:
  static void mix(const Member& m, std::uint32_t frames) noexcept RT_NONBLOCKING {
    float* const out = m.out[0];
    if (m.in_count == 0) return dsp::silence(out, frames);
    dsp::sum_in_order(out, m.in, std::min<std::uint32_t>(m.in_count, kMixLeaf), frames);
    for (std::uint32_t first = kMixLeaf; first < m.in_count; first += kMixLeaf) {
      alignas(64) float leaf[kBlockFrames];
      dsp::sum_in_order(leaf, m.in + first, std::min<std::uint32_t>(m.in_count - first, kMixLeaf), frames);
      for (std::uint32_t i = 0; i < frames; ++i) out[i] += leaf[i];
    }
  }
};

constinit const MixKind kMix;

}  // namespace

const NodeKind& mix_kind() noexcept { return kMix; }

}  // namespace continuo::rt
