// THREAD: control makes, audio runs - true-peak limiter that sees ahead
#pragma once

#include <cstdint>

#include "rt/node.hpp"

namespace continuo::rt {

/// bypass: 0 or 1; it keeps the latency. release: milliseconds to 63 % of the way back of the gain. ceiling and bypass
/// ramp at each sample; a new ceiling counts for the sound that comes in from then on.
struct LimiterParam {
  enum : std::uint16_t { ceiling_db, release_ms, bypass, count };
};

/// in_count == out_count, the number it was made for. All channels share one gain. What comes out lies, between the
/// samples too, never more than 0.1 dB above the ceiling; in a steady state never more than 0.1 dB below it. What is
/// no number is taken as silence.
[[nodiscard]] const NodeKind& limiter_kind() noexcept;
/// Control. The gain falls in a straight line over `lookahead_frames`: at least 1, but the 0.1 dB hold from 4 on.
[[nodiscard]] Node* make_limiter(Uid uid, std::uint32_t channels, std::uint32_t lookahead_frames);
/// Any thread.
[[nodiscard]] std::uint32_t limiter_latency_frames(std::uint32_t lookahead_frames) noexcept;

}  // namespace continuo::rt
