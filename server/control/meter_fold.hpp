// THREAD: any - one frame of levels that covers two, whatever became of the meters in between
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "continuo/v1/meter.pb.h"

namespace continuo::control {

/// The range of every level that clients are told, dBFS: silence, and what left all bounds (an Inf in the graph).
inline constexpr float kQuietestDb = -150.0f;
inline constexpr float kLoudestDb = 150.0f;

/// dBFS of a linear value, kQuietestDb to kLoudestDb; `per_decade`: 20 of an amplitude, 10 of a power.
[[nodiscard]] float meter_db(double value, double per_decade);

/// `later` follows `earlier` and has the same layout: one frame that covers both. Its layout is the earlier one's
/// message's, if any.
void fold_into(v1::MeterFrame& later, const v1::MeterFrame& earlier);

/// Where what a layout shows was in the one before; nothing: it was not.
struct LayoutChange {
  std::vector<std::optional<std::uint32_t>> meters;
  std::vector<std::optional<std::uint32_t>> channels;  // flattened, as the frames are
};

/// A frame of the layout before, as one of the layout after: who stays keeps its values, who is new was not measured,
/// who went is gone. Without a layout of its own.
[[nodiscard]] v1::MeterFrame laid_out_anew(const v1::MeterFrame& frame, const LayoutChange& change);

}  // namespace continuo::control
