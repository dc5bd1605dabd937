#include <algorithm>
#include <span>
#include <utility>

#include "server/control/scheduled.hpp"
#include "server/session/cue.hpp"
#include "server/session/edit.hpp"

namespace continuo::control {
namespace {

/// Uids of what does not exist yet: below 2^53 and far from those that are given.
session::UidSource scratch_uids() {
  return [next = rt::Uid{1} << 53]() mutable { return --next; };
}

using Entries = std::span<const Scheduled::Ptr>;

/// All of them as if they were one: what makes a whole document valid is worked out once.
bool apply_together(session::Document& document, Entries entries) {
  google::protobuf::RepeatedPtrField<v1::Operation> operations;
  for (const Scheduled::Ptr& entry : entries) operations.MergeFrom(entry->request.operations());
  return operations.empty() || static_cast<bool>(session::apply_operations(document, session::expand_cues(document, operations).operations, scratch_uids()));
}

/// FAILED_PRECONDITION names the first that cannot be applied.
Result<> try_in_order(const session::Document& document, Entries entries) {
  session::Document together = document;
  if (apply_together(together, entries)) return {};
  session::Document scratch = document;
  const session::UidSource uids = scratch_uids();
  for (const Scheduled::Ptr& entry : entries) {
    const auto applied = session::apply_operations(
        scratch, session::expand_cues(scratch, entry->request.operations()).operations, uids);
    if (applied) continue;
    return make_error(ErrorKind::failed_precondition, "BREAKS_SCHEDULED", "operations",
                      "transaction " + std::to_string(entry->id) +
                          " is scheduled and could not be applied any more: " + applied.error().message);
  }
  return {};
}

}  // namespace

Result<> Scheduled::room_for(const v1::ApplyRequest& request) const {
  const auto full = [](std::string what) {
    return make_error(ErrorKind::resource_exhausted, "TOO_MANY_SCHEDULED", "when",
                      "at most " + std::move(what) + " are scheduled at once");
  };
  if (held_.size() >= kMaxHeld) return full(std::to_string(kMaxHeld) + " transactions");
  if (operations_ + static_cast<std::size_t>(request.operations_size()) > kMaxOperations)
    return full(std::to_string(kMaxOperations) + " operations");
  if (bytes_ + request.ByteSizeLong() > kMaxBytes) return full(std::to_string(kMaxBytes >> 20) + " MiB of operations");
  return {};
}

DocumentPtr Scheduled::document_before(const Due& due) const {
  if (held_.empty()) return parts_.graph.document();
  const Order all = order(&due);
  const Entries before = Entries(all.entries).first(all.place);
  auto document = std::make_shared<session::Document>(*parts_.graph.document());
  if (apply_together(*document, before)) return document;
  // One of them will fail when it falls due (the timeline changed their order): the others count.
  document = std::make_shared<session::Document>(*parts_.graph.document());
  for (const Ptr& entry : before) {
    auto next = std::make_shared<session::Document>(*document);
    if (apply_together(*next, {&entry, 1})) document = std::move(next);
  }
  return document;
}

Result<> Scheduled::check(const session::Document& document, const Due* due) const {
  if (held_.empty()) return {};
  const Order all = order(due);
  return try_in_order(document, Entries(all.entries).subspan(due == nullptr ? 0 : all.place));
}

Result<> Scheduled::check_without(const Ptr& entry) const {
  Order all = order();
  std::erase(all.entries, entry);
  return try_in_order(*parts_.graph.document(), all.entries);
}

}  // namespace continuo::control
