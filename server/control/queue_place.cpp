#include "server/control/queue_place.hpp"

#include <algorithm>
#include <cmath>

#include "server/media/resample.hpp"

namespace continuo::control {
namespace {

[[nodiscard]] std::vector<media::Segment> segments_of(const QueueItems& items) {
  return media::segments_of(items, [](const auto&) { return ""; });
}

[[nodiscard]] std::size_t index_of(const QueueItems& items, rt::Uid uid) {
  return static_cast<std::size_t>(std::ranges::find(items, uid, &session::CompiledItem::uid) - items.begin());
}

/// Where an item that plays is: of a queue, and of what its converter spans.
struct Spot {
  const PlayedQueue& queue;
  const QueuePlaces& places;
  std::size_t item;
  rt::FrameCount begin;  // of the item, on the axis

  [[nodiscard]] media::Run run(rt::FrameCount frame) const {
    return places.layout().run(places.layout().run_at(frame));
  }
  [[nodiscard]] rt::FrameCount at(std::size_t further) const {
    return places.begin(item + further) - places.begin(item);
  }
};

/// Two converters are in the same state: both have heard the same, from the same frame on.
[[nodiscard]] bool converted_alike(const Spot& old, const Spot& now, rt::FrameCount offset) {
  const media::Run before = old.run(old.begin + offset), after = now.run(now.begin + offset);
  if (old.begin - before.begin != now.begin - after.begin) return false;
  const std::size_t first = old.places.item_of(before.first), other = now.places.item_of(after.first);
  return first <= old.item && other <= now.item && old.item - first == now.item - other &&
         std::equal(old.queue.items.begin() + static_cast<std::ptrdiff_t>(first),
                    old.queue.items.begin() + static_cast<std::ptrdiff_t>(old.item),
                    now.queue.items.begin() + static_cast<std::ptrdiff_t>(other));
}

/// For how many frames from the items' beginnings on both sound the same, if they do `offset` frames behind these: as
/// long as the items are equal and lie alike. A converter hears what follows before it sounds.
[[nodiscard]] rt::FrameCount same_frames(const Spot& old, const Spot& now, rt::FrameCount offset, double rate_hz) {
  const auto engine_hz = static_cast<std::uint32_t>(std::lround(rate_hz));
  const auto rate_of = [&](std::size_t further) { return old.queue.items[old.item + further].facts.sample_rate_hz; };
  if (old.item < old.places.count() && rate_of(0) != engine_hz && !converted_alike(old, now, offset)) return -1;
  std::size_t run = 0;
  while (old.item + run < old.places.count() && now.item + run < now.places.count() &&
         old.queue.items[old.item + run] == now.queue.items[now.item + run] && old.at(run) == now.at(run))
    ++run;
  if (run == 0) return -1;
  const rt::FrameCount same = std::min(old.at(run), now.at(run));
  if (rate_of(run - 1) == engine_hz) return same;
  return same - media::converter_reach(rate_of(run - 1), engine_hz);
}

/// How the item that sounds at a frame came in: only while that can be heard.
[[nodiscard]] QueueEntrance entrance_at(const PlayedQueue& queue, const QueuePlaces& places,
                                        const rt::PlayTable::Place& place, rt::FrameCount frame) {
  if (queue.entrance && queue.entrance->begin == place.begin) {
    if (frame < place.begin + queue.entrance->overlap) return *queue.entrance;
    return {};
  }
  const std::size_t number = places.layout().run_at(frame);
  const media::Run run = places.layout().run(number);
  if (number == 0 || run.begin != place.begin || frame >= run.begin + run.overlap) return {};
  const std::size_t segments = places.layout().begins().size();
  return {.overlap = run.overlap, .leaving = queue.items[places.item_of((run.first + segments - 1) % segments)]};
}

/// Where the item that sounds is now; where it is gone, the next that stayed; behind the last one, behind it.
struct Found {
  std::size_t index = 0;
  bool stays = false;
};
[[nodiscard]] Found find_again(const PlayedQueue& before, std::size_t k, const PlayedQueue& after) {
  const std::size_t count = before.items.size();
  if (k < count) {
    for (std::size_t i = k; i < (before.loop ? k + count : count); ++i) {
      const std::size_t j = index_of(after.items, before.items[i % count].uid);
      if (j < after.items.size()) return {j, i == k};
    }
  } else {
    for (std::size_t i = count; i-- > 0;) {
      const std::size_t j = index_of(after.items, before.items[i].uid);
      if (j < after.items.size()) return {j + 1, false};
    }
  }
  return {after.loop ? 0 : after.items.size(), false};
}

[[nodiscard]] std::size_t step(std::size_t from, const Skip::Step& step, const PlayedQueue& queue) {
  const auto count = static_cast<std::int64_t>(queue.items.size());
  if (!step.by) return index_of(queue.items, step.item);
  const std::int64_t wanted = static_cast<std::int64_t>(from) + *step.by;
  if (queue.loop && count > 0) return static_cast<std::size_t>((wanted % count + count) % count);
  return static_cast<std::size_t>(std::clamp<std::int64_t>(wanted, 0, count));
}

}  // namespace

QueuePlaces::QueuePlaces(const QueueItems& items, double rate_hz, bool loop)
    : layout_(segments_of(items), rate_hz, loop), table_(layout_.table()) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    begins_.push_back(items_.size() < layout_.begins().size() ? layout_.begins()[items_.size()] : layout_.length());
    if (items[i].end > items[i].begin) items_.push_back(i);
  }
  begins_.push_back(layout_.length());
  table_.count = static_cast<std::uint32_t>(items.size());
  for (auto* const rows : {&table_.first, &table_.again}) {
    for (rt::PlayTable::Row& row : *rows) {
      const std::size_t item = items_[row.number - 1];
      row.number = static_cast<std::uint32_t>(item) + 1;
      row.uid = items[item].uid;
    }
  }
}

