#include <algorithm>

#include "server/session/edit_ops.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/session_file.hpp"
#include "server/session/type_tables.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {

Result<> add_node(Editing& edit, const v1::AddNode& op, const std::string& field) {
  const DocNode* parent = op.parent().empty() ? nullptr : find_node(edit.document, op.parent());
  if (parent == nullptr && !op.parent().empty()) return no_node(op.parent(), field + ".parent");
  if (parent != nullptr && !find_type(parent->type)->has_children) {
    return bad("NO_CHILDREN", field + ".parent", "a " + parent->type + " has no children");
  }
  Result<DocNode> node = node_from_struct(op.node(), field + ".node", edit.new_uid, edit.mode);
  if (!node) return node.error();
  const TypeSpec* type = find_type(node->type);
  if (type != nullptr && !type->creatable) {
    return bad("RESERVED_NODE", field + ".node.type",
               "the device's node " + quoted(node->type) + " exists once, always");
  }
  const NodeList& siblings = parent == nullptr ? edit.document.nodes : parent->children;
  if (siblings.find(node->id)) {
    return make_error(ErrorKind::already_exists, "DUPLICATE_ID", field + ".node.id",
                      "the id " + quoted(node->id) + " is taken by a sibling");
  }
  const std::size_t depth = depth_of(op.parent()) + 1;
  if (const Result<> valid = validate_node(*node, parent, depth, field + ".node"); !valid) return valid.error();
  std::optional<std::size_t> place = siblings.size();
  if (op.has_before()) {
    place = siblings.find(op.before());
    if (!place) return no_node(op.before(), field + ".before");
  }
  v1::AddNode& accepted = *edit.result.accepted.emplace_back().mutable_add_node();
  accepted.set_parent(op.parent());
  *accepted.mutable_node() = node_to_struct(*node);
  if (op.has_before()) accepted.set_before(op.before());
  edit_children(edit.document, op.parent()).insert(*place, *std::move(node));
  if (parent == nullptr) ensure_device_nodes(edit.document);
  edit.result.changed = edit.result.structural = edit.audible_touched = true;
  edit.audible_ramp_ms = kSmoothingMs;
  return {};
}

Result<> remove_node(Editing& edit, const v1::RemoveNode& op, const std::string& field) {
  const DocNode* node = find_node(edit.document, op.path());
  if (node == nullptr) return no_node(op.path(), field + ".path");
  if (!find_type(node->type)->creatable) {
    return bad("RESERVED_NODE", field + ".path", "the device's node " + quoted(op.path()) + " cannot be removed");
  }
  const std::string id = node->id;
  NodeList& siblings = edit_children(edit.document, parent_of(op.path()));
  siblings.erase(*siblings.find(id));
  const auto touched = [&](const DocConnection& connection) {
    return is_at_or_below(connection.from.path, op.path()) || is_at_or_below(connection.to.path, op.path());
  };
  if (std::ranges::any_of(edit.document.connections, touched)) std::erase_if(edit.document.connections.edit(), touched);
  *edit.result.accepted.emplace_back().mutable_remove_node() = op;
  edit.result.changed = edit.result.structural = edit.audible_touched = true;
  edit.audible_ramp_ms = kSmoothingMs;
  return {};
}

Result<> set_label(Editing& edit, const v1::SetLabel& op, const std::string& field) {
  DocNode* node = edit_node(edit.document, op.path());
  if (node == nullptr) return no_node(op.path(), field + ".path");
  if (const Result<> valid = check_text(op.label(), kMaxLabel, field + ".label"); !valid) return valid.error();
  edit.result.changed = edit.result.changed || node->label != op.label();
  node->label = op.label();
  *edit.result.accepted.emplace_back().mutable_set_label() = op;
  return {};
}

}  // namespace continuo::session
