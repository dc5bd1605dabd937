#include "rt/nodes/reverb.hpp"

#include <algorithm>
#include <cstddef>

#include "rt/dsp/finite.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/nodes/level_rows.hpp"
#include "rt/nodes/wet_mix.hpp"
#include "rt/render_plan.hpp"

/// J.-M. Jot and A. Chaigne, "Digital delay networks for designing artificial reverberators" (AES convention 90, 1991):
/// every line loses as much a frame as every other, so that all modes decay alike, and a one-pole in each line makes
/// high frequencies decay faster. The lines feed one another through a Hadamard matrix, which loses nothing.
namespace continuo::rt {
namespace {

constexpr std::uint32_t kLines = kMaxLanes;
constexpr double kShortestMs = 29.0;
constexpr double kLongestMs = 97.0;
constexpr double kLog2Thousand = 9.965784284662087;  // 60 dB

/// Which way round a line takes its input and gives its output; uneven, so that no channel is another's echo.
constexpr std::uint32_t kInSigns = 0x5a3c, kOutSigns = 0x96c5;
constexpr float sign_of(std::uint32_t signs, std::uint32_t line) noexcept {
  return (signs >> line & 1u) != 0 ? -1.0f : 1.0f;
}

bool is_prime(std::uint32_t n) {
  for (std::uint32_t d = 2; d * d <= n; ++d) {
    if (n % d == 0) return false;
  }
  return n > 1;
}

/// A ring that is as long as its delay.
struct Ring {
  float* samples = nullptr;
  std::uint32_t length = 0;
  std::uint32_t at = 0;

  void read(float* out, std::uint32_t count) const noexcept RT_NONBLOCKING {
    const std::uint32_t first = std::min(count, length - at);
    std::copy_n(samples + at, first, out);
    std::copy_n(samples, count - first, out + first);
  }
  /// After read() of as many: they take the place of what was read.
  void write(const float* in, std::uint32_t count) noexcept RT_NONBLOCKING {
    const std::uint32_t first = std::min(count, length - at);
    dsp::copy_finite(samples + at, in, first);
    dsp::copy_finite(samples, in + first, count - first);
    at = at + count < length ? at + count : at + count - length;
  }
};

struct ReverbNode final : Node {
  ReverbNode(Uid node_uid, std::uint32_t in_count, const ReverbRoom& room, double rate)
      : Node(reverb_kind(), node_uid, ReverbParam::count), ins(in_count) {
    std::size_t total = 0;
    std::uint32_t longest = kBlockFrames - 1;  // a slice must fit into each line
    for (std::uint32_t k = 0; k < kLines; ++k) {
      const double ms = kShortestMs * dsp::exp2(dsp::log2(kLongestMs / kShortestMs) * k / (kLines - 1)) * room.size;
      std::uint32_t length = std::max(static_cast<std::uint32_t>(ms * 1e-3 * rate), longest + 1);
      while (!is_prime(length)) ++length;
      audio_.lines[k].length = longest = length;
      total += length;
    }
    const auto predelay = static_cast<std::uint32_t>(room.predelay_ms * 1e-3 * rate + 0.5);
    predelay_frames = predelay;
    // Room for a slice beyond it, so that a delay shorter than that needs no case of its own.
    const std::uint32_t capacity = predelay + kBlockFrames;
    memory = make_aligned_floats(total + std::size_t{ins} * capacity);
    float* next = memory.get();
    for (Ring& line : audio_.lines) {
      line.samples = next;
      next += line.length;
    }
    audio_.early.resize(ins);
    for (Ring& ring : audio_.early) {
      ring = {next, capacity, 0};
      next += capacity;
    }
  }

