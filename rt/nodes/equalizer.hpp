// THREAD: control makes, audio runs - parametric equaliser: up to 8 bands of up to 4 sections
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rt/dsp/biquad.hpp"
#include "rt/node.hpp"

namespace continuo::rt {

inline constexpr std::uint32_t kEqBands = 8;

/// Params in order: of band 0 the four below, of band 1, ...; then `bypass` (0 or 1) of the whole. All ramp; the
/// coefficients are worked out on the grid and move in a straight line between its points. A set without a ramp lands on
/// its sample.
struct EqParam {
  enum : std::uint16_t { freq_hz, gain_db, q, enabled, per_band, bypass = kEqBands * per_band, count };
};

/// What does not ramp: another band is another node.
struct EqBand {
  dsp::BandType type = dsp::BandType::off;
  std::uint32_t sections = 1;  // 1 to 4: 12 dB per octave each, of low and high pass; a Butterworth where q is sqrt(1/2)
};

/// in_count == out_count, any number. Works in tiles. Latency 0.
[[nodiscard]] const NodeKind& eq_kind() noexcept;
/// Control. Bands that are off cost nothing.
[[nodiscard]] Node* make_eq(Uid uid, std::span<const EqBand> bands);
/// Any thread: Step::size of a node of these bands.
[[nodiscard]] std::uint32_t eq_sections(std::span<const EqBand> bands) noexcept;

}  // namespace continuo::rt
