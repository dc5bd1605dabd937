// THREAD: control makes, audio runs - compressor: feed-forward, with a key of its own if it is given one
#pragma once

#include "rt/node.hpp"

namespace continuo::rt {

/// threshold, knee (its whole width), makeup: dB. ratio: 1 and more. Times: milliseconds to 63 % of a step of the gain
/// reduction in dB. detector: 0 peak, 1 rms (mean square over rms_ms). bypass: 0 or 1; everything ramps but the detector.
struct CompressorParam {
  enum : std::uint16_t { threshold_db, ratio, knee_db, attack_ms, release_ms, makeup_db, detector, rms_ms, bypass, count };
};

/// out_count channels of sound; in_count is that, or twice that: the inputs beyond are the key that the detector
/// listens to. A member's channels share one gain: that of the loudest. Lookahead is not here: the plan compiler delays
/// the sound and gives the key undelayed. Works in tiles. Latency 0.
[[nodiscard]] const NodeKind& compressor_kind() noexcept;

}  // namespace continuo::rt
