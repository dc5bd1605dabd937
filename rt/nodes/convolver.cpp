#include "rt/nodes/convolver.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

#include "rt/dsp/finite.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/nodes/wet_mix.hpp"

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
      dsp::copy_finite(ring + at, from + done, n);
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
        past(setup.ins, setup.latency_frames) {
    if (impulse == nullptr) return;
    if (impulse->plan().latency_frames() != setup.latency_frames) std::abort();
    // A convolver takes so many at most; of an impulse with one channel, several do the work of one.
    for (std::uint32_t first = 0; first < ins; first += kMost) {
      const std::uint32_t width = std::min(ins - first, kMost);
      parts.push_back(std::make_unique<dsp::Convolver>(*impulse, width, impulse->channels() == 1 ? width : outs));
    }
  }

  const std::shared_ptr<const dsp::Impulse> impulse;
  const std::uint32_t ins;  // the member may have more while an edit fades: they are not its own
  const std::uint32_t outs;
  std::vector<std::unique_ptr<dsp::Convolver>> parts;  // each of the next kMost inputs
  DelayLine past;
};

class ConvolverKind final : public NodeKind {
 public:
  constexpr ConvolverKind() noexcept : NodeKind("convolution") {}

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) run(m, static_cast<ConvolverNode&>(*m.node), slice);
  }

 private:
  static void run(const Member& m, ConvolverNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
    // All that comes in is worked on, also while nobody hears it: else what was left out would be missing later.
    for (std::size_t k = 0; k < node.parts.size(); ++k) {
      dsp::Convolver& part = *node.parts[k];
      const auto first = static_cast<std::uint32_t>(k) * kMost;
      part.anchor(slice.rolling ? slice.timeline_frame : slice.engine_frame);
      part.process({m.in + first, part.inputs()}, {m.out + first, part.outputs()}, slice.buffer_offset, slice.frames);
    }
    const WetMix mix(node.params[ConvolverParam::dry_db], node.params[ConvolverParam::wet_db],
                     node.params[ConvolverParam::bypass], slice);
    const bool late = node.past.delay() > 0;
    for (std::uint32_t c = 0; late && c < node.ins; ++c) node.past.write(c, m.from(c, slice), slice.frames);
    alignas(64) float delayed[kBlockFrames];
    for (std::uint32_t c = node.outs; c < m.out_count; ++c) dsp::silence(m.to(c, slice), slice.frames);
    for (std::uint32_t c = 0; c < node.outs; ++c) {
      float* const out = m.to(c, slice);
      if (node.parts.empty()) dsp::silence(out, slice.frames);
      const std::uint32_t from = std::min(c, node.ins - 1);  // one input is every output's
      const float* dry = m.from(from, slice);
      if (late && mix.hears_dry()) {
        node.past.read(from, delayed, slice.frames);
        dry = delayed;
      }
      mix.apply(out, dry, out, 0, slice.frames);
    }
    if (late) node.past.advance(slice.frames);
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
