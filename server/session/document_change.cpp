#include "server/session/document_change.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "server/session/outline.hpp"

namespace continuo::session {
namespace {

std::string below(const std::string& path, const std::string& id) { return path.empty() ? id : path + "/" + id; }

std::vector<rt::Uid> uids_of(const NodeList& nodes) {
  std::vector<rt::Uid> uids;
  uids.reserve(nodes.size());
  for (const DocNode& node : nodes) uids.push_back(node.uid);
  return uids;
}

class Comparison {
 public:
  explicit Comparison(DocumentChange& out) : out_(out) {}

  /// The children of a node that both have.
  void lists(const NodeList& before, const NodeList& after, rt::Uid parent, const std::string& path_before,
             const std::string& path_after) {
    if (before.same(after)) return;
    if (side_by_side(before, after)) {
      for (std::size_t i = 0; i < before.size(); ++i) {
        if (i % NodeList::chunk() == 0 && before.same_chunk(after, i)) {
          i += NodeList::chunk() - 1;
          continue;
        }
        pair(before, i, after, i, parent, parent, path_before, path_after);
      }
      return;
    }
    out_.children.push_back({parent, uids_of(before), uids_of(after)});
    std::unordered_map<rt::Uid, std::size_t> places;
    for (std::size_t i = 0; i < before.size(); ++i) places.emplace(before[i].uid, i);
    for (std::size_t i = 0; i < after.size(); ++i) {
      const auto there = places.find(after[i].uid);
      if (there == places.end()) {
        collect(after, i, parent, path_after, came_, came_order_);
        continue;
      }
      pair(before, there->second, after, i, parent, parent, path_before, path_after);
      places.erase(there);
    }
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (places.contains(before[i].uid)) collect(before, i, parent, path_before, went_, went_order_);
    }
  }

  /// What went from one place and came to another is one node.
  void join() {
    for (const rt::Uid uid : went_order_) {
      NodeState& was = went_.at(uid);
      const auto is = came_.find(uid);
      if (is == came_.end()) {
        out_.nodes.push_back({uid, std::move(was), std::nullopt});
        continue;
      }
      NodeState& now = is->second;
      const std::vector<rt::Uid> before = uids_of(was.node->children), after = uids_of(now.node->children);
      if (before != after) out_.children.push_back({uid, before, after});
      const bool stays = was.parent == now.parent && was.node->id == now.node->id;
      if (!stays || !same_values(*was.node, *now.node)) out_.nodes.push_back({uid, std::move(was), std::move(now)});
      came_.erase(is);
    }
    for (const rt::Uid uid : came_order_) {
      const auto is = came_.find(uid);
      if (is != came_.end()) out_.nodes.push_back({uid, std::nullopt, std::move(is->second)});
    }
  }

 private:
  using States = std::unordered_map<rt::Uid, NodeState>;

  static bool side_by_side(const NodeList& before, const NodeList& after) {
    if (before.size() != after.size()) return false;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (i % NodeList::chunk() == 0 && before.same_chunk(after, i)) {
        i += NodeList::chunk() - 1;
        continue;
      }
      if (before[i].uid != after[i].uid) return false;
    }
    return true;
  }

  void pair(const NodeList& before, std::size_t i, const NodeList& after, std::size_t k, rt::Uid parent_before,
            rt::Uid parent_after, const std::string& path_before, const std::string& path_after) {
    const Shared<DocNode>& was = before.handle(i);
    const Shared<DocNode>& is = after.handle(k);
    if (was.same(is)) return;
    const std::string from = below(path_before, was->id), to = below(path_after, is->id);
    if (was->id != is->id || !same_values(*was, *is))
      out_.nodes.push_back({is->uid, NodeState{was, parent_before, from}, NodeState{is, parent_after, to}});
    lists(was->children, is->children, is->uid, from, to);
  }

  static void collect(const NodeList& list, std::size_t i, rt::Uid parent, const std::string& prefix, States& states,
                      std::vector<rt::Uid>& order) {
    const Shared<DocNode>& node = list.handle(i);
    const std::string path = below(prefix, node->id);
    states.emplace(node->uid, NodeState{node, parent, path});
    order.push_back(node->uid);
    for (std::size_t k = 0; k < node->children.size(); ++k) collect(node->children, k, node->uid, path, states, order);
  }

