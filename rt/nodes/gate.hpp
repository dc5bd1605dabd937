// THREAD: control makes, audio runs - gate and downward expander, with a key of its own if it is given one
#pragma once

#include "rt/node.hpp"

namespace continuo::rt {

/// threshold, range (the most that it takes away), hysteresis (by which the level must fall below the threshold before
/// it closes): dB. ratio: dB out for one dB in, below the threshold; 1 and more. attack opens, release closes:
/// milliseconds to 63 % of a step of the gain reduction in dB. hold: milliseconds after the last loud sample. bypass:
/// 0 or 1. Everything ramps.
struct GateParam {
  enum : std::uint16_t { threshold_db, ratio, range_db, hysteresis_db, attack_ms, hold_ms, release_ms, bypass, count };
};

/// Channels and key as of the compressor. A new one is closed, as after silence, to the bit: one that plays from its
/// first frame on gives what one gives that had waited. Works in tiles. Latency 0.
[[nodiscard]] const NodeKind& gate_kind() noexcept;

}  // namespace continuo::rt
