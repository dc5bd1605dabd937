// THREAD: any, one at a time - what a transaction did to a document, by uid: enough to take it back later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/session/document.hpp"

namespace continuo::session {

/// A node as it was in one document. Its children are of then; what they became is told of each of them.
struct NodeState {
  Shared<DocNode> node;
  rt::Uid parent = 0;  // 0: the root
  std::string path;
};

/// A connection that knows its ends by their nodes: a move does not change it.
struct Wire {
  rt::Uid uid = 0;
  rt::Uid from = 0, to = 0;
  std::string from_port, to_port;
  std::uint32_t from_channel = 0, to_channel = 0;
  double gain_db = 0.0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> channels;
  friend bool operator==(const Wire&, const Wire&) = default;
};

/// What is in neither list is as it was. Cues are left out: edits of them are not undone.
struct DocumentChange {
  /// Whose label, values, lanes, queue, id or parent differ, or which is in one of the two only.
  struct Node {
    rt::Uid uid = 0;
    std::optional<NodeState> before, after;
  };
  /// Whose members or order differ, of nodes that are in both. In order.
  struct Children {
    rt::Uid parent = 0;
    std::vector<rt::Uid> before, after;
  };
  /// `next`: the one behind it in the order of before; `anchor`: the first behind it that is in both. 0: none.
  struct Connection {
    rt::Uid uid = 0;
    std::optional<Wire> before, after;
    rt::Uid next = 0, anchor = 0;
  };
  std::vector<Node> nodes;
  std::vector<Children> children;
  std::vector<Connection> connections;  // those of before first, in their order

  [[nodiscard]] bool empty() const { return nodes.empty() && children.empty() && connections.empty(); }
  /// About what it keeps in memory that no document of now has.
  [[nodiscard]] std::size_t bytes() const;
  /// Nodes that it changed, as a node's revision counts it: those at the ends of connections, and parents, too.
  [[nodiscard]] std::vector<rt::Uid> touched() const;
};

/// Costs what differs, where the documents share the rest; of a change of structure, the siblings and connections too.
[[nodiscard]] DocumentChange changes_between(const Document& before, const Document& after);

/// But for id, children and uid.
[[nodiscard]] bool same_values(const DocNode& a, const DocNode& b);

/// Of connections whose nodes are there.
[[nodiscard]] Wire wire_of(const Document& document, const DocConnection& connection);

}  // namespace continuo::session
