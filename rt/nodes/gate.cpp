#include "rt/nodes/gate.hpp"

#include "rt/nodes/detector.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

using Row = dsp::GateRow;

class GateKind final : public TileKind {
 public:
  constexpr GateKind() noexcept : TileKind("gate", Row::count) {}

  void arrange(Step& step) const noexcept RT_NONBLOCKING override { note_linked(step); }

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING { return work_out(step, m, slice); });
  }

  void forget(Step& step, const Member& m) const noexcept RT_NONBLOCKING override {
    write_lanes(step, m, Row::reduction, 0.0f);
    write_lanes(step, m, Row::open, 0.0f);
  }

 private:
  static bool work_out(const Step& step, const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
    const std::vector<Param>& p = m.node->params;
    const auto at = [&](std::uint16_t k) noexcept RT_NONBLOCKING { return cell_value(p[k], slice); };
    const double rate = slice.sample_rate_hz;
    const CellLine wet = wet_line(p[GateParam::bypass], slice);
    const auto hold_frames = static_cast<std::int64_t>(std::max(at(GateParam::hold_ms), 0.0) * 1e-3 * rate + 0.5);
    const auto write = [&](std::uint32_t row, double value) noexcept
        RT_NONBLOCKING { write_lanes(step, m, row, static_cast<float>(value)); };
    write(Row::threshold, at(GateParam::threshold_db) * dsp::kLog2PerDb);
    write(Row::hysteresis, std::max(at(GateParam::hysteresis_db), 0.0) * dsp::kLog2PerDb);
    write(Row::slope, std::max(at(GateParam::ratio), 1.0) - 1.0);
    write(Row::range, std::max(at(GateParam::range_db), 0.0) * dsp::kLog2PerDb);
    write(Row::attack, per_frame(at(GateParam::attack_ms), rate));
    write(Row::release, per_frame(at(GateParam::release_ms), rate));
    write(Row::hold, static_cast<double>(hold_frames + 1));
    write(Row::wet, wet.base);
    write(Row::wet_delta, wet.delta);
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
