#include "rt/nodes/generator.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input reaches every bit of the output.
constexpr std::uint64_t scatter(std::uint64_t x) noexcept RT_NONBLOCKING {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}
constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15ull;

class NoiseKind final : public NodeKind {
  using Rows = LevelRows<true>;

 public:
  constexpr NoiseKind() noexcept : NodeKind("noise", Rows::kCount) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING {
      return Rows::begin(step, m, m.node->params[NoiseParam::gain_db], slice);
    });
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    const auto frame = static_cast<std::uint64_t>(slice.rolling ? slice.timeline_frame : slice.engine_frame);
    for (const Member& m : step.members) {
      for (std::uint32_t c = 0; c < m.out_count; ++c) {
        const std::uint64_t key = scatter(scatter(m.node->uid + kGolden) + c * kGolden);
        float* const out = m.to(c, slice);
        for (std::uint32_t i = 0; i < slice.frames; ++i) {
          const std::uint64_t bits = scatter(key + (frame + i) * kGolden);
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
