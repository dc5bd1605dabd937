#include "rt/nodes/convolver.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

#include "rt/dsp/planar.hpp"
#include "rt/dsp/ramp.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

constexpr std::uint32_t kMost = dsp::Impulse::kMostChannels;

/// What went in, for the dry sound. Room for the latency and for a block.
class DelayLine {
 public:
  DelayLine(std::uint32_t channels, std::uint32_t delay)
      : delay_(delay), mask_(std::bit_ceil(delay + kBlockFrames) - 1), ring_(std::size_t{channels} * (mask_ + 1)) {}

  [[nodiscard]] std::uint32_t delay() const noexcept RT_NONBLOCKING { return delay_; }
  void write(std::uint32_t channel, const float* from, std::uint32_t frames) noexcept RT_NONBLOCKING {
    float* const ring = of(channel);
    for (std::uint32_t done = 0; done < frames;) {
      const std::uint32_t at = (at_ + done) & mask_;
      const std::uint32_t n = std::min(frames - done, mask_ + 1 - at);
      std::copy_n(from + done, n, ring + at);
      done += n;
    }
  }
  void read(std::uint32_t channel, float* to, std::uint32_t frames) noexcept RT_NONBLOCKING {
    const float* const ring = of(channel);
    for (std::uint32_t done = 0; done < frames;) {
      const std::uint32_t at = (at_ + done - delay_) & mask_;
      const std::uint32_t n = std::min(frames - done, mask_ + 1 - at);
      std::copy_n(ring + at, n, to + done);
      done += n;
    }
  }
  void advance(std::uint32_t frames) noexcept RT_NONBLOCKING { at_ = (at_ + frames) & mask_; }

 private:
  float* of(std::uint32_t channel) noexcept RT_NONBLOCKING { return ring_.data() + std::size_t{channel} * (mask_ + 1); }
  const std::uint32_t delay_;
  const std::uint32_t mask_;
  std::uint32_t at_ = 0;
  std::vector<float> ring_;  // never grows
};

class ConvolverNode final : public Node {
 public:
  ConvolverNode(Uid node_uid, const ConvolverSetup& setup)
      : Node(convolver_kind(), node_uid, ConvolverParam::count),
        impulse(setup.impulse),
        ins(setup.ins),
        outs(setup.outs),
        rise_frames(setup.rise_frames),
        past(setup.ins, setup.latency_frames) {
    if (impulse == nullptr) return;
    if (impulse->plan().latency_frames() != setup.latency_frames) std::abort();
    // A convolver takes so many at most; of an impulse with one channel, several do the work of one.
    for (std::uint32_t first = 0; first < ins; first += kMost) {
      const std::uint32_t width = std::min(ins - first, kMost);
      parts.push_back(std::make_unique<dsp::Convolver>(impulse->shared_plan(), width,
                                                       impulse->channels() == 1 ? width : outs, impulse.get()));
    }
  }

  const std::shared_ptr<const dsp::Impulse> impulse;
  const std::uint32_t ins;  // the member may have more while an edit fades: they are not its own
  const std::uint32_t outs;
  const std::uint32_t rise_frames;
  std::uint32_t risen = 0;                             // frames
  std::vector<std::unique_ptr<dsp::Convolver>> parts;  // each of the next kMost inputs
  DelayLine past;
};

/// Factors of a slice's wet and dry sound: the levels, and the bypass that fades from the one mixture to the dry sound
/// alone.
struct Levels {
  alignas(64) float wet[kBlockFrames];
  alignas(64) float dry[kBlockFrames];
  bool moving = false;  // else only the first of each is there

  Levels(const Node& node, const Slice& slice) noexcept RT_NONBLOCKING {
    const std::vector<Param>& p = node.params;
    moving = node.moving;
    alignas(64) float bypass[kBlockFrames];
    const std::uint32_t frames = moving ? slice.frames : 1;
    if (moving) {
      dsp::decibel_ramp(p[ConvolverParam::wet_db], slice.engine_frame, frames, wet);
      dsp::decibel_ramp(p[ConvolverParam::dry_db], slice.engine_frame, frames, dry);
      dsp::linear_ramp(p[ConvolverParam::bypass], slice.engine_frame, frames, bypass);
    } else {
      wet[0] = dsp::db_to_gain(p[ConvolverParam::wet_db].target());
      dry[0] = dsp::db_to_gain(p[ConvolverParam::dry_db].target());
      bypass[0] = static_cast<float>(p[ConvolverParam::bypass].target());
    }
    for (std::uint32_t i = 0; i < frames; ++i) {
      wet[i] *= 1.0f - bypass[i];
      dry[i] = dry[i] * (1.0f - bypass[i]) + bypass[i];
    }
  }
};