  const std::uint32_t ins;
  std::uint32_t predelay_frames = 0;
  AlignedFloats memory;
  struct {
    Ring lines[kLines];
    std::vector<Ring> early;  // by channel; `at`: where the next sample goes
    alignas(64) float damped[kLines] = {};
    // y = (a + da t) x + (b + db t) y before, t from the grid point on
    alignas(64) float a[kLines] = {}, b[kLines] = {}, da[kLines] = {}, db[kLines] = {};
  } audio_;
};

struct Loss {
  double a = 0.0, b = 0.0;
};

/// Of a line: its gain at 0 Hz is that of its length, at half the rate that of its length and the shorter decay.
Loss loss_of(std::uint32_t length, double decay_s, double hf_ratio, double rate) noexcept RT_NONBLOCKING {
  const double octaves = -kLog2Thousand * length / (std::max(decay_s, 0.01) * rate);
  const double ratio = std::clamp(hf_ratio, 0.01, 1.0);
  const double high = dsp::exp2(octaves / ratio - octaves);  // more loss, up there
  const double b = (1.0 - high) / (1.0 + high);
  return {dsp::exp2(octaves) * (1.0 - b), b};
}

/// Hadamard's matrix of 16, over 4: lines[k] is a line's samples.
void scatter(float (*lines)[kBlockFrames], std::uint32_t frames) noexcept RT_NONBLOCKING {
  for (std::uint32_t half = 1; half < kLines; half *= 2) {
    for (std::uint32_t k = 0; k < kLines; ++k) {
      if ((k & half) != 0) continue;
      float* __restrict a = lines[k];
      float* __restrict b = lines[k + half];
      for (std::uint32_t i = 0; i < frames; ++i) {
        const float sum = a[i] + b[i], difference = a[i] - b[i];
        a[i] = sum * 0.70710678f;
        b[i] = difference * 0.70710678f;
      }
    }
  }
}

class ReverbKind final : public NodeKind {
 public:
  constexpr ReverbKind() noexcept : NodeKind("reverb") {}

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING { return work_out(node_of(m), slice); });
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) run(m, slice);
  }

  void forget(Step&, const Member& m) const noexcept RT_NONBLOCKING override {
    std::fill_n(node_of(m).audio_.damped, kLines, 0.0f);
  }

 private:
  static ReverbNode& node_of(const Member& m) noexcept RT_NONBLOCKING { return static_cast<ReverbNode&>(*m.node); }

  static bool work_out(ReverbNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
    const Param& decay = node.params[ReverbParam::decay_s];
    const Param& ratio = node.params[ReverbParam::hf_ratio];
    const FrameCount cell = slice.cell_frame();
    const FrameCount end = cell + static_cast<FrameCount>(kBlockFrames);
    FrameCount from = cell;
    bool moving = false;
    for (const Param* p : {&decay, &ratio}) {
      if (!p->moving(cell)) continue;
      moving = true;
      from = std::max(from, p->begin());
    }
    const bool line = moving && from < end;
    if (!line) from = slice.block_frame();
    for (std::uint32_t k = 0; k < kLines; ++k) {
      const std::uint32_t length = node.audio_.lines[k].length;
      const auto at = [&](FrameCount frame) noexcept
          RT_NONBLOCKING { return loss_of(length, decay.at(frame), ratio.at(frame), slice.sample_rate_hz); };
      const Loss first = at(from);
      const Loss last = line ? at(end) : first;
      const double frames = line ? static_cast<double>(end - from) : 1.0;
      const double late = static_cast<double>(from - cell);
      const double da = (last.a - first.a) / frames, db = (last.b - first.b) / frames;
      node.audio_.a[k] = static_cast<float>(first.a - da * late);
      node.audio_.b[k] = static_cast<float>(first.b - db * late);
      node.audio_.da[k] = static_cast<float>(da);
      node.audio_.db[k] = static_cast<float>(db);
    }
    return moving;
  }

  static void run(const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
    ReverbNode& node = node_of(m);
    alignas(64) float lines[kLines][kBlockFrames];
    float* to[kLines];
    for (std::uint32_t k = 0; k < kLines; ++k) {
      node.audio_.lines[k].read(lines[k], slice.frames);
      to[k] = lines[k];
    }
    slice.kernels->pack(slice.tile, to, kLines, 0, slice.frames);
    damp(node, slice);
    slice.kernels->unpack(to, kLines, 0, slice.tile, slice.frames);
    give(m, slice, lines);
    scatter(lines, slice.frames);
    take(m, node, slice, lines);
    for (std::uint32_t k = 0; k < kLines; ++k) node.audio_.lines[k].write(lines[k], slice.frames);
  }

  static void damp(ReverbNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
    auto& audio = node.audio_;
    float* __restrict row = slice.tile;
    alignas(64) float y[kLines];
    std::copy_n(audio.damped, kLines, y);
    auto t = static_cast<float>(static_cast<std::int32_t>(slice.cell_offset()));
    for (std::uint32_t i = 0; i < slice.frames; ++i, row += kLines, t += 1.0f) {
#pragma omp simd
      for (std::uint32_t k = 0; k < kLines; ++k) {
        y[k] = (audio.a[k] + audio.da[k] * t) * row[k] + (audio.b[k] + audio.db[k] * t) * y[k];
        row[k] = y[k];
      }
    }
    std::copy_n(y, kLines, audio.damped);
  }

  /// Each output is the sum of every n-th line, as loud as one line, with the dry sound.
  static void give(const Member& m, const Slice& slice, const float (*lines)[kBlockFrames]) noexcept RT_NONBLOCKING {
    const std::vector<Param>& p = m.node->params;
    const WetMix mix(p[ReverbParam::dry_db], p[ReverbParam::wet_db], p[ReverbParam::bypass], slice);
    const std::uint32_t every = std::min<std::uint32_t>(m.out_count, kLines);
    const float level = level_of(every);
    for (std::uint32_t c = 0; c < m.out_count; ++c) {
      alignas(64) float wet[kBlockFrames] = {};
      for (std::uint32_t k = c % kLines; k < kLines; k += every) {
        const float factor = level * sign_of(kOutSigns, k);
        for (std::uint32_t i = 0; i < slice.frames; ++i) wet[i] += lines[k][i] * factor;
      }
      if (m.in_count == 0) {
        dsp::silence(m.to(c, slice), slice.frames);
        continue;
      }
      mix.apply(m.to(c, slice), m.from(std::min<std::uint32_t>(c, m.in_count - 1u), slice), wet, 0, slice.frames);
    }
  }

  static void take(const Member& m, ReverbNode& node, const Slice& slice, float (*lines)[kBlockFrames]) noexcept
      RT_NONBLOCKING {
    const std::uint32_t ins = std::min<std::uint32_t>(m.in_count, node.ins);
    const std::uint32_t every = std::clamp(ins, 1u, kLines);
    const float level = level_of(every);
    for (std::uint32_t c = 0; c < ins; ++c) {
      alignas(64) float late[kBlockFrames];
      delayed(node.audio_.early[c], node.predelay_frames, m.from(c, slice), late, slice.frames);
      for (std::uint32_t k = c % kLines; k < kLines; k += every) {
        const float factor = level * sign_of(kInSigns, k);
        for (std::uint32_t i = 0; i < slice.frames; ++i) lines[k][i] += late[i] * factor;
      }
    }
  }
  static void delayed(Ring& ring, std::uint32_t delay, const float* in, float* out, std::uint32_t frames) noexcept
      RT_NONBLOCKING {
    const std::uint32_t head = ring.at + ring.length - delay;
    ring.write(in, frames);
    const Ring from{ring.samples, ring.length, head < ring.length ? head : head - ring.length};
    from.read(out, frames);
  }

  /// The root of how many channels share the lines, over 4.
  static float level_of(std::uint32_t every) noexcept RT_NONBLOCKING {
    return static_cast<float>(0.25 * dsp::exp2(0.5 * dsp::log2(static_cast<double>(every))));
  }
};

constinit const ReverbKind kReverb;

}  // namespace

const NodeKind& reverb_kind() noexcept { return kReverb; }

Node* make_reverb(Uid uid, std::uint32_t in_count, const ReverbRoom& room, double sample_rate_hz) {
  return new ReverbNode(uid, in_count, room, sample_rate_hz);
}

}  // namespace continuo::rt
