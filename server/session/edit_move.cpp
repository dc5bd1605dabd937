#include <algorithm>

#include "server/session/cue.hpp"
#include "server/session/edit_ops.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/type_tables.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {
namespace {

std::string below(const std::string& parent, const std::string& id) { return parent.empty() ? id : parent + "/" + id; }

void rename(std::string& path, const std::string& from, const std::string& to) {
  if (is_at_or_below(path, from)) path.replace(0, from.size(), to);
}

bool touches(const DocConnection& connection, const std::string& path) {
  return is_at_or_below(connection.from.path, path) || is_at_or_below(connection.to.path, path);
}

}  // namespace

Result<> move_node(Editing& edit, const v1::MoveNode& op, const std::string& field) {
  Document& document = edit.document;
  const DocNode* node = find_node(document, op.path());
  if (node == nullptr) return no_node(op.path(), field + ".path");
  if (!find_type(node->type)->creatable)
    return bad("RESERVED_NODE", field + ".path", "the device's node " + quoted(op.path()) + " stays where it is");
  const std::string parent = op.has_parent() ? op.parent() : parent_of(op.path());
  const std::string id = op.has_id() ? op.id() : node->id;
  if (is_at_or_below(parent, op.path()))
    return bad("BELOW_ITSELF", field + ".parent", quoted(op.path()) + " cannot go below itself");
  const DocNode* new_parent = parent.empty() ? nullptr : find_node(document, parent);
  if (new_parent == nullptr && !parent.empty()) return no_node(parent, field + ".parent");
  if (new_parent != nullptr && !find_type(new_parent->type)->has_children)
    return bad("NO_CHILDREN", field + ".parent", "a " + new_parent->type + " has no children");
  DocNode moved = *node;
  moved.id = id;
  if (const Result<> valid = validate_node(moved, new_parent, depth_of(parent) + 1, field); !valid)
    return valid.error();
  for (const DocNode& sibling : children_of(std::as_const(document), parent)) {
    if (&sibling != node && sibling.id == id)
      return make_error(ErrorKind::already_exists, "DUPLICATE_ID", field + ".id",
                        "the id " + quoted(id) + " is taken by a sibling");
  }
  const bool before_itself = op.has_before() && below(parent, op.before()) == op.path();
  if (op.has_before() && !before_itself && find_node(document, below(parent, op.before())) == nullptr)
    return no_node(below(parent, op.before()), field + ".before");

  *edit.result.accepted.emplace_back().mutable_move_node() = op;
  edit.result.changed = edit.result.structural = edit.audible_touched = true;
  edit.audible_ramp_ms = kSmoothingMs;
  const std::string old_id = node->id;
  NodeList& from = edit_children(document, parent_of(op.path()));
  const std::size_t place = *from.find(old_id);
  if (before_itself) {
    from.rename(place, id);
  } else {
    from.erase(place);
    NodeList& to = edit_children(document, parent);
    to.insert(op.has_before() ? *to.find(op.before()) : to.size(), std::move(moved));
  }
  const auto renamed = [&](const DocConnection& connection) { return touches(connection, op.path()); };
  if (below(parent, id) != op.path() && std::ranges::any_of(document.connections, renamed)) {
    for (DocConnection& connection : document.connections.edit()) {
      rename(connection.from.path, op.path(), below(parent, id));
      rename(connection.to.path, op.path(), below(parent, id));
    }
  }
  rename_in_cues(document, op.path(), below(parent, id));
  ensure_device_nodes(document);
  return {};
}

}  // namespace continuo::session