class ConvolverKind final : public NodeKind {
 public:
  constexpr ConvolverKind() noexcept : NodeKind("convolution") {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING {
      return std::any_of(m.node->params.begin(), m.node->params.end(),
                         [&](const Param& p) noexcept RT_NONBLOCKING { return p.moving(slice.block_frame()); });
    });
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) run(m, static_cast<ConvolverNode&>(*m.node), slice);
  }

 private:
  static void run(const Member& m, ConvolverNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
    // All that comes in is worked on, also while nobody hears it: else what was left out would be missing later.
    for (std::size_t k = 0; k < node.parts.size(); ++k) {
      dsp::Convolver& part = *node.parts[k];
      const auto first = static_cast<std::uint32_t>(k) * kMost;
      if (node.risen < node.rise_frames) {
        process_rising(part, m, first, node, slice);
      } else {
        part.process({m.in + first, part.inputs()}, {m.out + first, part.outputs()}, slice.buffer_offset, slice.frames);
      }
    }
    node.risen += std::min(slice.frames, node.rise_frames - node.risen);
    const Levels levels(node, slice);
    const bool late = node.past.delay() > 0;
    for (std::uint32_t c = 0; late && c < node.ins; ++c) node.past.write(c, m.from(c, slice), slice.frames);
    alignas(64) float delayed[kBlockFrames];
    for (std::uint32_t c = node.outs; c < m.out_count; ++c) dsp::silence(m.to(c, slice), slice.frames);
    for (std::uint32_t c = 0; c < node.outs; ++c) {
      float* const out = m.to(c, slice);
      if (node.parts.empty()) dsp::silence(out, slice.frames);
      if (!levels.moving) slice.kernels->scale(out, out, levels.wet[0], slice.frames);
      if (levels.moving) slice.kernels->multiply(out, out, levels.wet, slice.frames);
      if (!levels.moving && levels.dry[0] == 0.0f) continue;
      // One input is every output's.
      const std::uint32_t from = std::min(c, node.ins - 1);
      const float* dry = m.from(from, slice);
      if (late) {
        node.past.read(from, delayed, slice.frames);
        dry = delayed;
      }
      add(out, dry, levels, slice.frames);
    }
    if (late) node.past.advance(slice.frames);
  }

  static void process_rising(dsp::Convolver& part, const Member& m, std::uint32_t first, const ConvolverNode& node,
                             const Slice& slice) noexcept RT_NONBLOCKING {
    alignas(64) float risen[kMost][kBlockFrames];
    alignas(64) float convolved[kMost][kBlockFrames];
    const float* ins[kMost];
    float* outs[kMost];
    for (std::uint32_t c = 0; c < part.inputs(); ++c) {
      const float* const from = m.from(first + c, slice);
      for (std::uint32_t i = 0; i < slice.frames; ++i) {
        const std::uint32_t frame = std::min(node.risen + i, node.rise_frames);
        risen[c][i] = from[i] * (static_cast<float>(frame) / static_cast<float>(node.rise_frames));
      }
      ins[c] = risen[c];
    }
    for (std::uint32_t c = 0; c < part.outputs(); ++c) outs[c] = convolved[c];
    part.process({ins, part.inputs()}, {outs, part.outputs()}, 0, slice.frames);
    for (std::uint32_t c = 0; c < part.outputs(); ++c) dsp::copy(m.to(first + c, slice), convolved[c], slice.frames);
  }

  static void add(float* out, const float* dry, const Levels& levels, std::uint32_t frames) noexcept RT_NONBLOCKING {
    if (levels.moving) {
      for (std::uint32_t i = 0; i < frames; ++i) out[i] += dry[i] * levels.dry[i];
    } else if (levels.wet[0] == 0.0f) {
      dsp::scale(out, dry, levels.dry[0], frames);  // alone: at unity, untouched to the sign of zero
    } else {
      const float factor = levels.dry[0];
      for (std::uint32_t i = 0; i < frames; ++i) out[i] += dry[i] * factor;
    }
  }
};

constinit const ConvolverKind kConvolver;

}  // namespace

const NodeKind& convolver_kind() noexcept { return kConvolver; }

std::uint32_t convolver_outs(std::uint32_t ins, std::uint32_t impulse_channels) noexcept {
  return ins == 1 ? std::max(impulse_channels, 1u) : ins;
}

std::unique_ptr<Node> make_convolver(Uid uid, const ConvolverSetup& setup) {
  return std::make_unique<ConvolverNode>(uid, setup);
}

}  // namespace continuo::rt
