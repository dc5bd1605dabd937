// THREAD: any, one at a time - the pieces of validation that edits share with whole documents
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "server/base/result.hpp"
#include "server/session/document.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::session {

/// A node with all that is below it: ids, labels, types, parameters, places, depth. `parent` is null at the root;
/// `depth` is the node's own, from 1. `field` names the node: "nodes[2]".
[[nodiscard]] Result<> validate_node(const DocNode& node, const DocNode* parent, std::size_t depth,
                                     const std::string& field);

/// Name and rate.
[[nodiscard]] Result<> validate_header(const Document& document, const std::string& field_prefix);

/// The root's nodes with all that is below them. `field` names the list: "nodes".
[[nodiscard]] Result<> validate_nodes(const NodeList& nodes, const std::string& field);

/// Every connection, no two alike, no circle. `field` names the list: "connections". The nodes must be valid.
[[nodiscard]] Result<> validate_connections(const Document& document, const std::string& field);

/// Names what there is.
[[nodiscard]] Error unknown_param(const TypeSpec& type, const std::string& name, const std::string& field);

/// Ends, gain and channel map; not whether it is the only one of its kind. `field` names the connection.
using FindNode = std::function<const DocNode*(const std::string& path)>;
[[nodiscard]] Result<> validate_connection(const FindNode& find, const DocConnection& connection,
                                           const std::string& field);

/// Equal ends and equal channel maps: the second of them is refused.
[[nodiscard]] bool same_route(const DocConnection& a, const DocConnection& b);

struct Cycle {
  std::vector<std::string> nodes;        // along the cycle; the first is not repeated
  std::vector<std::size_t> connections;  // indices, as many
};
/// A cycle of the document's connections; empty where there is none. The document's connections must be valid.
[[nodiscard]] Cycle find_cycle(const Document& document);
[[nodiscard]] Error cycle_error(const Cycle& cycle, std::string field);

}  // namespace continuo::session
