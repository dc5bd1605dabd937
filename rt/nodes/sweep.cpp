#include "rt/nodes/sweep.hpp"

#include <algorithm>

#include "rt/dsp/planar.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

struct SweepNode final : Node {
  SweepNode(Uid node_uid, const SweepShape& wanted)
      : Node(sweep_kind(), node_uid, SweepParam::count),
        shape(wanted),
        octaves(dsp::log2(shape.end_hz / shape.start_hz)) {
    shape.frames = std::max<FrameCount>(shape.frames, 1);
    if (shape.period != 0) shape.period = std::max(shape.period, shape.frames);
  }
  SweepShape shape;
  double octaves;
};

class SweepKind final : public NodeKind {
  using Rows = LevelRows<true>;

 public:
  constexpr SweepKind() noexcept : NodeKind("sweep", Rows::kCount) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    Rows::begin(step, slice, SweepParam::gain_db);
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      if (m.out_count == 0) continue;
      const auto& node = static_cast<const SweepNode&>(*m.node);
      float* const out = m.to(0, slice);
      for (std::uint32_t i = 0; i < slice.frames; ++i)
        out[i] = slice.rolling ? sample(node, slice.timeline_frame + i, slice.sample_rate_hz) : 0.0f;
      Rows::apply(step, m, node.params[SweepParam::gain_db], slice, m.out, 1);
      for (std::uint32_t c = 1; c < m.out_count; ++c) dsp::copy(m.to(c, slice), out, slice.frames);
    }
  }

 private:
  static float sample(const SweepNode& node, FrameCount frame, double rate) noexcept RT_NONBLOCKING {
    const SweepShape& shape = node.shape;
    if (frame >= 0 && shape.period != 0) frame %= shape.period;
    if (frame < 0 || frame >= shape.frames) return 0.0f;
    const auto length = static_cast<double>(shape.frames);
    const double rise = dsp::exp2(node.octaves * (static_cast<double>(frame) / length));
    if (shape.start_hz * rise > 0.5 * rate) return 0.0f;
    const double turns = node.octaves == 0.0
                             ? shape.start_hz / rate * static_cast<double>(frame)
                             : shape.start_hz / rate * length / (node.octaves * dsp::kLn2) * (rise - 1.0);
    return static_cast<float>(dsp::sin_turns(turns));
  }
};

constinit const SweepKind kSweep;

}  // namespace

const NodeKind& sweep_kind() noexcept { return kSweep; }

Node* make_sweep(Uid uid, const SweepShape& shape) { return new SweepNode(uid, shape); }

}  // namespace continuo::rt
