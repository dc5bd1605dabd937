// THREAD: control makes, audio runs - meter: looks at its inputs and writes their levels where anybody can read them
#pragma once

#include <memory>

#include "rt/dsp/level.hpp"
#include "rt/meter.hpp"
#include "rt/node.hpp"

namespace continuo::rt {

/// in_count channels, 0 out. Measures while somebody looks (MeterLook), which it asks at the end of each window and
/// when it first runs; else it costs a glance. Windows end where the engine clock, `ahead` frames further on, is a
/// multiple of kMeterWindowFrames: to end one costs many times what it costs to go on with it, so not all meters do it
/// in the same callback.
struct MeterTapNode final : Node {
  /// `ahead`: a multiple of kBlockFrames, below kMeterWindowFrames.
  MeterTapNode(Uid node_uid, std::uint32_t channels, std::uint32_t ahead = 0);

  // Of many meters each block finds little in the near caches. What it touches of one lies in two lines, which follow
  // one another, and all but the sums in the first.
  alignas(64) const std::shared_ptr<MeterSlots> slots;
  const std::uint32_t ahead;
  struct {
    std::uint32_t frames = 0;  // in the open window
    std::uint16_t channels = 0;
    bool measures = false;  // this window
    bool begun = false;
    MeterFeed* feed = nullptr;      // this window's
    dsp::LevelSum* sums = nullptr;  // a channel each: near, or far
    MeterSlot* first = nullptr;     // of the slots
    std::uint64_t windows = 0;      // published
  } audio_;
  dsp::LevelSum near[2];                       // audio thread
  const std::unique_ptr<dsp::LevelSum[]> far;  // of more channels than are near. Audio thread
};
[[nodiscard]] const NodeKind& meter_kind() noexcept;

}  // namespace continuo::rt
