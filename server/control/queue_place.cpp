#include "server/control/queue_place.hpp"

#include <algorithm>
#include <cmath>

#include "server/media/stream_reader.hpp"

namespace continuo::control {
namespace {

[[nodiscard]] std::size_t index_of(const QueueItems& items, rt::Uid uid) {
  return static_cast<std::size_t>(std::ranges::find(items, uid, &session::CompiledItem::uid) - items.begin());
}

/// From `old[k]` and `now[j]` on, how many are equal and not converted: the converter hears its neighbours.
[[nodiscard]] std::size_t equal_run(const QueueItems& old, std::size_t k, const QueueItems& now, std::size_t j,
                                    double rate_hz) {
  std::size_t run = 0;
  while (k + run < old.size() && j + run < now.size() && old[k + run] == now[j + run] &&
         old[k + run].facts.sample_rate_hz == std::lround(rate_hz))
    ++run;
  return run;
}

}  // namespace

QueuePlaces::QueuePlaces(const QueueItems& items, double rate_hz) {
  const auto heard = media::places_of(media::segments_of(items, [](const auto&) { return ""; }), rate_hz);
  std::size_t next = 0;
  for (const session::CompiledItem& item : items) {
    begins_.push_back(heard[next]);
    if (item.end > item.begin) ++next;
  }
  begins_.push_back(heard.back());
}

std::size_t QueuePlaces::at(rt::FrameCount frame) const {
  const auto behind = std::upper_bound(begins_.begin(), begins_.end(), std::max<rt::FrameCount>(frame, 0));
  return behind == begins_.end() ? count() : static_cast<std::size_t>(behind - begins_.begin()) - 1;
}

QueueMove move_queue(const QueueItems& before, const QueueItems& after, double rate_hz, rt::FrameCount frame,
                     const Skip* skip) {
  const QueuePlaces old(before, rate_hz), now(after, rate_hz);
  const std::size_t k = old.at(frame);
  // Where the item that sounds is now; where it is gone, the next that stayed; behind the last one, behind it.
  std::size_t j = after.size();
  bool stays = false;
  if (k < before.size()) {
    for (std::size_t i = k; i < before.size() && j == after.size(); ++i) {
      j = index_of(after, before[i].uid);
      stays = i == k && j < after.size();
    }
  } else {
    for (std::size_t i = before.size(); i-- > 0 && j == after.size();) {
      j = index_of(after, before[i].uid);
      if (j < after.size()) {
        ++j;
        break;
      }
    }
  }
  QueueMove move;
  if (skip != nullptr) {
    for (const Skip::Step& step : skip->steps) {
      const std::int64_t wanted =
          step.by ? static_cast<std::int64_t>(j) + *step.by : static_cast<std::int64_t>(index_of(after, step.item));
      j = static_cast<std::size_t>(std::clamp<std::int64_t>(wanted, 0, static_cast<std::int64_t>(after.size())));
    }
    move.frame = now.begin(j);
    return move;
  }
  const rt::FrameCount offset = stays ? frame - old.begin(k) : 0;
  if (!stays || offset >= now.end(j) - now.begin(j)) {  // cut shorter than where it was
    move.frame = stays ? now.end(j) : now.begin(j);
    return move;
  }
  move.joins = true;
  move.shift = now.begin(j) - old.begin(k);
  move.frame = frame + move.shift;
  if (const std::size_t run = equal_run(before, k, after, j, rate_hz); run > 0) move.same_until = old.end(k + run - 1);
  return move;
}

rt::Uid current_item(const QueueItems& items, double rate_hz, rt::FrameCount frame) {
  if (items.empty()) return 0;
  return items[std::min(QueuePlaces(items, rate_hz).at(frame), items.size() - 1)].uid;
}

Operations with_current_items(const Operations& operations, const session::Document& document,
                              const std::function<rt::Uid(rt::Uid)>& current_of) {
  Operations result = operations;
  for (v1::Operation& operation : result) {
    const auto name = [&](const std::string& path, v1::QueueRef& ref) {
      const session::DocNode* const node = ref.current() ? session::find_node(document, path) : nullptr;
      if (const rt::Uid item = node == nullptr ? 0 : current_of(node->uid); item != 0) ref.set_uid(item);
    };
    const auto place = [&](auto& op) {
      if (op.has_before()) name(op.path(), *op.mutable_before());
      if (op.has_after()) name(op.path(), *op.mutable_after());
    };
    if (operation.has_queue_insert()) place(*operation.mutable_queue_insert());
    if (operation.has_queue_move()) {
      v1::QueueMove& move = *operation.mutable_queue_move();
      place(move);
      if (move.has_item()) name(move.path(), *move.mutable_item());
    }
    if (operation.has_queue_set()) {
      v1::QueueSet& set = *operation.mutable_queue_set();
      if (set.has_item()) name(set.path(), *set.mutable_item());
    }
    if (operation.has_queue_remove()) {
      v1::QueueRemove& remove = *operation.mutable_queue_remove();
      for (v1::QueueRef& ref : *remove.mutable_items()) name(remove.path(), ref);
    }
  }
  return result;
}

QueueMove replace_queue(const QueueItems& before, const QueueItems& after, double rate_hz, rt::FrameCount frame) {
  QueueMove move{.frame = frame, .joins = true};
  const std::size_t run = equal_run(before, 0, after, 0, rate_hz);
  if (run > 0) move.same_until = QueuePlaces(before, rate_hz).end(run - 1);
  return move;
}

}  // namespace continuo::control
