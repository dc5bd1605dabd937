// THREAD: control makes, audio runs - mix: the sum of any number of inputs, one channel
#pragma once

#include "rt/node.hpp"

namespace continuo::rt {

/// in_count inputs (0: silence) summed to one output. The order is part of the sound and is that of `in`: leaves of
/// kMixLeaf inputs in order, each summed from its first on, then the leaves in order. One input is copied bit for bit.
[[nodiscard]] const NodeKind& mix_kind() noexcept;

}  // namespace continuo::rt
