// THREAD: control makes, audio runs - a fixed delay: what the plan compiler puts on a path that is early
#pragma once

#include <cstdint>

#include "rt/node.hpp"

namespace continuo::rt {

/// in_count == out_count == the channels it was made for. No params. In place. Exact: every bit of the input, `frames`
/// frames later; zeros before.
[[nodiscard]] const NodeKind& delay_line_kind() noexcept;
/// Control; the caller owns it. Any number of channels; frames >= 1. Its memory is all there is: channels * frames
/// floats.
[[nodiscard]] Node* make_delay_line(Uid uid, std::uint32_t channels, std::uint32_t frames);

}  // namespace continuo::rt
