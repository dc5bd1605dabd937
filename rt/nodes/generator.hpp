// THREAD: control makes, audio runs - oscillator and noise: sound from nothing, the same on every run
#pragma once

#include "rt/node.hpp"

namespace continuo::rt {

/// Phase comes from the timeline's frame while it rolls, else from the engine's, so it does not depend on when
/// the node was made, nor on the buffer size: phase = frame * round(2^64 f / rate) mod 2^64 for a frequency that stands
/// still. A frequency that changes steps at each point of the grid and carries the phase on, without a click, until the next
/// start, stop or locate: then the phase is the frame's again. 0 in; every output is the same.
/// At phase 0 sine and triangle rise through 0, the square rises to 1, the saw falls to -1.
struct OscillatorParam { enum : std::uint16_t { frequency_hz, gain_db, waveform, count }; };
enum class Waveform : std::uint8_t { sine, triangle, square, saw };  // all but sine band-limited by PolyBLEP
struct OscillatorNode;
[[nodiscard]] const NodeKind& oscillator_kind() noexcept;
[[nodiscard]] Node* make_oscillator(Uid uid);  // control; the caller owns it

/// White noise, flat in -1 to 1 before gain; each sample a hash of (uid, channel, frame): no state.
struct NoiseParam { enum : std::uint16_t { gain_db, count }; };
[[nodiscard]] const NodeKind& noise_kind() noexcept;

}  // namespace continuo::rt
