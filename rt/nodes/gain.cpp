#include "rt/nodes/gain.hpp"

#include <algorithm>

#include "rt/dsp/planar.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

using GainRows = LevelRows<true>;
using EdgeRows = LevelRows<false>;

/// In a tile where its neighbours are; else channel by channel, which is cheaper than to pack for it alone. The samples
/// are the same.
class GainKind final : public TileKind {
 public:
  constexpr GainKind() noexcept : TileKind("gain", GainRows::kCount) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    GainRows::begin(step, slice, GainParam::gain_db);
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    if (step.packed || step.stays) return TileKind::process(step, slice);
    for (const Member& m : step.members) {
      const std::uint32_t channels = std::min(m.in_count, m.out_count);
      GainRows::apply(step, m, m.node->params[GainParam::gain_db], slice, m.in, channels);
      for (std::uint32_t c = channels; c < m.out_count; ++c) dsp::silence(m.to(c, slice), slice.frames);
    }
  }

 private:
  void process_tile(Step& step, const Slice& slice, std::uint32_t first, std::uint32_t lanes,
                    float* tile) const noexcept RT_NONBLOCKING override {
    alignas(64) float steady[kMaxLanes];
    std::copy_n(step.row(0, first), kMaxLanes, steady);
    for (const Member& m : step.members) {
      if (!GainRows::moves(step, m)) continue;
      alignas(64) float factors[kBlockFrames];
      GainRows::ramp(m.node->params[GainParam::gain_db], slice, factors);
      for (std::uint32_t lane = std::max<std::uint32_t>(m.first_lane, first);
           lane < std::min<std::uint32_t>(m.first_lane + std::uint32_t{m.lanes}, first + kMaxLanes); ++lane) {
        float* const at = tile + (lane - first);
        for (std::uint32_t i = 0; i < slice.frames; ++i) at[i * kMaxLanes] *= factors[i];
        steady[lane - first] = 1.0f;
      }
    }
    slice.kernels->tile_gain(tile, steady, lanes, slice.frames);
  }
};

class EdgeKind final : public NodeKind {
 public:
  constexpr EdgeKind() noexcept : NodeKind("edge", EdgeRows::kCount, true) {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    EdgeRows::begin(step, slice, EdgeParam::factor);
  }
  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      const std::uint32_t channels = std::min(m.in_count, m.out_count);
      EdgeRows::apply(step, m, m.node->params[EdgeParam::factor], slice, m.in, channels);
      for (std::uint32_t c = channels; c < m.out_count; ++c) dsp::silence(m.to(c, slice), slice.frames);
    }
  }
};

constinit const GainKind kGain;
constinit const EdgeKind kEdge;

}  // namespace

const NodeKind& gain_kind() noexcept { return kGain; }
const NodeKind& edge_kind() noexcept { return kEdge; }

}  // namespace continuo::rt
