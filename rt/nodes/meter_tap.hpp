// THREAD: control makes, audio runs - meter: looks at its inputs and writes their levels where anybody can read them
#pragma once

#include <memory>
#include <vector>

#include "rt/dsp/level.hpp"
#include "rt/meter.hpp"
#include "rt/node.hpp"

namespace continuo::rt {

/// One slot a channel. Shared with readers on the control side: the slots live as long as anybody looks at them.
using MeterSlots = std::vector<MeterSlot>;

/// in_count channels, 0 out. Windows end at multiples of kMeterWindowFrames of the engine clock.
struct MeterTapNode final : Node {
  MeterTapNode(Uid node_uid, std::uint32_t channels);
  const std::shared_ptr<MeterSlots> slots;
  struct {
    std::vector<dsp::LevelSum> channels;
    std::uint32_t frames = 0;   // in the open window
    std::uint64_t windows = 0;  // published
  } audio_;
};
[[nodiscard]] const NodeKind& meter_kind() noexcept;

}  // namespace continuo::rt
