#include "server/session/outline.hpp"

#include <algorithm>
#include <unordered_set>

namespace continuo::session {

Outline::Outline(const Document& document) {
  items_[0];
  fill(document.nodes, 0);
  wires.reserve(document.connections.size());
  for (const DocConnection& connection : document.connections) wires.push_back(wire_of(document, connection));
}

void Outline::fill(const NodeList& nodes, rt::Uid parent) {
  std::vector<rt::Uid> children;
  children.reserve(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const DocNode& node = nodes[i];
    children.push_back(node.uid);
    items_[node.uid] = {nodes.handle(i), parent, node.id, {}};
    fill(node.children, node.uid);
  }
  items_[parent].children = std::move(children);
}

std::string Outline::path_of(rt::Uid uid) const {
  std::string path;
  for (; uid != 0; uid = at(uid).parent) path = path.empty() ? at(uid).id : at(uid).id + "/" + path;
  return path;
}

bool Outline::is_at_or_below(rt::Uid uid, rt::Uid top) const {
  for (; uid != 0; uid = at(uid).parent)
    if (uid == top) return true;
  return top == 0;
}

rt::Uid Outline::child(rt::Uid parent, const std::string& id) const {
  for (const rt::Uid uid : at(parent).children)
    if (at(uid).id == id) return uid;
  return 0;
}

rt::Uid Outline::next_in(rt::Uid parent, const std::vector<rt::Uid>& order, rt::Uid uid) const {
  auto place = std::ranges::find(order, uid);
  if (place == order.end()) return 0;
  while (++place != order.end()) {
    const auto there = items_.find(*place);
    if (there != items_.end() && there->second.parent == parent &&
        std::ranges::find(at(parent).children, *place) != at(parent).children.end())
      return *place;
  }
  return 0;
}

void Outline::add(rt::Uid uid, Shared<DocNode> node) { items_[uid] = {std::move(node), 0, {}, {}}; }

void Outline::put(rt::Uid uid, rt::Uid parent, std::string id, rt::Uid before) {
  std::vector<rt::Uid>& children = at(parent).children;
  auto place = std::ranges::find(children, before);
  // The device's node stays the last of the root.
  if (before == 0 && parent == 0) place = std::ranges::find(children, kDeviceOutUid);
  children.insert(place, uid);
  at(uid).parent = parent;
  at(uid).id = std::move(id);
}

void Outline::take(rt::Uid uid) { std::erase(at(at(uid).parent).children, uid); }

void Outline::erase(rt::Uid uid) {
  take(uid);
  std::vector<rt::Uid> todo = {uid};
  while (!todo.empty()) {
    const rt::Uid one = todo.back();
    todo.pop_back();
    const auto item = items_.find(one);
    if (item == items_.end()) continue;
    todo.insert(todo.end(), item->second.children.begin(), item->second.children.end());
    items_.erase(item);
  }
}

std::vector<rt::Uid> longest_in_order(const std::vector<rt::Uid>& order, const std::vector<rt::Uid>& target) {
  std::unordered_map<rt::Uid, std::size_t> place;
  for (std::size_t i = 0; i < target.size(); ++i) place.emplace(target[i], i);
  // Patience: `ends[n]` is the index in `order` at which the best run of n + 1 ends.
  std::vector<std::size_t> ends, before(order.size(), order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!place.contains(order[i])) continue;
    const std::size_t rank = place[order[i]];
    const auto slot = std::ranges::lower_bound(ends, rank, {}, [&](std::size_t end) { return place[order[end]]; });
    if (slot != ends.begin()) before[i] = *(slot - 1);
    if (slot == ends.end())
      ends.push_back(i);
    else
      *slot = i;
  }
  std::vector<rt::Uid> run;
  for (std::size_t i = ends.empty() ? order.size() : ends.back(); i < order.size(); i = before[i])
    run.push_back(order[i]);
  std::ranges::reverse(run);
  return run;
}

std::vector<rt::Uid> common(const std::vector<rt::Uid>& order, const std::vector<rt::Uid>& other) {
  const std::unordered_set<rt::Uid> there(other.begin(), other.end());
  std::vector<rt::Uid> both;
  for (const rt::Uid uid : order)
    if (there.contains(uid)) both.push_back(uid);
  return both;
}

}  // namespace continuo::session
