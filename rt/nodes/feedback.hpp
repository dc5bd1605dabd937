// THREAD: control makes, audio runs - the two ends of a delay that closes a circle
#pragma once

#include <cstdint>

#include "rt/node.hpp"
#include "rt/render_plan.hpp"

namespace continuo::rt {

/// What comes into the one end goes out of the other `frames` frames later, every finite bit of it; zeros before. The
/// ends are two nodes, and the plan has nothing between them: neither of a span's samples depends on the other, in
/// whichever order, or at once, they run.
inline constexpr std::uint32_t kLeastFeedbackFrames = kSpanFrames;

/// 0 in, the channels that it was made for out. No params.
[[nodiscard]] const NodeKind& feedback_out_kind() noexcept;
/// As many in, 0 out. No params.
[[nodiscard]] const NodeKind& feedback_in_kind() noexcept;

/// Control; the caller owns them. frames >= kLeastFeedbackFrames; channels >= 1. The memory goes with the later of the
/// two: (frames + kSpanFrames) floats a channel. `out` is of make_feedback_out().
[[nodiscard]] Node* make_feedback_out(Uid uid, std::uint32_t channels, std::uint32_t frames);
[[nodiscard]] Node* make_feedback_in(Uid uid, const Node& out);

}  // namespace continuo::rt