  DocumentChange& out_;
  States went_, came_;
  std::vector<rt::Uid> went_order_, came_order_;  // parents first
};

void compare_connections(const Document& before, const Document& after, DocumentChange& out) {
  if (before.connections.same(after.connections)) return;
  std::unordered_map<rt::Uid, const DocConnection*> now;
  for (const DocConnection& one : after.connections) now.emplace(one.uid, &one);
  std::size_t first = out.connections.size();
  rt::Uid next = 0, anchor = 0;
  for (std::size_t i = before.connections.size(); i-- > 0;) {
    const DocConnection& was = before.connections[i];
    const auto is = now.find(was.uid);
    if (is == now.end()) {
      out.connections.push_back({was.uid, wire_of(before, was), std::nullopt, next, anchor});
    } else {
      if (!(was == *is->second)) {
        Wire old = wire_of(before, was), fresh = wire_of(after, *is->second);
        if (!(old == fresh)) out.connections.push_back({was.uid, std::move(old), std::move(fresh), next, anchor});
      }
      anchor = was.uid;
      now.erase(is);
    }
    next = was.uid;
  }
  std::reverse(out.connections.begin() + static_cast<std::ptrdiff_t>(first), out.connections.end());
  for (const DocConnection& one : after.connections) {
    if (now.contains(one.uid)) out.connections.push_back({one.uid, std::nullopt, wire_of(after, one), 0, 0});
  }
}

std::size_t bytes_of(const std::optional<NodeState>& state) {
  if (!state) return 0;
  const DocNode& node = *state->node;
  std::size_t bytes = sizeof(NodeState) + 1024 + node.label.size() + state->path.size() + node.params.size() * 100 +
                      node.queue.size() * sizeof(QueueItem);
  for (const auto& [param, lane] : node.lanes) bytes += 100 + lane.points->size() * sizeof(LanePoint);
  return bytes;
}

}  // namespace

bool same_values(const DocNode& a, const DocNode& b) {
  return a.label == b.label && a.type == b.type && a.params == b.params && a.lanes == b.lanes && a.queue == b.queue;
}

Wire wire_of(const Document& document, const DocConnection& connection) {
  Wire wire;
  wire.uid = connection.uid;
  if (const DocNode* node = find_node(document, connection.from.path)) wire.from = node->uid;
  if (const DocNode* node = find_node(document, connection.to.path)) wire.to = node->uid;
  wire.from_port = connection.from.port;
  wire.to_port = connection.to.port;
  wire.from_channel = connection.from.channel;
  wire.to_channel = connection.to.channel;
  wire.gain_db = connection.gain_db;
  wire.channels = connection.channels;
  return wire;
}

DocumentChange changes_between(const Document& before, const Document& after) {
  DocumentChange out;
  Comparison comparison(out);
  comparison.lists(before.nodes, after.nodes, 0, "", "");
  comparison.join();
  compare_connections(before, after, out);
  return out;
}

std::size_t DocumentChange::bytes() const {
  std::size_t bytes = sizeof(DocumentChange);
  for (const Node& one : nodes) bytes += bytes_of(one.before) + bytes_of(one.after);
  for (const Children& one : children) bytes += sizeof(one) + (one.before.size() + one.after.size()) * sizeof(rt::Uid);
  for (const Connection& one : connections) {
    bytes += sizeof(one);
    for (const auto* wire : {&one.before, &one.after})
      if (*wire) bytes += (*wire)->channels.size() * 8;
  }
  return bytes;
}

std::vector<rt::Uid> DocumentChange::touched() const {
  std::unordered_set<rt::Uid> all;
  for (const Node& one : nodes) all.insert(one.uid);
  for (const Children& one : children) {
    if (one.parent != 0) all.insert(one.parent);
    // Of those that are in both, who came before whom: the fewest that were moved.
    const std::vector<rt::Uid> before = common(one.before, one.after);
    const std::vector<rt::Uid> stayed = longest_in_order(before, one.after);
    const std::unordered_set<rt::Uid> stays(stayed.begin(), stayed.end());
    for (const rt::Uid uid : before)
      if (!stays.contains(uid)) all.insert(uid);
  }
  for (const Connection& one : connections) {
    for (const auto* wire : {&one.before, &one.after})
      if (*wire) all.insert({(*wire)->from, (*wire)->to});
  }
  return {all.begin(), all.end()};
}

}  // namespace continuo::session
