// THREAD: control makes, audio runs - sweep: a sine whose pitch rises or falls by equal intervals in equal times
#pragma once

#include <cstdint>

#include "rt/node.hpp"

namespace continuo::rt {

struct SweepParam {
  enum : std::uint16_t { gain_db, count };
};

/// What does not ramp: another sweep is another node.
struct SweepShape {
  double start_hz = 20.0;
  double end_hz = 20000.0;
  FrameCount frames = 48000;  // of one sweep, >= 1
  FrameCount period = 0;      // from one to the next: repeats where this is not 0; silence between
};

/// A. Farina, "Simultaneous measurement of impulse response and distortion with a swept-sine technique" (AES convention
/// 108, 2000): with L = ln(end / start) and T its length, phase = 2 pi start T / L (exp(t L / T) - 1), t counting from
/// the timeline's frame 0. A closed form of the frame: the same wherever playing began. Silent while the timeline
/// stands, before its frame 0, and where the pitch is above half the rate. 0 in; every output is the same.
[[nodiscard]] const NodeKind& sweep_kind() noexcept;
[[nodiscard]] Node* make_sweep(Uid uid, const SweepShape& shape);  // control; the caller owns it

}  // namespace continuo::rt
