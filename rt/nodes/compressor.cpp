#include "rt/nodes/compressor.hpp"

#include "rt/nodes/detector.hpp"
#include "rt/nodes/level_rows.hpp"

namespace continuo::rt {
namespace {

using Row = dsp::CompressorRow;

constexpr double kNarrowestKnee = 0.01;  // dB: a knee of 0 is this

/// step.notes, beside those of the detector.
enum Note : std::uint32_t { kAnyRms = kLinked + 1 };

class CompressorKind final : public TileKind {
 public:
  constexpr CompressorKind() noexcept : TileKind("compressor", Row::count) {}

  void arrange(Step& step) const noexcept RT_NONBLOCKING override {
    note_linked(step);
    note_rms(step);
  }

  void begin_block(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for_each_moving(step, [&](const Member& m) noexcept RT_NONBLOCKING { return work_out(step, m, slice); });
    note_rms(step);
  }

  void forget(Step& step, const Member& m) const noexcept RT_NONBLOCKING override {
    write_lanes(step, m, Row::envelope, 0.0f);
    write_lanes(step, m, Row::power, 0.0f);
  }

 private:
  static bool is_rms(const Member& m) noexcept RT_NONBLOCKING {
    return m.node->params[CompressorParam::detector].target() >= 0.5;
  }
  static void note_rms(Step& step) noexcept RT_NONBLOCKING {
    step.notes[kAnyRms] = 0;
    for (const Member& m : step.members) step.notes[kAnyRms] |= is_rms(m) ? 1u : 0u;
  }

  static bool work_out(const Step& step, const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
    const std::vector<Param>& p = m.node->params;
    const auto at = [&](std::uint16_t k) noexcept RT_NONBLOCKING { return cell_value(p[k], slice); };
    const double rate = slice.sample_rate_hz;
    const double knee = std::max(at(CompressorParam::knee_db), kNarrowestKnee);
    const double threshold = at(CompressorParam::threshold_db) - 0.5 * knee;
    const double ratio = std::max(at(CompressorParam::ratio), 1.0);
    const CellLine makeup = cell_line(p[CompressorParam::makeup_db], slice,
                                      [](double db) noexcept RT_NONBLOCKING { return db * dsp::kLog2PerDb; });
    const CellLine wet = wet_line(p[CompressorParam::bypass], slice);
    const auto write = [&](std::uint32_t row, double value) noexcept
        RT_NONBLOCKING { write_lanes(step, m, row, static_cast<float>(value)); };
    write(Row::threshold, threshold * dsp::kLog2PerDb);
    write(Row::knee, knee * dsp::kLog2PerDb);
    write(Row::half_inverse_knee, 0.5 / (knee * dsp::kLog2PerDb));
    write(Row::slope, 1.0 - 1.0 / ratio);
    write(Row::attack, per_frame(at(CompressorParam::attack_ms), rate));
    write(Row::release, per_frame(at(CompressorParam::release_ms), rate));
    write(Row::rms, per_frame(at(CompressorParam::rms_ms), rate));
    write(Row::makeup, makeup.base);
    write(Row::makeup_delta, makeup.delta);
    write(Row::wet, wet.base);
    write(Row::wet_delta, wet.delta);
    write_lanes(step, m, Row::is_rms, std::bit_cast<float>(is_rms(m) ? 0xffffffffu : 0u));
    return any_moving(*m.node, slice.cell_frame());
  }

  void process_tile(Step& step, const Slice& slice, std::uint32_t first, std::uint32_t lanes,
                    float* tile) const noexcept RT_NONBLOCKING override {
    const float* const key = detector_tile(step, slice, first, lanes, tile);
    slice.kernels->compressor(tile, key, step.row(0, first), lanes, slice.cell_offset(), step.notes[kAnyRms] != 0,
                              slice.frames);
  }
};

constinit const CompressorKind kCompressor;

}  // namespace

const NodeKind& compressor_kind() noexcept { return kCompressor; }

}  // namespace continuo::rt
