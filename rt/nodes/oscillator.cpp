#include <algorithm>

#include "rt/dsp/planar.hpp"
#include "rt/dsp/waveform.hpp"
#include "rt/nodes/generator.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {

struct OscillatorNode final : Node {
  explicit OscillatorNode(Uid node_uid) : Node(oscillator_kind(), node_uid, OscillatorParam::count) {}
  struct {
    std::uint64_t step = 0;     // of the phase, each frame; 2^64 a turn
    std::uint64_t offset = 0;   // phase = frame * step + offset; 0 but after a change of frequency
    FrameCount clock_lead = 0;  // the frame that counts, less the engine's: changes at a start, stop and locate
    bool fresh = true;
    alignas(64) float table[32] = {};  // Kernels::sine_table() of the step
  } audio_;
};

namespace {

FrameCount clock_frame(const Slice& slice) noexcept RT_NONBLOCKING {
  return slice.rolling ? slice.timeline_frame : slice.engine_frame;
}

/// At a start, stop or locate the phase is the frame's again.
void follow_clock(OscillatorNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
  const FrameCount lead = clock_frame(slice) - slice.engine_frame;
  if (lead == node.audio_.clock_lead && !node.audio_.fresh) return;
  node.audio_.clock_lead = lead;
  node.audio_.offset = 0;
}

/// Not above half the rate, not below 0; a NaN is 0.
std::uint64_t phase_step(double frequency_hz, double sample_rate_hz) noexcept RT_NONBLOCKING {
  const double turns = frequency_hz / sample_rate_hz;
  const double held = turns > 0.0 ? std::min(turns, 0.5) : 0.0;
  return static_cast<std::uint64_t>(held * 0x1p64 + 0.5);
}

void wave(Waveform form, std::uint64_t phase, std::uint64_t step, float* out, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  const float dt = std::max(static_cast<float>(static_cast<double>(step) * 0x1p-64), 0x1p-32f);
  const auto fill = [&](auto&& sample) noexcept RT_NONBLOCKING {
    for (std::uint32_t i = 0; i < frames; ++i) out[i] = sample(static_cast<std::uint32_t>((phase + i * step) >> 32));
  };
  switch (form) {
    case Waveform::triangle:
      return fill([dt](std::uint32_t p) noexcept RT_NONBLOCKING { return dsp::triangle(p, dt); });
    case Waveform::square:
      return fill([dt](std::uint32_t p) noexcept RT_NONBLOCKING { return dsp::square(p, dt); });
    case Waveform::saw:
      return fill([dt](std::uint32_t p) noexcept RT_NONBLOCKING { return dsp::saw(p, dt); });
    case Waveform::sine:
      break;  // a kernel's
  }
}

class OscillatorKind final : public NodeKind {
  using Rows = LevelRows<true>;

 public:
  constexpr OscillatorKind() noexcept : NodeKind("oscillator", Rows::kCount) {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING {
      auto& node = static_cast<OscillatorNode&>(*m.node);
      const Param& frequency = node.params[OscillatorParam::frequency_hz];
      bool moving = Rows::begin(step, m, node.params[OscillatorParam::gain_db], slice);
      moving |= frequency.moving(slice.cell_frame());

      const FrameCount lead_before = node.audio_.clock_lead;
      const bool fresh = node.audio_.fresh;
      follow_clock(node, slice);
      const std::uint64_t next = phase_step(frequency.at(slice.cell_frame()), slice.sample_rate_hz);
      if (!fresh && lead_before == node.audio_.clock_lead)
        node.audio_.offset += static_cast<std::uint64_t>(clock_frame(slice)) * (node.audio_.step - next);
      if (fresh || node.audio_.step != next) slice.kernels->sine_table(node.audio_.table, next);
      node.audio_.step = next;
      node.audio_.fresh = false;
      return moving;
    });
  }

  /// Sines in two rounds, so that the long polynomials of all members overlap.
  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    alignas(64) std::uint32_t phases[kMaxLanes * kValues];
    alignas(64) float values[kMaxLanes * kValues];
    for (std::size_t first = 0; first < step.members.size(); first += kMaxLanes) {
      const std::span<Member> members =
          step.members.subspan(first, std::min<std::size_t>(step.members.size() - first, kMaxLanes));
      for (std::size_t k = 0; k < members.size(); ++k) begin_sine(members[k], slice, phases + k * kValues);
      slice.kernels->sines_of(values, phases, static_cast<std::uint32_t>(members.size() * kValues));
      for (std::size_t k = 0; k < members.size(); ++k) render(step, members[k], slice, values + k * kValues);
    }
  }

 private:
  /// Of a member: sine and cosine of up to 5 groups of 16 frames that a block can touch, in rows of 8.
  static constexpr std::size_t kValues = 16;

  static void begin_sine(const Member& m, const Slice& slice, std::uint32_t* phases) noexcept RT_NONBLOCKING {
    auto& node = static_cast<OscillatorNode&>(*m.node);
    follow_clock(node, slice);
    const FrameCount frame = clock_frame(slice);
    const std::uint64_t begin =
        static_cast<std::uint64_t>(frame - (frame & 15)) * node.audio_.step + node.audio_.offset;
    for (std::uint32_t g = 0; g < 8; ++g) {
      phases[g] = static_cast<std::uint32_t>((begin + g * (16 * node.audio_.step)) >> 32);
      phases[8 + g] = phases[g] + 0x40000000u;  // a quarter further: the cosine
    }
  }

  static void render(const Step& step, const Member& m, const Slice& slice, const float* values) noexcept
      RT_NONBLOCKING {
    if (m.out_count == 0) return;
    auto& node = static_cast<OscillatorNode&>(*m.node);
    const FrameCount frame = clock_frame(slice);
    const Waveform form = form_of(node);
    float* const out = m.to(0, slice);
    if (form == Waveform::sine) {
      slice.kernels->sine_wave(out, node.audio_.table, values, static_cast<std::uint32_t>(frame & 15), slice.frames);
    } else {
      const std::uint64_t phase = static_cast<std::uint64_t>(frame) * node.audio_.step + node.audio_.offset;
      wave(form, phase, node.audio_.step, out, slice.frames);
    }
    Rows::apply(step, m, node.params[OscillatorParam::gain_db], slice, m.out, 1);
    for (std::uint32_t c = 1; c < m.out_count; ++c) dsp::copy(m.to(c, slice), out, slice.frames);
  }

  static Waveform form_of(const Node& node) noexcept RT_NONBLOCKING {
    const double value = node.params[OscillatorParam::waveform].target();
    return value >= 2.5   ? Waveform::saw
           : value >= 1.5 ? Waveform::square
           : value >= 0.5 ? Waveform::triangle
                          : Waveform::sine;
  }
};

constinit const OscillatorKind kOscillator;

}  // namespace

const NodeKind& oscillator_kind() noexcept { return kOscillator; }

Node* make_oscillator(Uid uid) { return new OscillatorNode(uid); }

}  // namespace continuo::rt
