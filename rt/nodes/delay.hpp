// THREAD: control makes, audio runs - delay: echoes, with feedback
#pragma once

#include <cstdint>

#include "rt/node.hpp"

namespace continuo::rt {

/// time_ms: held between 0 and the memory; exactly round(time_ms * rate / 1000) frames. A new time is taken at the next
/// grid point: over kDelayFadeFrames the sound moves from one read head to the other, without a glide in pitch; what
/// changes meanwhile waits for the end of that. feedback: -0.95 to 0.95 of what comes out goes in again; none where the
/// time is 0. dry_db, wet_db, feedback and bypass ramp.
struct DelayParam {
  enum : std::uint16_t { time_ms, feedback, dry_db, wet_db, bypass, count };
};

inline constexpr std::uint32_t kDelayFadeFrames = 1024;
/// 10 s at 384 kHz.
inline constexpr std::uint32_t kMaxDelayFrames = 3840000;

/// in_count == out_count == the channels it was made for. In place. Latency 0: being late is what it is for.
[[nodiscard]] const NodeKind& delay_kind() noexcept;
/// Control; the caller owns it. `max_frames`, at most kMaxDelayFrames, is the longest delay.
[[nodiscard]] Node* make_delay(Uid uid, std::uint32_t channels, std::uint32_t max_frames);

}  // namespace continuo::rt
