// Whether a cue names what there is: each operation is tried on a copy of its own node alone.
#include <utility>

#include "server/session/cue.hpp"
#include "server/session/edit_ops.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::session {
namespace {

/// The state of a session decides, not what it is made of.
bool passes(const Error& error) {
  return error.kind == ErrorKind::failed_precondition || error.reason == "UNKNOWN_ITEM" ||
         error.reason == "NO_AUTOMATION";
}

template <class Op>
void any_item_of(Op& op) {
  if (op.has_before()) op.mutable_before()->set_current(true);
  if (op.has_after()) op.mutable_after()->set_current(true);
}

/// Whatever item is named: there is one.
void any_item(v1::Operation& op) {
  if (op.has_queue_insert()) any_item_of(*op.mutable_queue_insert());
  if (op.has_queue_move()) {
    any_item_of(*op.mutable_queue_move());
    if (op.queue_move().has_item()) op.mutable_queue_move()->mutable_item()->set_current(true);
  }
  if (op.has_queue_set() && op.queue_set().has_item()) op.mutable_queue_set()->mutable_item()->set_current(true);
  if (op.has_queue_remove())
    for (v1::QueueRef& item : *op.mutable_queue_remove()->mutable_items()) item.set_current(true);
}

/// "operations[0].play": the field that an error of this operation begins with.
Result<> check_one(const Document& document, v1::Operation op, const std::string& path, const std::string& field) {
  const DocNode* const there = find_node(document, path);
  if (there == nullptr)
    return no_node(path, field + "." + op.GetDescriptor()->FindFieldByNumber(op.kind_case())->name() + ".path");
  // The node, without what is below it, under parents that have nothing but their ids.
  DocNode node;
  node.id = there->id;
  node.type = there->type;
  node.uid = there->uid;
  node.params = there->params;
  if (node.type == "player") node.queue = {QueueItem{.uid = 1, .file = "any"}};
  for (std::string parent = parent_of(path); !parent.empty(); parent = parent_of(parent)) {
    DocNode above;
    const std::size_t slash = parent.rfind('/');
    above.id = slash == std::string::npos ? parent : parent.substr(slash + 1);
    above.children.push_back(std::move(node));
    node = std::move(above);
  }
  Document alone;
  alone.nodes.push_back(std::move(node));
  const UidSource none = [] { return rt::Uid{2}; };
  Editing edit{.document = alone, .new_uid = none, .result = {}, .connected_by = {}};
  any_item(op);
  const Result<> done = apply_operation(edit, op, 0, field);
  return done || passes(done.error()) ? Result<>() : done;
}

const std::string* path_of(const v1::Operation& op) {
  switch (op.kind_case()) {
    case v1::Operation::kSetParams:
      return &op.set_params().path();
    case v1::Operation::kSetAutomation:
      return &op.set_automation().path();
    case v1::Operation::kClearAutomation:
      return &op.clear_automation().path();
    case v1::Operation::kQueueInsert:
      return &op.queue_insert().path();
    case v1::Operation::kQueueRemove:
      return &op.queue_remove().path();
    case v1::Operation::kQueueMove:
      return &op.queue_move().path();
    case v1::Operation::kQueueSet:
      return &op.queue_set().path();
    case v1::Operation::kSkip:
      return &op.skip().path();
    default:
      return nullptr;  // transport and recorders
  }
}

}  // namespace

Result<> check_cue_targets(const Document& document, const DocCue& cue, const std::string& field) {
  const Operations& list = cue.operations->list;
  for (int i = 0; i < list.size(); ++i) {
    const std::string where = (field.empty() ? "" : field + ".") + "operations[" + std::to_string(i) + "]";
    const std::string* const path = path_of(list[i]);
    const Result<> good =
        path == nullptr ? check_transport(document, list[i], where) : check_one(document, list[i], *path, where);
    if (!good) return good;
  }
  return {};
}

}  // namespace continuo::session
