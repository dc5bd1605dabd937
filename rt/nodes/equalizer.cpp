#include "rt/nodes/equalizer.hpp"

#include <algorithm>
#include <bit>

#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

struct EqSection {
  dsp::BandType type = dsp::BandType::off;
  std::uint16_t first_param = 0;
  double q_factor = 1.0;
};

struct EqNode final : Node {
  EqNode(Uid node_uid, std::span<const EqBand> bands) : Node(eq_kind(), node_uid, EqParam::count) {
    for (std::size_t b = 0; b < bands.size() && b < kEqBands; ++b) {
      if (bands[b].type == dsp::BandType::off) continue;
      const auto first = static_cast<std::uint16_t>(b * EqParam::per_band);
      for (std::uint32_t k = 0; k < bands[b].sections; ++k) {
        const double factor = bands[b].sections == 1 ? 1.0 : dsp::butterworth_q(k, bands[b].sections) * dsp::kSqrt2;
        sections.push_back({bands[b].type, first, factor});
      }
    }
  }
  std::vector<EqSection> sections;
};

/// What of a section moves, at one block.
struct Motion {
  bool stale = false;  // its rows are not this block's
  bool moving = false;
  FrameCount begin = 0;  // of the line from grid point to grid point: later than the first where a ramp began between
};

/// step.notes: how many sections every member has; which sections ramp, one bit each.
enum Note : std::uint32_t { kFull, kRamping };

class EqKind final : public TileKind {
 public:
  constexpr EqKind() noexcept : TileKind("eq") {}

  [[nodiscard]] std::uint32_t row_count(std::uint32_t size) const noexcept override { return size * dsp::kEqRows; }