QueueMove move_queue(const PlayedQueue& before, const PlayedQueue& after, double rate_hz, rt::FrameCount frame,
                     const Skip* skip) {
  const QueuePlaces old(before.items, rate_hz, before.loop), now(after.items, rate_hz, after.loop);
  const rt::PlayTable::Place place = old.table().find(frame);
  const std::size_t k = place.row == nullptr ? old.count() : place.row->number - 1;
  auto [j, stays] = find_again(before, k, after);
  QueueMove move;
  const auto go_to = [&](rt::FrameCount there) {
    move.frame = there;
    move.entrance = QueueEntrance{.begin = there, .leaving = {}};
    return move;
  };
  if (skip != nullptr) {
    for (const Skip::Step& each : skip->steps) j = step(j, each, after);
    return go_to(now.begin(j));
  }
  if (!stays) return go_to(now.begin(j));
  const rt::FrameCount offset = frame - place.begin;
  if (offset >= now.frames(j)) return go_to(now.begin(j + 1));  // cut shorter than where it was
  move.joins = true;
  move.shift = now.begin(j) - place.begin;
  move.frame = frame + move.shift;
  move.entrance = entrance_at(before, old, place, frame);
  move.entrance->begin = now.begin(j);
  const auto& leaving = move.entrance->leaving;
  if (leaving && leaving->facts.sample_rate_hz != std::lround(rate_hz)) return move;  // its converter begins anew
  const rt::FrameCount same =
      same_frames({before, old, k, place.begin}, {after, now, j, now.begin(j)}, offset, rate_hz);
  if (same >= 0) move.same_until = place.begin + same;
  return move;
}

QueueMove replace_queue(const PlayedQueue& before, const PlayedQueue& after, double rate_hz, rt::FrameCount frame) {
  QueueMove move{.frame = frame, .joins = true};
  const QueuePlaces old(before.items, rate_hz, before.loop), now(after.items, rate_hz, after.loop);
  if (old.count() == 0 || now.count() == 0) return move;
  if (const rt::FrameCount same = same_frames({before, old, 0, 0}, {after, now, 0, 0}, 0, rate_hz); same >= 0)
    move.same_until = same;
  return move;
}

rt::Uid current_item(const PlayedQueue& queue, double rate_hz, rt::FrameCount frame) {
  if (queue.items.empty()) return 0;
  const QueuePlaces places(queue.items, rate_hz, queue.loop);
  const rt::PlayTable::Place place = places.table().find(frame);
  return place.row == nullptr ? queue.items.back().uid : place.row->uid;
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

}  // namespace continuo::control
