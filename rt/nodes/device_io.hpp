// THREAD: control makes, audio runs - where the device's channels enter and leave the graph
#pragma once

#include "rt/node.hpp"

namespace continuo::rt {

/// 0 in; output c is device input c (from 0), silence where the device has fewer.
[[nodiscard]] const NodeKind& device_input_kind() noexcept;

/// in_count channels, 0 out: input c is written to device output c; channels that the device lacks are dropped. Device outputs that
/// no plan writes are silent (the renderer clears them first).
[[nodiscard]] const NodeKind& device_output_kind() noexcept;

}  // namespace continuo::rt
