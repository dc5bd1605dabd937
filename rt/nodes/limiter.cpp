#include "rt/nodes/limiter.hpp"

#include <cstdlib>

#include "rt/dsp/finite.hpp"
#include "rt/dsp/lookahead_gain.hpp"
#include "rt/dsp/ramp.hpp"
#include "rt/dsp/true_peak.hpp"
#include "rt/nodes/detector.hpp"

namespace continuo::rt {
namespace {

/// The gain is at its lowest from so many frames before a peak until as many after it: what is left of a peak between
/// samples is made of its neighbours, and a gain that moves among them would raise it again.
constexpr std::uint32_t kFlatFrames = 8;
/// The detector's finest error, and that of the moving gain: 0.05 dB.
constexpr float kMargin = 0.99426f;

struct LimiterNode final : Node {
  LimiterNode(Uid node_uid, std::uint32_t channels, std::uint32_t lookahead)
      : Node(limiter_kind(), node_uid, LimiterParam::count),
        gain(lookahead, lookahead + 1 + 2 * kFlatFrames),
        peaks(channels),
        delay_frames(limiter_latency_frames(lookahead)),
        delayed(std::size_t{channels} * delay_frames) {}

  // Audio thread only, once handed over:
  dsp::LookaheadGain gain;
  std::vector<dsp::TruePeak> peaks;  // a channel
  const std::uint32_t delay_frames;
  std::vector<float> delayed;  // delay_frames a channel
  std::uint32_t at = 0;        // in each
};

class LimiterKind final : public NodeKind {
 public:
  constexpr LimiterKind() noexcept : NodeKind("limiter") {}

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) limit(m, static_cast<LimiterNode&>(*m.node), slice);
  }

 private:
  static void limit(const Member& m, LimiterNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
    const std::uint32_t channels = m.out_count;
    if (m.in_count != channels || node.peaks.size() != channels) std::abort();  // another node than it was made for
    alignas(64) float gains[kBlockFrames];
    work_out_gains(m, node, slice, gains);
    for (std::uint32_t c = 0; c < channels; ++c) {
      const float* const in = m.from(c, slice);
      float* const out = m.to(c, slice);
      float* const ring = node.delayed.data() + std::size_t{c} * node.delay_frames;
      std::uint32_t at = node.at;
      for (std::uint32_t i = 0; i < slice.frames; ++i) {
        out[i] = ring[at] * gains[i];
        ring[at] = dsp::is_finite(in[i]) ? in[i] : 0.0f;
        at = at + 1 == node.delay_frames ? 0 : at + 1;
      }
    }
    node.at = (node.at + slice.frames) % node.delay_frames;
  }

  static void work_out_gains(const Member& m, LimiterNode& node, const Slice& slice, float* gains) noexcept
      RT_NONBLOCKING {
    alignas(64) float peaks[kBlockFrames] = {};
    alignas(64) float ceilings[kBlockFrames], bypass[kBlockFrames];
    for (std::uint32_t c = 0; c < m.in_count; ++c)
      node.peaks[c].raise(peaks, m.from(c, slice), slice.frames, *slice.kernels);
    dsp::decibel_ramp(node.params[LimiterParam::ceiling_db], slice.engine_frame, slice.frames, ceilings);
    dsp::linear_ramp(node.params[LimiterParam::bypass], slice.engine_frame, slice.frames, bypass);
    const double release = per_frame(cell_value(node.params[LimiterParam::release_ms], slice), slice.sample_rate_hz);
    for (std::uint32_t i = 0; i < slice.frames; ++i) {
      const float ceiling = ceilings[i] * kMargin;
      const float gain = node.gain.next(peaks[i] > ceiling ? ceiling / peaks[i] : 1.0f, release);
      gains[i] = gain + bypass[i] * (1.0f - gain);  // all of it bypassed: exactly 1
    }
  }
};

constinit const LimiterKind kLimiter;

}  // namespace

const NodeKind& limiter_kind() noexcept { return kLimiter; }

Node* make_limiter(Uid uid, std::uint32_t channels, std::uint32_t lookahead_frames) {
  return new LimiterNode(uid, channels, std::max(lookahead_frames, 1u));
}

std::uint32_t limiter_latency_frames(std::uint32_t lookahead_frames) noexcept {
  return std::max(lookahead_frames, 1u) - 1 + dsp::kTruePeakDelay + kFlatFrames;
}

}  // namespace continuo::rt
