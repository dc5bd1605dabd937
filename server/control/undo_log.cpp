#include "server/control/undo_log.hpp"

#include <algorithm>
#include <utility>

namespace continuo::control {
namespace {

Error nothing(const char* reason, const char* what, std::optional<std::uint64_t> id) {
  return make_error(ErrorKind::not_found, reason, id ? "transaction_id" : "",
                    id ? "transaction " + std::to_string(*id) + " is none that can be " + what + " (any more)"
                       : std::string("nothing of yours can be ") + what);
}

Error undone(std::uint64_t id) {
  return make_error(ErrorKind::failed_precondition, "UNDONE", "transaction_id",
                    "transaction " + std::to_string(id) + " is undone already");
}

}  // namespace

const UndoLog::Entry* UndoLog::find(std::uint64_t id) const {
  const auto found = std::ranges::lower_bound(entries_, id, {}, &Entry::id);
  return found == entries_.end() || found->id != id || found->change.empty() ? nullptr : &*found;
}

Result<const UndoLog::Entry*> UndoLog::to_undo(std::optional<std::uint64_t> id, const std::string& identity) const {
  if (id) {
    const Entry* const entry = find(*id);
    if (entry == nullptr) return nothing("NOTHING_TO_UNDO", "undone", id);
    if (entry->undone) return undone(*id);
    return entry;
  }
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    const bool counts = entry->identity == identity && entry->kind != Kind::undo;
    if (counts && !entry->undone && !entry->change.empty()) return &*entry;
  }
  return nothing("NOTHING_TO_UNDO", "undone", id);
}

Result<const UndoLog::Entry*> UndoLog::to_redo(std::optional<std::uint64_t> id, const std::string& identity) const {
  if (id) {
    const Entry* const entry = find(*id);
    if (entry == nullptr || entry->kind != Kind::undo) return nothing("NOTHING_TO_REDO", "redone", id);
    if (entry->undone) return undone(*id);
    return entry;
  }
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->identity != identity || entry->kind == Kind::redo) continue;
    if (entry->kind == Kind::edit) break;
    if (!entry->undone) return &*entry;
  }
  return nothing("NOTHING_TO_REDO", "redone", id);
}

void UndoLog::add(Entry entry, std::uint64_t of) {
  if (of != 0) {
    const auto taken = std::ranges::lower_bound(entries_, of, {}, &Entry::id);
    if (taken != entries_.end() && taken->id == of) taken->undone = true;
  }
  if (entry.gesture != 0) {
    // Others may have edited in between: a stream's transactions come one after the other, not side by side.
    for (auto last = entries_.rbegin(); last != entries_.rend() && last - entries_.rbegin() < 64; ++last) {
      if (last->gesture != entry.gesture || last->identity != entry.identity || last->undone) continue;
      return join(*last, std::move(entry.change));
    }
  }
  entry.bytes = entry.change.bytes();
  bytes_ += entry.bytes;
  entries_.push_back(std::move(entry));
  while (entries_.size() > kMax || (bytes_ > kMaxBytes && !entries_.empty())) {
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
  }
}

/// Values of nodes alone: from what each was at the gesture's first to what it is at its last. What others did to the
/// same nodes meanwhile is in both, and so is no part of it.
void UndoLog::join(Entry& entry, session::DocumentChange further) {
  for (session::DocumentChange::Node& now : further.nodes) {
    if (!now.before || !now.after) continue;
    const auto had = std::ranges::find(entry.change.nodes, now.uid, &session::DocumentChange::Node::uid);
    if (had == entry.change.nodes.end()) {
      entry.change.nodes.push_back(std::move(now));
      continue;
    }
    auto& before = now.before->node.edit().params;
    const auto put = [](auto& params, const auto& from, const std::string& name) {
      const auto value = from.find(name);
      if (value == from.end())
        params.erase(name);
      else
        params[name] = value->second;
    };
    const auto &first = had->before->node->params, &last = had->after->node->params;
    for (const auto* side : {&first, &last}) {
      for (const auto& [name, value] : *side) {
        const auto in_first = first.find(name), in_last = last.find(name);
        const bool same = in_first != first.end() && in_last != last.end() && in_first->second == in_last->second;
        if (!same) put(before, first, name);
      }
    }
    *had = std::move(now);
  }
  bytes_ -= entry.bytes;
  entry.bytes = entry.change.bytes();
  bytes_ += entry.bytes;
}

void UndoLog::clear() {
  entries_.clear();
  bytes_ = 0;
}

}  // namespace continuo::control
