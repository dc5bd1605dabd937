// THREAD: control makes, audio runs - gain: each channel times one factor
#pragma once

#include "rt/node.hpp"

namespace continuo::rt {

/// in_count == out_count, any number. Params in order of GainParam. Works in tiles.
struct GainParam { enum : std::uint16_t { gain_db, count }; };
[[nodiscard]] const NodeKind& gain_kind() noexcept;

/// What the compiler puts on a connection: `factor` is linear (1.0 is unity), so that a new edge fades in from 0 and a
/// dying one to 0. in_count == out_count. In place.
struct EdgeParam { enum : std::uint16_t { factor, count }; };
[[nodiscard]] const NodeKind& edge_kind() noexcept;

/// The strip at the end of a track or bus: gain, pan and mute in one kernel. 1 in, 2 out: constant-power pan (-3.01 dB in the
/// middle: cos and sin of (pan + 1) pi/4). 2 in, 2 out: constant-power balance, exactly 1 on both sides in the middle:
/// min(1, sqrt 2 cos), min(1, sqrt 2 sin). Otherwise in_count == out_count and pan has no effect.
/// `audible` is 1 or 0 and ramps like the others: mute, and other tracks' solo. `inverted` is 0, or 1: turned over; it ramps
/// through silence. In place where in_count == out_count.
struct FaderParam { enum : std::uint16_t { gain_db, pan, audible, inverted, count }; };
[[nodiscard]] const NodeKind& fader_kind() noexcept;

/// The pan of FaderParam alone, as an insert. 1 or 2 in, 2 out.
struct PanParam { enum : std::uint16_t { pan, count }; };
[[nodiscard]] const NodeKind& pan_kind() noexcept;

}  // namespace continuo::rt
