#include <algorithm>
#include <set>

#include "server/session/edit_ops.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/queue.hpp"

namespace continuo::session {
namespace {

using Queue = std::vector<QueueItem>;

Result<DocNode*> player_of(Editing& edit, const std::string& path, const std::string& field) {
  DocNode* const node = edit_node(edit.document, path);
  if (node == nullptr) return no_node(path, field + ".path");
  if (node->type != "player")
    return bad("WRONG_NODE", field + ".path", quoted(path) + " is a " + node->type + ": only players have a queue");
  return node;
}

/// `current` has become a uid before; where a transaction for later is only looked at, any item stands for it.
Result<std::size_t> index_of(const Queue& queue, const v1::QueueRef& ref, const std::string& field) {
  if (ref.ref_case() == v1::QueueRef::kCurrent) {
    if (!ref.current()) return bad("OUT_OF_RANGE", field + ".current", "current is true, or is not given");
    if (queue.empty())
      return make_error(ErrorKind::failed_precondition, "NO_CURRENT", field + ".current", "the queue is empty");
    return std::size_t{0};
  }
  if (ref.ref_case() == v1::QueueRef::kNumber) {
    if (ref.number() >= 1 && ref.number() <= queue.size()) return std::size_t{ref.number()} - 1;
    return make_error(
        ErrorKind::not_found, "UNKNOWN_ITEM", field + ".number",
        "the queue has " + std::to_string(queue.size()) + " items, and no number " + std::to_string(ref.number()));
  }
  if (ref.ref_case() != v1::QueueRef::kUid) return bad("MISSING_FIELD", field, "uid, number or current must be given");
  const auto found = std::ranges::find(queue, ref.uid(), &QueueItem::uid);
  if (found == queue.end())
    return make_error(ErrorKind::not_found, "UNKNOWN_ITEM", field + ".uid",
                      "the queue has no item " + std::to_string(ref.uid()));
  return static_cast<std::size_t>(found - queue.begin());
}

/// The place named by `before` or `after`, else the end.
template <class Op>
Result<std::size_t> place_of(const Queue& queue, const Op& op, const std::string& field) {
  if (op.has_before() && op.has_after()) return bad("WRONG_FIELD", field + ".after", "before or after, not both");
  if (!op.has_before() && !op.has_after()) return queue.size();
  const auto index =
      op.has_before() ? index_of(queue, op.before(), field + ".before") : index_of(queue, op.after(), field + ".after");
  if (!index) return index.error();
  return *index + (op.has_after() ? 1u : 0u);
}

void changed(Editing& edit, bool differs) {
  edit.result.changed = edit.result.changed || differs;
  edit.result.structural = edit.result.structural || differs;
}

}  // namespace

Result<> queue_insert(Editing& edit, const v1::QueueInsert& op, const std::string& field) {
  const Result<DocNode*> player = player_of(edit, op.path(), field);
  if (!player) return player.error();
  Queue& queue = (*player)->queue.edit();
  if (op.items().empty()) return bad("MISSING_FIELD", field + ".items", "no item is given");
  if (queue.size() + static_cast<std::size_t>(op.items_size()) > kMaxQueueItems)
    return bad("TOO_MANY", field + ".items", "a queue has at most " + std::to_string(kMaxQueueItems) + " items");
  const Result<std::size_t> place = place_of(queue, op, field);
  if (!place) return place.error();
  v1::QueueInsert accepted = op;
  Queue fresh;
  for (int i = 0; i < op.items_size(); ++i) {
    QueueItem& item = fresh.emplace_back();
    const Result<> good = merge_item(item, op.items(i), field + ".items[" + std::to_string(i) + "]");
    if (!good) return good.error();
    item.uid = edit.mode == EditMode::restore && op.items(i).has_uid() ? op.items(i).uid() : edit.new_uid();
    *accepted.mutable_items(i) = item_to_proto(item);
  }
  queue.insert(queue.begin() + static_cast<std::ptrdiff_t>(*place), fresh.begin(), fresh.end());
  if (!text_of(**player, "file").empty()) {
    return make_error(ErrorKind::failed_precondition, "FILE_AND_QUEUE", field + ".path",
                      quoted(op.path()) + " has a file of its own: set file to \"\" first");
  }
  *edit.result.accepted.emplace_back().mutable_queue_insert() = std::move(accepted);
  changed(edit, true);
  return {};
}

Result<> queue_remove(Editing& edit, const v1::QueueRemove& op, const std::string& field) {
  const Result<DocNode*> player = player_of(edit, op.path(), field);
  if (!player) return player.error();
  Queue& queue = (*player)->queue.edit();
  if (op.all() != op.items().empty()) return bad("WRONG_FIELD", field + ".items", "items, or all: one of the two");
  std::set<rt::Uid> gone;
  for (int i = 0; i < op.items_size(); ++i) {
    const std::string where = field + ".items[" + std::to_string(i) + "]";
    const Result<std::size_t> index = index_of(queue, op.items(i), where);
    if (!index) return index.error();
    if (!gone.insert(queue[*index].uid).second && !op.items(i).current())
      return bad("DUPLICATE_ITEM", where, "the item is named twice");
  }
  const std::size_t before = queue.size();
  std::erase_if(queue, [&](const QueueItem& item) { return op.all() || gone.contains(item.uid); });
  *edit.result.accepted.emplace_back().mutable_queue_remove() = op;
  changed(edit, queue.size() != before);
  return {};
}

Result<> queue_move(Editing& edit, const v1::QueueMove& op, const std::string& field) {
  const Result<DocNode*> player = player_of(edit, op.path(), field);
  if (!player) return player.error();
  Queue& queue = (*player)->queue.edit();
  const Result<std::size_t> from = index_of(queue, op.item(), field + ".item");
  if (!from) return from.error();
  const Result<std::size_t> place = place_of(queue, op, field);
  if (!place) return place.error();
  // `current` may stand for any item.
  const bool beside_current = op.item().has_current() || op.before().has_current() || op.after().has_current();
  if (!beside_current && ((op.has_before() && *place == *from) || (op.has_after() && *place == *from + 1)))
    return bad("WRONG_FIELD", field + (op.has_before() ? ".before" : ".after"), "an item has no place beside itself");
  const Queue before = queue;
  const auto at = [&](std::size_t i) { return queue.begin() + static_cast<std::ptrdiff_t>(i); };
  if (*place > *from)
    std::rotate(at(*from), at(*from + 1), at(*place));
  else
    std::rotate(at(*place), at(*from), at(*from + 1));
  *edit.result.accepted.emplace_back().mutable_queue_move() = op;
  changed(edit, queue != before);
  return {};
}

Result<> queue_set(Editing& edit, const v1::QueueSet& op, const std::string& field) {
  const Result<DocNode*> player = player_of(edit, op.path(), field);
  if (!player) return player.error();
  Queue& queue = (*player)->queue.edit();
  const Result<std::size_t> index = index_of(queue, op.item(), field + ".item");
  if (!index) return index.error();
  if (!op.has_values()) return bad("MISSING_FIELD", field + ".values", "nothing is set");
  QueueItem item = queue[*index];
  if (const Result<> good = merge_item(item, op.values(), field + ".values"); !good) return good.error();
  const bool differs = item != queue[*index];
  queue[*index] = std::move(item);
  *edit.result.accepted.emplace_back().mutable_queue_set() = op;
  changed(edit, differs);
  return {};
}

Result<> check_skip(Editing& edit, const v1::Skip& op, const std::string& field) {
  const Result<DocNode*> player = player_of(edit, op.path(), field);
  if (!player) return player.error();
  if (text_of(**player, "mode") != "free")
    return bad("WRONG_NODE", field + ".path",
               quoted(op.path()) + " follows the timeline: only a player with mode \"free\" can skip");
  if ((*player)->queue.empty())
    return make_error(ErrorKind::failed_precondition, "EMPTY_QUEUE", field + ".path", "the queue is empty");
  switch (op.to_case()) {
    case v1::Skip::kBy:
      if (std::abs(std::int64_t{op.by()}) > static_cast<std::int64_t>(kMaxQueueItems))
        return bad("OUT_OF_RANGE", field + ".by", "by must be -1000 to 1000");
      break;
    case v1::Skip::kItem: {
      if (op.item().has_current()) return bad("WRONG_FIELD", field + ".item.current", "by 0 begins this item again");
      const Result<std::size_t> index = index_of((*player)->queue, op.item(), field + ".item");
      if (!index) return index.error();
      break;
    }
    case v1::Skip::TO_NOT_SET:
      return bad("MISSING_FIELD", field, "by or item must be given");
  }
  *edit.result.accepted.emplace_back().mutable_skip() = op;
  return {};
}

}  // namespace continuo::session
