// THREAD: control makes, audio runs - algorithmic reverb: a feedback delay network of 16 lines
#pragma once

#include <cstdint>

#include "rt/node.hpp"

namespace continuo::rt {

/// decay_s: seconds to -60 dB, at low frequencies; hf_ratio, up to 1: the decay at half the rate is that times decay_s.
/// Both move in lines between grid points. dry_db, wet_db and bypass ramp.
struct ReverbParam {
  enum : std::uint16_t { decay_s, hf_ratio, dry_db, wet_db, bypass, count };
};

/// What does not ramp: another room is another node.
struct ReverbRoom {
  double size = 1.0;         // 0.25 to 4: times the lines' lengths, which are 29 to 97 ms at 1
  double predelay_ms = 0.0;  // 0 to 500
};

/// One or two channels in: two out. More: as many out. Latency 0. The same room has the same sound in every session.
[[nodiscard]] const NodeKind& reverb_kind() noexcept;
/// Control; the caller owns it.
[[nodiscard]] Node* make_reverb(Uid uid, std::uint32_t in_count, const ReverbRoom& room, double sample_rate_hz);

}  // namespace continuo::rt
