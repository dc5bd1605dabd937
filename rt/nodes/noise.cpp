#include "rt/dsp/scatter.hpp"
#include "rt/nodes/generator.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

class NoiseKind final : public NodeKind {
  using Rows = LevelRows<true>;

 public:
  constexpr NoiseKind() noexcept : NodeKind("noise", Rows::kCount) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    Rows::begin(step, slice, NoiseParam::gain_db);
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    const auto frame = static_cast<std::uint64_t>(slice.rolling ? slice.timeline_frame : slice.engine_frame);
    for (const Member& m : step.members) {
      for (std::uint32_t c = 0; c < m.out_count; ++c) {
        const std::uint64_t key = dsp::scatter(dsp::scatter(m.node->uid + dsp::kScatterStep) + c * dsp::kScatterStep);
        float* const out = m.to(c, slice);
        for (std::uint32_t i = 0; i < slice.frames; ++i) {
          const std::uint64_t bits = dsp::scatter(key + (frame + i) * dsp::kScatterStep);
          out[i] = static_cast<float>(static_cast<std::int32_t>(bits >> 32) >> 8) * 0x1p-23f;
        }
      }
      Rows::apply(step, m, m.node->params[NoiseParam::gain_db], slice, m.out, m.out_count);
    }
  }
};

constinit const NoiseKind kNoise;

}  // namespace

const NodeKind& noise_kind() noexcept { return kNoise; }

}  // namespace continuo::rt