  void arrange(Step& step) const noexcept RT_NONBLOCKING override {
    std::uint32_t full = step.size;
    for (const Member& m : step.members) full = std::min(full, static_cast<std::uint32_t>(node_of(m).sections.size()));
    step.notes[kFull] = full;
    note_ramps(step);
  }

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING { return work_out(step, m, slice); });
    note_ramps(step);
  }

  void forget(Step& step, const Member& m) const noexcept RT_NONBLOCKING override {
    for (std::uint32_t s = 0; s < step.size; ++s) {
      write_lanes(step, m, s * dsp::kEqRows + dsp::EqRow::state_l, 0.0f);
      write_lanes(step, m, s * dsp::kEqRows + dsp::EqRow::state_b, 0.0f);
    }
  }

 private:
  static EqNode& node_of(const Member& m) noexcept RT_NONBLOCKING { return static_cast<EqNode&>(*m.node); }

  static void note_ramps(Step& step) noexcept RT_NONBLOCKING {
    std::uint32_t ramping = 0;
    for (std::uint32_t s = 0; s < step.size; ++s) {
      bool any = false;
      for (const Member& m : step.members) any |= m.lanes != 0 && ramps(step, m, s);
      ramping |= any ? 1u << s : 0u;
    }
    step.notes[kRamping] = ramping;
  }
  static bool ramps(const Step& step, const Member& m, std::uint32_t section) noexcept RT_NONBLOCKING {
    if (section >= node_of(m).sections.size()) return false;
    float any = 0.0f;
    for (std::uint32_t k = 0; k < 5; ++k) {
      const float delta = *step.row(section * dsp::kEqRows + dsp::EqRow::delta + k, m.first_lane);
      any = delta != 0.0f ? 1.0f : any;
    }
    return any != 0.0f;
  }

  static bool work_out(const Step& step, const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
    EqNode& node = node_of(m);
    bool moving = false;
    for (std::uint32_t s = 0; s < node.sections.size(); ++s) {
      const Motion motion = motion_of(node, node.sections[s], slice);
      moving |= motion.moving;
      if (motion.stale) write(step, m, s, slice, motion);
    }
    node.worked_out = slice.block_frame();
    return moving;
  }

  static Motion motion_of(const EqNode& node, const EqSection& section, const Slice& slice) noexcept RT_NONBLOCKING {
    Motion motion{.stale = node.worked_out < 0, .moving = false, .begin = slice.cell_frame()};
    const auto look = [&](const Param& p) noexcept RT_NONBLOCKING {
      // By cells: a block that another node's command begins, behind a ramp's end, goes on on the same line.
      motion.stale |= p.end() + static_cast<FrameCount>(kBlockFrames) >= node.worked_out;
      if (!p.moving(slice.cell_frame())) return;
      motion.moving = true;
      motion.begin = std::max(motion.begin, p.begin());
    };
    for (std::uint16_t k = 0; k < EqParam::per_band; ++k) look(node.params[section.first_param + k]);
    look(node.params[EqParam::bypass]);
    return motion;
  }

  static dsp::Section design(const EqNode& node, const EqSection& section, FrameCount frame, double rate) noexcept
      RT_NONBLOCKING {
    const Param* const p = node.params.data() + section.first_param;
    const double wet = p[EqParam::enabled].at(frame) * (1.0 - node.params[EqParam::bypass].at(frame));
    return dsp::design_section(section.type, p[EqParam::freq_hz].at(frame), p[EqParam::gain_db].at(frame),
                               p[EqParam::q].at(frame) * section.q_factor, rate, wet);
  }

  static void write(const Step& step, const Member& m, std::uint32_t s, const Slice& slice,
                    const Motion& motion) noexcept RT_NONBLOCKING {
    const EqNode& node = node_of(m);
    const FrameCount end = slice.cell_frame() + static_cast<FrameCount>(kBlockFrames);
    const bool line = motion.moving && motion.begin < end;
    const FrameCount from = line ? motion.begin : slice.block_frame();
    const dsp::Section a = design(node, node.sections[s], from, slice.sample_rate_hz);
    const dsp::Section b = line ? design(node, node.sections[s], end, slice.sample_rate_hz) : a;
    const double frames = line ? static_cast<double>(end - from) : 1.0;
    const double late = static_cast<double>(from - slice.cell_frame());
    const double first[5] = {a.k1, a.k2, a.d0, a.d1, a.d2};
    const double last[5] = {b.k1, b.k2, b.d0, b.d1, b.d2};
    for (std::uint32_t k = 0; k < 5; ++k) {
      const double delta = (last[k] - first[k]) / frames;
      // + 0: a negative zero would show in the sign of silence.
      const float base = static_cast<float>(line ? first[k] - delta * late : first[k]) + 0.0f;
      for (std::uint32_t lane = m.first_lane; lane < m.first_lane + std::uint32_t{m.lanes}; ++lane) {
        *step.row(s * dsp::kEqRows + dsp::EqRow::base + k, lane) = base;
        *step.row(s * dsp::kEqRows + dsp::EqRow::delta + k, lane) = static_cast<float>(delta);
        *step.row(s * dsp::kEqRows + dsp::EqRow::mask, lane) = std::bit_cast<float>(0xffffffffu);
      }
    }
  }

  void process_tile(Step& step, const Slice& slice, std::uint32_t first, std::uint32_t lanes,
                    float* tile) const noexcept RT_NONBLOCKING override {
    slice.kernels->eq(tile, step.row(0, first), lanes, step.notes[kFull], step.size, step.notes[kRamping],
                      slice.cell_offset(), slice.frames);
  }
};

constinit const EqKind kEq;

}  // namespace

const NodeKind& eq_kind() noexcept { return kEq; }

Node* make_eq(Uid uid, std::span<const EqBand> bands) { return new EqNode(uid, bands); }

std::uint32_t eq_sections(std::span<const EqBand> bands) noexcept {
  std::uint32_t sections = 0;
  for (const EqBand& band : bands) sections += band.type == dsp::BandType::off ? 0 : band.sections;
  return sections;
}

}  // namespace continuo::rt
