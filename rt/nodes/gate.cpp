#include "rt/nodes/gate.hpp"

#include "rt/nodes/detector.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

using Row = dsp::GateRow;

constexpr float kSilence = -126.0f;  // the level that the kernels give to no sound

class GateKind final : public TileKind {
 public:
  constexpr GateKind() noexcept : TileKind("gate", Row::count) {}

  void arrange(Step& step) const noexcept RT_NONBLOCKING override { note_linked(step); }

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING { return work_out(step, m, slice); });
  }

  void forget(Step& step, const Member& m) const noexcept RT_NONBLOCKING override {
    write_lanes(step, m, Row::reduction, closed(step, m));
    write_lanes(step, m, Row::open, 0.0f);
  }

 private:
  /// The reduction that the kernel comes to in silence, to the bit.
  static float closed(const Step& step, const Member& m) noexcept RT_NONBLOCKING {
    const auto at = [&](std::uint32_t row) noexcept RT_NONBLOCKING { return *step.row(row, m.first_lane); };
    return std::min(at(Row::slope) * std::max(at(Row::threshold) - kSilence, 0.0f), at(Row::range));
  }

  /// Lanes that were never worked out: a new gate is closed; a channel more is as those that were there.
  static void begin_lanes(const Step& step, const Member& m, bool is_new) noexcept RT_NONBLOCKING {
    const float reduction = is_new ? closed(step, m) : *step.row(Row::reduction, m.first_lane);
    const float open = is_new ? 0.0f : *step.row(Row::open, m.first_lane);
    for (std::uint32_t lane = m.first_lane; lane < m.first_lane + std::uint32_t{m.lanes}; ++lane) {
      if (*step.row(Row::hold, lane) != 0.0f) continue;
      *step.row(Row::reduction, lane) = reduction;
      *step.row(Row::open, lane) = open;
    }
  }

  static bool work_out(const Step& step, const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
    const std::vector<Param>& p = m.node->params;
    const auto at = [&](std::uint16_t k) noexcept RT_NONBLOCKING { return cell_value(p[k], slice); };
    const double rate = slice.sample_rate_hz;
    const CellLine wet = wet_line(p[GateParam::bypass], slice);
    const bool is_new = *step.row(Row::hold, m.first_lane) == 0.0f;  // worked out, it is 1 and more
    const auto hold_frames = static_cast<std::int64_t>(std::max(at(GateParam::hold_ms), 0.0) * 1e-3 * rate + 0.5);
    const auto write = [&](std::uint32_t row, double value) noexcept
        RT_NONBLOCKING { write_lanes(step, m, row, static_cast<float>(value)); };
    write(Row::threshold, at(GateParam::threshold_db) * dsp::kLog2PerDb);
    write(Row::hysteresis, std::max(at(GateParam::hysteresis_db), 0.0) * dsp::kLog2PerDb);
    write(Row::slope, std::max(at(GateParam::ratio), 1.0) - 1.0);
    write(Row::range, std::max(at(GateParam::range_db), 0.0) * dsp::kLog2PerDb);
    write(Row::attack, per_frame(at(GateParam::attack_ms), rate));
    write(Row::release, per_frame(at(GateParam::release_ms), rate));
    write(Row::wet, wet.base);
    write(Row::wet_delta, wet.delta);
    begin_lanes(step, m, is_new);
    write(Row::hold, static_cast<double>(hold_frames + 1));
    return any_moving(*m.node, slice.cell_frame());
  }

  void process_tile(Step& step, const Slice& slice, std::uint32_t first, std::uint32_t lanes,
                    float* tile) const noexcept RT_NONBLOCKING override {
    const float* const key = detector_tile(step, slice, first, lanes, tile);
    slice.kernels->gate(tile, key, step.row(0, first), lanes, slice.cell_offset(), slice.frames);
  }
};

constinit const GateKind kGate;

}  // namespace

const NodeKind& gate_kind() noexcept { return kGate; }

}  // namespace continuo::rt
