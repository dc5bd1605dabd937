#include "server/session/validate.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

#include "server/session/edit.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/queue.hpp"

namespace continuo::session {
namespace {

Result<> check_place(const DocNode& node, const TypeSpec& type, const DocNode* parent, const std::string& field) {
  const bool device = type.role == TypeRole::device_in || type.role == TypeRole::device_out;
  const bool reserved = parent == nullptr && (node.id == "in" || node.id == "out");
  if (device && (parent != nullptr || node.id != type.name)) {
    return bad(
        "RESERVED_NODE", field + ".type",
        "the type " + quoted(node.type) + " is the device's: only the root's node " + quoted(node.type) + " has it");
  }
  if (reserved && !device) {
    return bad("RESERVED_NODE", field + ".type",
               "the root's node " + quoted(node.id) + " is the device's and has the type " + quoted(node.id) +
                   ", not " + quoted(node.type));
  }
  if (!node.children.empty() && !type.has_children) {
    return bad("NO_CHILDREN", field + ".children", "a " + node.type + " has no children");
  }
  const bool in_chain = parent != nullptr && parent->type != "container";
  const bool stands_alone = type.role == TypeRole::container || is_strip(type.role) || type.role == TypeRole::feedback;
  if (in_chain && stands_alone) {
    return bad("WRONG_PLACE", field + ".type",
               "a " + node.type + " cannot be in the chain of the " + parent->type + " " + quoted(parent->id));
  }
  return {};
}

Result<> check_params(const DocNode& node, const TypeSpec& type, const std::string& field) {
  for (const auto& [name, value] : node.params) {
    const std::string where = field + ".params." + field_name(name);
    const ParamSpec* spec = type.find(name);
    if (spec == nullptr) return unknown_param(type, name, where);
    if (const Result<Value> checked = check_value(*spec, value, where); !checked) return checked.error();
  }
  return {};
}

Result<> check_siblings(const NodeList& nodes, const std::string& field) {
  std::set<std::string_view> ids;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (!ids.insert(nodes[i].id).second) {
      return bad("DUPLICATE_ID", field + "[" + std::to_string(i) + "].id",
                 "the id " + quoted(nodes[i].id) + " is taken by a sibling");
    }
  }
  return {};
}

std::size_t count_nodes(const NodeList& nodes) {
  std::size_t count = nodes.size();
  for (const DocNode& node : nodes) count += count_nodes(node.children);
  return count;
}

}  // namespace

Error unknown_param(const TypeSpec& type, const std::string& name, const std::string& field) {
  std::string message = "a " + std::string(type.name) + " has no parameter " + quoted(name) + "; it has";
  if (type.params.empty()) message += " none";
  for (const ParamSpec& spec : type.params) message += " " + std::string(spec.name);
  return bad("UNKNOWN_PARAM", field, message);
}

Result<> validate_node(const DocNode& node, const DocNode* parent, std::size_t depth, const std::string& field) {
  if (depth > kMaxDepth) {
    return bad("TOO_DEEP", field, "nodes are nested more than " + std::to_string(kMaxDepth) + " deep");
  }
  if (!is_id(node.id)) {
    return bad("BAD_ID", field + ".id", quoted(node.id) + " is no id: 1 to 63 of a-z 0-9 _ -");
  }
  if (const Result<> checked = check_text(node.label, kMaxLabel, field + ".label"); !checked) return checked.error();
  const TypeSpec* type = find_type(node.type);
  if (type == nullptr) {
    std::string message = "no type " + quoted(node.type) + "; there are";
    for (const TypeSpec& known : node_types()) message += " " + std::string(known.name);
    return bad("UNKNOWN_TYPE", field + ".type", message);
  }
  if (const Result<> checked = check_place(node, *type, parent, field); !checked) return checked.error();
  if (const Result<> checked = check_params(node, *type, field); !checked) return checked.error();
  if (const Result<> checked = check_lanes(node, field); !checked) return checked.error();
  if (const Result<> checked = check_queue(node, field); !checked) return checked.error();
  if (const Result<> checked = check_siblings(node.children, field + ".children"); !checked) return checked.error();
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const std::string where = field + ".children[" + std::to_string(i) + "]";
    if (const Result<> checked = validate_node(node.children[i], &node, depth + 1, where); !checked)
      return checked.error();
  }
  return {};
}

Result<> validate_nodes(const NodeList& nodes, const std::string& field) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::string where = field + "[" + std::to_string(i) + "]";
    if (const Result<> checked = validate_node(nodes[i], nullptr, 1, where); !checked) return checked.error();
  }
  if (const Result<> checked = check_siblings(nodes, field); !checked) return checked.error();
  if (count_nodes(nodes) > kMaxNodes)
    return bad("TOO_MANY", field, "more than " + std::to_string(kMaxNodes) + " nodes");
  return check_lane_counts(nodes, field);
}

Result<> validate_connections(const Document& document, const std::string& field) {
  if (document.connections.size() > kMaxConnections) {
    return bad("TOO_MANY", field, "more than " + std::to_string(kMaxConnections) + " connections");
  }
  std::unordered_map<std::string, const DocNode*> nodes;
  for_each_node(document.nodes, "", [&](const std::string& path, const DocNode& node) { nodes.emplace(path, &node); });
  const FindNode find = [&](const std::string& path) {
    const auto found = nodes.find(path);
    return found == nodes.end() ? nullptr : found->second;
  };
  const auto key = [](const DocConnection& c) {
    return std::tie(c.from.path, c.from.port, c.from.channel, c.to.path, c.to.port, c.to.channel, c.channels);
  };
  const auto less = [&](const DocConnection* a, const DocConnection* b) { return key(*a) < key(*b); };
  std::set<const DocConnection*, decltype(less)> routes(less);
  for (std::size_t i = 0; i < document.connections.size(); ++i) {
    const DocConnection& connection = document.connections[i];
    const std::string where = field + "[" + std::to_string(i) + "]";
    if (const Result<> valid = validate_connection(find, connection, where); !valid) return valid.error();
    if (!routes.insert(&connection).second) {
      return bad("DUPLICATE_CONNECTION", where,
                 to_string(connection.from, true) + " is connected to " + to_string(connection.to, false) + " already");
    }
  }
  if (const Cycle cycle = find_cycle(document); !cycle.nodes.empty()) {
    return cycle_error(cycle, field + "[" + std::to_string(cycle.connections.back()) + "]");
  }
  return {};
}

Result<> validate_header(const Document& document, const std::string& field_prefix) {
  if (const Result<> checked = check_text(document.name, kMaxLabel, field_prefix + "name"); !checked)
    return checked.error();
  if (document.sample_rate_hz != 0 && (document.sample_rate_hz < 8000 || document.sample_rate_hz > 384000)) {
    return bad("OUT_OF_RANGE", field_prefix + "sample_rate_hz",
               "sample_rate_hz must be 8000 to 384000 Hz, not " + std::to_string(document.sample_rate_hz));
  }
  return {};
}

Result<> validate(const Document& document, const std::string& field_prefix) {
  if (const Result<> checked = validate_header(document, field_prefix); !checked) return checked.error();
  const std::string nodes = field_prefix + "nodes";
  if (const Result<> checked = validate_nodes(document.nodes, nodes); !checked) return checked.error();
  if (find_node(document, "in") == nullptr || find_node(document, "out") == nullptr) {
    return bad("MISSING_NODE", nodes, "the device's nodes \"in\" and \"out\" are missing");
  }
  return validate_connections(document, field_prefix + "connections");
}

}  // namespace continuo::session
