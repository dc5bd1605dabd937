// THREAD: any, one at a time - one operation at a time, on the copy of the document that apply_operations() works on
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/session/edit.hpp"

namespace continuo::session {

struct Editing {
  Document& document;
  const UidSource& new_uid;
  EditResult result;
  /// Which operation made a connection, for the error of a cycle.
  std::unordered_map<rt::Uid, std::size_t> connected_by;
  /// Place (from 0) and connection, in rising order: put in together.
  std::vector<std::pair<std::size_t, DocConnection>> connections{};
  bool lanes_touched = false;
  bool audible_touched = false;  // mute, solo or what feeds what: the tracks that are heard may differ
  double audible_ramp_ms = 0.0;
  bool solo_touched = false;
  std::set<std::string> muted{};  // whose mute was set, by path
  bool cues_touched = false;
  EditMode mode = EditMode::client;
};

/// One of them, whatever its kind. `index`: its place, for the error of a cycle.
[[nodiscard]] Result<> apply_operation(Editing& edit, const v1::Operation& op, std::size_t index,
                                       const std::string& field);

/// `field` names the operation's member: "operations[3].add_node". They append to result.accepted.
[[nodiscard]] Result<> add_node(Editing& edit, const v1::AddNode& op, const std::string& field);
[[nodiscard]] Result<> remove_node(Editing& edit, const v1::RemoveNode& op, const std::string& field);
[[nodiscard]] Result<> move_node(Editing& edit, const v1::MoveNode& op, const std::string& field);
[[nodiscard]] Result<> connect(Editing& edit, const v1::Connect& op, const std::string& field, std::size_t index);
[[nodiscard]] Result<> disconnect(Editing& edit, const v1::Disconnect& op, const std::string& field);
[[nodiscard]] Result<> set_params(Editing& edit, const v1::SetParams& op, const std::string& field);
[[nodiscard]] Result<> set_automation(Editing& edit, const v1::SetAutomation& op, const std::string& field);
[[nodiscard]] Result<> clear_automation(Editing& edit, const v1::ClearAutomation& op, const std::string& field);
[[nodiscard]] Result<> set_label(Editing& edit, const v1::SetLabel& op, const std::string& field);

[[nodiscard]] Result<> queue_insert(Editing& edit, const v1::QueueInsert& op, const std::string& field);
[[nodiscard]] Result<> queue_remove(Editing& edit, const v1::QueueRemove& op, const std::string& field);
[[nodiscard]] Result<> queue_move(Editing& edit, const v1::QueueMove& op, const std::string& field);
[[nodiscard]] Result<> queue_set(Editing& edit, const v1::QueueSet& op, const std::string& field);
/// Changes nothing: where to is the engine's to know.
[[nodiscard]] Result<> check_skip(Editing& edit, const v1::Skip& op, const std::string& field);

[[nodiscard]] Result<> cue_insert(Editing& edit, const v1::CueInsert& op, const std::string& field);
[[nodiscard]] Result<> cue_remove(Editing& edit, const v1::CueRemove& op, const std::string& field);
[[nodiscard]] Result<> cue_move(Editing& edit, const v1::CueMove& op, const std::string& field);
[[nodiscard]] Result<> cue_set(Editing& edit, const v1::CueSet& op, const std::string& field);
/// Change nothing: which cue is next is the engine's to know, and what a cue does is done by its operations, which the
/// engine puts behind the Go (expand_cues()).
[[nodiscard]] Result<> check_cue_next(Editing& edit, const v1::CueNext& op, const std::string& field);
[[nodiscard]] Result<> check_go(Editing& edit, const v1::Go& op, const std::string& field);

/// Play, stop, locate and the recorders': shape, and that the nodes they name can do it.
[[nodiscard]] Result<> check_transport(const Document& document, const v1::Operation& op, const std::string& field);

/// NOT_FOUND.
[[nodiscard]] Error no_node(std::string_view path, const std::string& field);

/// Connections that wait for their places: see connect(). Before anything else looks at the document's.
void place_connections(Editing& edit);

/// When all operations are done: no value is sent to a parameter whose lane is on after them.
void leave_to_lanes(Editing& edit);

}  // namespace continuo::session
