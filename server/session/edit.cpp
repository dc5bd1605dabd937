#include "server/session/edit.hpp"

#include <algorithm>
#include <unordered_map>

#include "rt/nodes/gain.hpp"
#include "server/session/cue.hpp"
#include "server/session/edit_ops.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/plan_compiler.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {

Result<> apply_operation(Editing& edit, const v1::Operation& op, std::size_t index, const std::string& field) {
  if (!edit.connections.empty() && !op.has_connect()) place_connections(edit);
  switch (op.kind_case()) {
    case v1::Operation::kAddNode:
      return add_node(edit, op.add_node(), field + ".add_node");
    case v1::Operation::kRemoveNode:
      return remove_node(edit, op.remove_node(), field + ".remove_node");
    case v1::Operation::kMoveNode:
      return move_node(edit, op.move_node(), field + ".move_node");
    case v1::Operation::kConnect:
      return connect(edit, op.connect(), field + ".connect", index);
    case v1::Operation::kDisconnect:
      return disconnect(edit, op.disconnect(), field + ".disconnect");
    case v1::Operation::kSetParams:
      return set_params(edit, op.set_params(), field + ".set_params");
    case v1::Operation::kSetAutomation:
      return set_automation(edit, op.set_automation(), field + ".set_automation");
    case v1::Operation::kClearAutomation:
      return clear_automation(edit, op.clear_automation(), field + ".clear_automation");
    case v1::Operation::kSetLabel:
      return set_label(edit, op.set_label(), field + ".set_label");
    case v1::Operation::kQueueInsert:
      return queue_insert(edit, op.queue_insert(), field + ".queue_insert");
    case v1::Operation::kQueueRemove:
      return queue_remove(edit, op.queue_remove(), field + ".queue_remove");
    case v1::Operation::kQueueMove:
      return queue_move(edit, op.queue_move(), field + ".queue_move");
    case v1::Operation::kQueueSet:
      return queue_set(edit, op.queue_set(), field + ".queue_set");
    case v1::Operation::kSkip:
      return check_skip(edit, op.skip(), field + ".skip");
    case v1::Operation::kCueInsert:
      return cue_insert(edit, op.cue_insert(), field + ".cue_insert");
    case v1::Operation::kCueRemove:
      return cue_remove(edit, op.cue_remove(), field + ".cue_remove");
    case v1::Operation::kCueMove:
      return cue_move(edit, op.cue_move(), field + ".cue_move");
    case v1::Operation::kCueSet:
      return cue_set(edit, op.cue_set(), field + ".cue_set");
    case v1::Operation::kCueNext:
      return check_cue_next(edit, op.cue_next(), field + ".cue_next");
    case v1::Operation::kGo:
      return check_go(edit, op.go(), field + ".go");
    case v1::Operation::kPlay:
    case v1::Operation::kStop:
    case v1::Operation::kLocate:
    case v1::Operation::kRecordStart:
    case v1::Operation::kRecordStop:
      edit.result.accepted.push_back(op);
      return check_transport(edit.document, op, field);
    case v1::Operation::KIND_NOT_SET:
      break;
  }
  return bad("EMPTY_OPERATION", field, "the operation is empty, or from a newer version");
}

namespace {

// The last operation that closed it: the earlier ones were right when they came.
Error cycle_by_operation(const Editing& edit, const Cycle& cycle) {
  std::optional<std::size_t> last;
  for (const std::size_t connection : cycle.connections) {
    const auto by = edit.connected_by.find(edit.document.connections[connection].uid);
    if (by != edit.connected_by.end() && (!last || by->second > *last)) last = by->second;
  }
  return cycle_error(cycle, last ? "operations[" + std::to_string(*last) + "].connect" : "connections");
}

void push_audible(Editing& edit, rt::Uid uid, const std::string& path, double value) {
  edit.result.params.push_back({.node = uid,
                                .path = path,
                                .param = "audible",
                                .value = value,
                                .rt_index = rt::FaderParam::audible,
                                .ramp_ms = edit.audible_ramp_ms});
}

/// Who is heard now and was not, or the other way round.
void tell_audible(Editing& edit, const Document& before) {
  // Where nothing is soloed each track's own switch decides; else the whole graph does.
  if (!edit.result.structural && !edit.solo_touched && !any_solo(edit.document.nodes)) {
    for (const std::string& path : edit.muted) {
      const DocNode& now = *find_node(std::as_const(edit.document), path);
      const bool muted = number_of(now, "mute") != 0.0;
      if ((number_of(*find_node(before, path), "mute") != 0.0) != muted)
        push_audible(edit, now.uid, path, muted ? 0.0 : 1.0);
    }
    return;
  }
  const auto heard_before = audible_map(before), heard_now = audible_map(edit.document);
  for_each_node(edit.document.nodes, "", [&](const std::string& path, const DocNode& node) {
    const auto was = heard_before.find(node.uid);
    const auto is = heard_now.find(node.uid);
    if (was == heard_before.end() || is == heard_now.end() || was->second == is->second) return;
    push_audible(edit, node.uid, path, is->second);
  });
}

}  // namespace

Result<EditResult> apply_operations(Document& document,
                                    const google::protobuf::RepeatedPtrField<v1::Operation>& operations,
                                    const UidSource& new_uid, EditMode mode) {
  Editing edit{.document = document, .new_uid = new_uid, .result = {}, .connected_by = {}, .connections = {}};
  edit.mode = mode;
  const Document before = document;  // shares all of it
  for (int i = 0; i < operations.size(); ++i) {
    const Result<> applied =
        apply_operation(edit, operations[i], static_cast<std::size_t>(i), "operations[" + std::to_string(i) + "]");
    if (!applied) return applied.error();
  }
  place_connections(edit);
  if (edit.result.structural) {
    if (const Cycle cycle = find_cycle(document); !cycle.nodes.empty()) return cycle_by_operation(edit, cycle);
    if (const Result<> valid = validate(document); !valid) return valid.error();
  }
  if (edit.cues_touched) {
    if (const Result<> valid = check_cues(document.cues, "cues"); !valid) return valid.error();
  }
  leave_to_lanes(edit);
  if (edit.audible_touched) tell_audible(edit, before);
  return std::move(edit.result);
}

Error no_node(std::string_view path, const std::string& field) {
  return make_error(ErrorKind::not_found, "UNKNOWN_NODE", field, "there is no node " + quoted(path));
}

}  // namespace continuo::session
