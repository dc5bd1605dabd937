#include "rt/nodes/gain.hpp"

#include <algorithm>

#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

/// Gain and edge differ in their parameter's scale alone.
template <bool kDecibel>
class FactorKind final : public NodeKind {
  using Rows = LevelRows<kDecibel>;

 public:
  constexpr explicit FactorKind(const char* name) noexcept : NodeKind(name, Rows::kCount, true) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    step.moving = false;
    for (const Member& m : step.members) step.moving |= Rows::begin(step, m, m.node->params[0], slice);
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      const std::uint32_t channels = std::min(m.in_count, m.out_count);
      Rows::apply(step, m, m.node->params[0], slice, m.in, channels);
      for (std::uint32_t c = channels; c < m.out_count; ++c) dsp::silence(m.out[c], slice.frames);
    }
  }
};

constinit const FactorKind<true> kGain{"gain"};
constinit const FactorKind<false> kEdge{"edge"};

}  // namespace

const NodeKind& gain_kind() noexcept { return kGain; }
const NodeKind& edge_kind() noexcept { return kEdge; }

}  // namespace continuo::rt
