// THREAD: control - where a player is in its queue, and where that is after an edit or a skip
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "rt/types.hpp"
#include "server/session/queue.hpp"

namespace continuo::control {

using QueueItems = std::vector<session::CompiledItem>;

/// A queue's items on one axis: engine-rate frames from its first one on.
class QueuePlaces {
 public:
  QueuePlaces(const QueueItems& items, double rate_hz);

  [[nodiscard]] std::size_t count() const noexcept { return begins_.size() - 1; }
  [[nodiscard]] rt::FrameCount begin(std::size_t index) const { return begins_[index]; }
  [[nodiscard]] rt::FrameCount end(std::size_t index) const { return begins_[index + 1]; }
  [[nodiscard]] rt::FrameCount length() const { return begins_.back(); }
  /// The item that sounds at a frame; count() behind the last.
  [[nodiscard]] std::size_t at(rt::FrameCount frame) const;

 private:
  std::vector<rt::FrameCount> begins_;
};

/// A transaction's skips of one player, in order.
struct Skip {
  struct Step {
    std::optional<std::int32_t> by;
    rt::Uid item = 0;  // where `by` is absent
  };
  rt::Uid player = 0;
  std::vector<Step> steps;
};

/// What becomes of a player that stands at a frame of one queue when another takes its place.
struct QueueMove {
  rt::FrameCount frame = 0;  // of the new queue
  bool joins = false;        // it goes on there: `frame` is the old one and `shift`; see rt::Source
  rt::FrameCount shift = 0;
  rt::FrameCount same_until = rt::kNow;
};
[[nodiscard]] QueueMove move_queue(const QueueItems& before, const QueueItems& after, double rate_hz,
                                   rt::FrameCount frame, const Skip* skip);
/// The same of a player that follows the timeline: its place is the timeline's to say.
[[nodiscard]] QueueMove replace_queue(const QueueItems& before, const QueueItems& after, double rate_hz,
                                      rt::FrameCount frame);

/// The item that a player is at, behind the last one that; 0 in an empty queue.
[[nodiscard]] rt::Uid current_item(const QueueItems& items, double rate_hz, rt::FrameCount frame);

/// The operations with a uid in the place of each `current`. `current_of`: by player; 0 where nobody knows, and that
/// one stays as it is.
using Operations = google::protobuf::RepeatedPtrField<v1::Operation>;
[[nodiscard]] Operations with_current_items(const Operations& operations, const session::Document& document,
                                            const std::function<rt::Uid(rt::Uid)>& current_of);

}  // namespace continuo::control
