#include "rt/nodes/matrix.hpp"

#include <algorithm>

#include "rt/dsp/planar.hpp"
#include "rt/dsp/ramp.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

struct MatrixNode final : Node {
  explicit MatrixNode(Uid node_uid) : Node(matrix_kind(), node_uid, MatrixParam::count) {}
  struct {
    float factor[kMatrixChannels][kMatrixChannels] = {};  // by output and input, where it stands still
    bool moves[kMatrixChannels][kMatrixChannels] = {};
  } audio_;
};

class MatrixKind final : public NodeKind {
 public:
  constexpr MatrixKind() noexcept : NodeKind("matrix") {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING { return work_out(m, slice); });
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      const auto& node = static_cast<const MatrixNode&>(*m.node);
      const std::uint32_t ins = std::min<std::uint32_t>(m.in_count, kMatrixChannels);
      const std::uint32_t outs = std::min<std::uint32_t>(m.out_count, kMatrixChannels);
      for (std::uint32_t o = 0; o < outs; ++o) {
        float* const to = m.to(o, slice);
        dsp::silence(to, slice.frames);
        for (std::uint32_t i = 0; i < ins; ++i) add(node, o, i, m.from(i, slice), to, slice);
      }
      for (std::uint32_t o = outs; o < m.out_count; ++o) dsp::silence(m.to(o, slice), slice.frames);
    }
  }

 private:
  static bool work_out(const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
    auto& node = static_cast<MatrixNode&>(*m.node);
    const FrameCount now = slice.block_frame();
    const Param& bypass = node.params[MatrixParam::bypass];
    const bool bypass_moves = bypass.moving(now);
    bool any = bypass_moves;
    for (std::uint32_t o = 0; o < kMatrixChannels; ++o) {
      for (std::uint32_t i = 0; i < kMatrixChannels; ++i) {
        const Param& gain = node.params[MatrixParam::gain(o, i)];
        node.audio_.moves[o][i] = bypass_moves || gain.moving(now);
        node.audio_.factor[o][i] = heard(gain.target(), bypass.target(), o == i);
        any |= node.audio_.moves[o][i];
      }
    }
    return any;
  }
  static float heard(double gain, double bypass, bool straight) noexcept RT_NONBLOCKING {
    return static_cast<float>(gain * (1.0 - bypass) + (straight ? bypass : 0.0));
  }

  static void add(const MatrixNode& node, std::uint32_t o, std::uint32_t i, const float* from, float* to,
                  const Slice& slice) noexcept RT_NONBLOCKING {
    const float* __restrict x = from;
    float* __restrict y = to;
    if (!node.audio_.moves[o][i]) {
      const float factor = node.audio_.factor[o][i];
      if (factor == 0.0f) return;
      for (std::uint32_t k = 0; k < slice.frames; ++k) y[k] += x[k] * factor;
      return;
    }
    alignas(64) double gains[kBlockFrames], bypassed[kBlockFrames];
    node.params[MatrixParam::gain(o, i)].values(slice.engine_frame, slice.frames, gains);
    node.params[MatrixParam::bypass].values(slice.engine_frame, slice.frames, bypassed);
    for (std::uint32_t k = 0; k < slice.frames; ++k) y[k] += x[k] * heard(gains[k], bypassed[k], o == i);
  }
};

constinit const MatrixKind kMatrix;

}  // namespace

const NodeKind& matrix_kind() noexcept { return kMatrix; }

Node* make_matrix(Uid uid) { return new MatrixNode(uid); }

}  // namespace continuo::rt
