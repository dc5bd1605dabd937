// THREAD: control - where a player is in its queue, and where that is after an edit or a skip
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "rt/play_table.hpp"
#include "rt/types.hpp"
#include "server/media/queue_layout.hpp"
#include "server/session/queue.hpp"

namespace continuo::control {

using QueueItems = std::vector<session::CompiledItem>;

/// A queue's items on the axis of its stream: engine-rate frames from its first one on, at which the player stands or
/// plays. Items that cannot be played have no frames.
class QueuePlaces {
 public:
  QueuePlaces(const QueueItems& items, double rate_hz, bool loop);

  [[nodiscard]] const media::QueueLayout& layout() const noexcept { return layout_; }
  /// Without a revision.
  [[nodiscard]] const rt::PlayTable& table() const noexcept { return table_; }
  [[nodiscard]] std::size_t count() const noexcept { return begins_.size() - 1; }
  /// In the first round; of count() where it ends.
  [[nodiscard]] rt::FrameCount begin(std::size_t index) const { return begins_[index]; }
  /// Until the next one begins.
  [[nodiscard]] rt::FrameCount frames(std::size_t index) const { return begins_[index + 1] - begins_[index]; }
  [[nodiscard]] std::size_t item_of(std::size_t segment) const { return items_[segment]; }

 private:
  std::vector<std::size_t> items_;  // of the segments
  media::QueueLayout layout_;
  rt::PlayTable table_;
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

/// How an item that plays came in, where that was not behind the one that is before it now (media::Entrance).
struct QueueEntrance {
  rt::FrameCount begin = 0;  // of the item, on the axis
  rt::FrameCount overlap = 0;
  std::optional<session::CompiledItem> leaving;
  friend bool operator==(const QueueEntrance&, const QueueEntrance&) = default;
};

/// What a player plays, or is to play.
struct PlayedQueue {
  QueueItems items;
  bool loop = false;
  std::optional<QueueEntrance> entrance{};
};

/// What becomes of a player that stands at a frame of one queue when another takes its place. An item that it is led to
/// begins in full; one that it stays in goes on as it came in.
struct QueueMove {
  rt::FrameCount frame = 0;  // of the new queue
  bool joins = false;        // it goes on there: `frame` is the old one and `shift`; see rt::Source
  rt::FrameCount shift = 0;
  rt::FrameCount same_until = rt::kNow;
  std::optional<QueueEntrance> entrance{};
};
[[nodiscard]] QueueMove move_queue(const PlayedQueue& before, const PlayedQueue& after, double rate_hz,
                                   rt::FrameCount frame, const Skip* skip);
/// The same of a player that follows the timeline: its place is the timeline's to say.
[[nodiscard]] QueueMove replace_queue(const PlayedQueue& before, const PlayedQueue& after, double rate_hz,
                                      rt::FrameCount frame);

/// The item that a player is at, behind the last one that; 0 in an empty queue.
[[nodiscard]] rt::Uid current_item(const PlayedQueue& queue, double rate_hz, rt::FrameCount frame);

/// The operations with a uid in the place of each `current`. `current_of`: by player; 0 where nobody knows, and that
/// one stays as it is.
using Operations = google::protobuf::RepeatedPtrField<v1::Operation>;
[[nodiscard]] Operations with_current_items(const Operations& operations, const session::Document& document,
                                            const std::function<rt::Uid(rt::Uid)>& current_of);

}  // namespace continuo::control
