// THREAD: any, one at a time - when a transaction falls due, and in which order several do
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "continuo/v1/types.pb.h"
#include "rt/types.hpp"
#include "server/base/result.hpp"
#include "server/journal/utc.hpp"

namespace continuo::control {

/// What a When came to when it was accepted. Engine frames stay, the others are looked at again until they come.
struct Due {
  enum class Kind : std::uint8_t {
    engine,    // value: engine frame
    after,     // value: engine frame, which another rate moves so that the seconds stay
    timeline,  // value: frame of the session's rate
    utc,       // value: nanoseconds since 1970
  };
  Kind kind = Kind::engine;
  std::int64_t value = 0;
  std::optional<std::uint64_t> generation;  // of the engine's clock: without it, it never comes
};

using journal::parse_utc;

/// The clocks at one instant; all frames at the engine's rate.
struct Moment {
  rt::FrameCount engine_frame = 0;
  rt::FrameCount timeline_frame = 0;
  bool rolling = false;
  std::int64_t utc_ns = 0;
  double engine_hz = 0.0;
};

/// One of several that will fall due. `roll` and `locate`: what it does to the timeline.
struct DueItem {
  std::uint64_t id = 0;  // of equal frames the lower comes first
  bool on_timeline = false;
  rt::FrameCount frame = 0;  // of the engine, or of the timeline at the engine's rate
  std::optional<bool> roll = {};
  std::optional<rt::FrameCount> locate = {};
  bool sent = false;  // it is on its way, and here for what it does to the timeline alone
};

struct DueAt {
  std::size_t item = 0;                  // index
  std::optional<rt::FrameCount> engine;  // nothing: the timeline will not pass it as things stand
};

/// In the order in which they will fall due; last those that will not, by their frames. Without those that are `sent`.
[[nodiscard]] std::vector<DueAt> due_order(const Moment& now, const std::vector<DueItem>& items);

}  // namespace continuo::control
