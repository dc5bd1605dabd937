#include "server/session/take_back.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "server/session/names.hpp"

namespace continuo::session {
namespace {

Error changed_since(const std::string& field, const std::string& what) {
  return make_error(ErrorKind::aborted, "CHANGED_SINCE", field, what + " was changed by a later transaction");
}

std::vector<rt::Uid> uids_of(const std::vector<QueueItem>& queue) {
  std::vector<rt::Uid> uids;
  for (const QueueItem& item : queue) uids.push_back(item.uid);
  return uids;
}

const QueueItem* item_of(const std::vector<QueueItem>& queue, rt::Uid uid) {
  const auto found = std::ranges::find(queue, uid, &QueueItem::uid);
  return found == queue.end() ? nullptr : &*found;
}

template <class Map>
const typename Map::mapped_type* value_in(const Map& map, const std::string& name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

template <class T>
bool equal(const T* a, const T* b) {
  return a == b || (a != nullptr && b != nullptr && *a == *b);
}

bool in_order(const std::vector<rt::Uid>& before, const std::vector<rt::Uid>& after) {
  return common(before, after) == common(after, before);
}

/// Of params and lanes alike. Absent is a value, too.
template <class Map>
std::optional<std::string> put_back(Map& now, const Map& before, const Map& after) {
  std::set<std::string> names;
  for (const auto& [name, value] : before) names.insert(name);
  for (const auto& [name, value] : after) names.insert(name);
  for (const std::string& name : names) {
    const auto* was = value_in(before, name);
    const auto* is = value_in(after, name);
    if (equal(was, is)) continue;
    if (!equal(value_in(now, name), is)) return name;
    if (was == nullptr)
      now.erase(name);
    else
      now[name] = *was;
  }
  return std::nullopt;
}

bool put_back(std::vector<QueueItem>& now, const std::vector<QueueItem>& before, const std::vector<QueueItem>& after) {
  if (!in_order(uids_of(before), uids_of(after))) {
    if (now != after) return false;
    now = before;
    return true;
  }
  for (const QueueItem& is : after) {
    const QueueItem* was = item_of(before, is.uid);
    if (was != nullptr && *was == is) continue;
    const auto there = std::ranges::find(now, is.uid, &QueueItem::uid);
    if (there == now.end() || !(*there == is)) return false;
    if (was == nullptr)
      now.erase(there);
    else
      *there = *was;
  }
  for (std::size_t i = before.size(); i-- > 0;) {
    if (item_of(after, before[i].uid) != nullptr) continue;
    if (item_of(now, before[i].uid) != nullptr) return false;
    auto place = now.end();
    for (std::size_t k = i + 1; k < before.size() && place == now.end(); ++k)
      place = std::ranges::find(now, before[k].uid, &QueueItem::uid);
    now.insert(place, before[i]);
  }
  return now.size() <= kMaxQueueItems;
}

class TakingBack {
 public:
  TakingBack(const Document& now, const DocumentChange& change) : change_(change), out_(now) {}

  Result<Outline> run() {
    for (const DocumentChange::Node& one : change_.nodes) {
      if (one.before && one.after) {
        if (const Result<> done = values(one); !done) return done.error();
      } else if (one.after) {
        added_.insert(one.uid);
      }
    }
    if (const Result<> done = check(); !done) return done.error();
    if (const Result<> done = places(); !done) return done.error();
    if (const Result<> done = wires(); !done) return done.error();
    return std::move(out_);
  }

 private:
  Result<> values(const DocumentChange::Node& one) {
    const std::string& path = one.after->path;
    if (!out_.has(one.uid)) return changed_since(path, quoted(path));
    const DocNode &was = *one.before->node, &is = *one.after->node;
    if (same_values(was, is)) return {};
    const std::string here = out_.path_of(one.uid);
    DocNode& node = out_.at(one.uid).node.edit();
    if (was.label != is.label) {
      if (node.label != is.label) return changed_since(here + ".label", "the label of " + quoted(here));
      node.label = was.label;
    }
    if (const auto name = put_back(node.params, was.params, is.params))
      return changed_since(here + "." + *name, quoted(here + "." + *name));
    if (const auto name = put_back(node.lanes, was.lanes, is.lanes))
      return changed_since(here + ".automation." + *name, "the automation lane of " + quoted(here + "." + *name));
    if (!(was.queue == is.queue) && !put_back(node.queue.edit(), was.queue, is.queue))
      return changed_since(here + ".queue", "the queue of " + quoted(here));
    return {};
  }

  /// Everything about places and connections, before the first of them is changed.
  Result<> check() const {
    for (const DocumentChange::Node& one : change_.nodes) {
      if (!one.after) {
        if (out_.has(one.uid)) return changed_since(one.before->path, quoted(one.before->path));
        continue;
      }
      const NodeState& is = *one.after;
      const bool stays = one.before && one.before->parent == is.parent && one.before->node->id == is.node->id;
      if (stays) continue;
      if (!out_.has(one.uid)) return changed_since(is.path, quoted(is.path));
      const Outline::Item& item = out_.at(one.uid);
      if (item.parent != is.parent || item.id != is.node->id)
        return changed_since(out_.path_of(one.uid), "the place of " + quoted(is.path));
      if (one.before) continue;
      if (!same_values(*item.node, *is.node)) return changed_since(is.path, quoted(is.path));
      for (const rt::Uid child : item.children) {
        const bool then = std::ranges::any_of(is.node->children, [&](const DocNode& c) { return c.uid == child; });
        if (!then) return changed_since(out_.path_of(child), quoted(out_.path_of(child)));
      }
      if (item.children.size() != is.node->children.size()) return changed_since(is.path, quoted(is.path));
    }
    for (const DocumentChange::Children& one : change_.children) {
      if (in_order(one.before, one.after)) continue;
      if (!out_.has(one.parent) || out_.at(one.parent).children != one.after)
        return changed_since(out_.has(one.parent) ? out_.path_of(one.parent) + ".children" : "nodes",
                             "the order of the nodes");
    }
    std::unordered_set<rt::Uid> ours;
    for (const DocumentChange::Connection& one : change_.connections) {
      const auto there = std::ranges::find(out_.wires, one.uid, &Wire::uid);
      ours.insert(one.uid);
      const bool as_left = one.after ? there != out_.wires.end() && *there == *one.after : there == out_.wires.end();
      if (!as_left) return changed_since("connections", "a connection that it changed");
    }
    if (added_.empty()) return {};
    for (const Wire& wire : out_.wires) {
      for (const rt::Uid end : {wire.from, wire.to}) {
        if (added_.contains(end) && !ours.contains(wire.uid))
          return changed_since("connections", "what is connected to " + quoted(out_.path_of(end)));
      }
    }
    return {};
  }

  Result<> places() {
    std::vector<const DocumentChange::Node*> come;  // to a parent that has them not yet
    for (const DocumentChange::Node& one : change_.nodes) {
      if (!one.before) continue;
      if (one.after && one.before->parent == one.after->parent) {
        out_.at(one.uid).id = one.before->node->id;
        continue;
      }
      if (one.after)
        out_.take(one.uid);
      else
        out_.add(one.uid, one.before->node);
      come.push_back(&one);
    }
    std::unordered_map<rt::Uid, std::unordered_map<rt::Uid, std::size_t>> ranks;  // by parent
    for (const DocumentChange::Node* one : come) {
      const rt::Uid parent = one->before->parent;
      if (!out_.has(parent)) return changed_since(one->before->path, "what " + quoted(one->before->path) + " was in");
      if (ranks.contains(parent)) continue;
      const std::vector<rt::Uid> order = order_before(parent);
      for (std::size_t i = 0; i < order.size(); ++i) ranks[parent].emplace(order[i], i);
    }
    // Of siblings the last first: each finds the one that it stood before. (Not stable_sort, whose buffer clang calls
    // deprecated: by rank and place.)
    std::vector<std::pair<std::size_t, std::size_t>> order;
    for (std::size_t i = 0; i < come.size(); ++i)
      order.emplace_back(ranks.at(come[i]->before->parent)[come[i]->uid], come.size() - i);
    std::ranges::sort(order, std::greater{});
    for (const auto& [rank, from_end] : order) {
      const DocumentChange::Node* one = come[come.size() - from_end];
      const rt::Uid parent = one->before->parent;
      out_.put(one->uid, parent, one->before->node->id, out_.next_in(parent, order_before(parent), one->uid));
    }
    for (const DocumentChange::Node& one : change_.nodes)
      if (!one.before && out_.has(one.uid)) out_.erase(one.uid);
    for (const DocumentChange::Children& one : change_.children)
      if (!in_order(one.before, one.after)) out_.at(one.parent).children = one.before;
    for (const DocumentChange::Node& one : change_.nodes) {
      if (!one.before) continue;
      if (!rooted(one.uid)) return changed_since(one.before->path, "what " + quoted(one.before->path) + " was in");
      const Outline::Item& item = out_.at(one.uid);
      for (const rt::Uid sibling : out_.at(item.parent).children) {
        if (sibling != one.uid && out_.at(sibling).id == item.id)
          return changed_since(one.before->path, "the place of " + quoted(one.before->path));
      }
    }
    return {};
  }

  /// It is not below itself.
  bool rooted(rt::Uid uid) const {
    for (std::size_t steps = 0; uid != 0; uid = out_.at(uid).parent)
      if (++steps > kMaxDepth * 2) return false;
    return true;
  }

  /// The children that a parent had, where they differ: of a node that was removed, all.
  std::vector<rt::Uid> order_before(rt::Uid parent) const {
    for (const DocumentChange::Children& one : change_.children)
      if (one.parent == parent) return one.before;
    std::vector<rt::Uid> order;
    for (const DocumentChange::Node& one : change_.nodes) {
      if (one.uid != parent || !one.before) continue;
      for (const DocNode& child : one.before->node->children) order.push_back(child.uid);
    }
    return order;
  }

  Result<> wires() {
    for (const DocumentChange::Connection& one : change_.connections) {
      if (!one.before)
        std::erase_if(out_.wires, [&](const Wire& wire) { return wire.uid == one.uid; });
      else if (one.after)
        *std::ranges::find(out_.wires, one.uid, &Wire::uid) = *one.before;
    }
    for (auto one = change_.connections.rbegin(); one != change_.connections.rend(); ++one) {
      if (!one->before || one->after) continue;
      const Wire& wire = *one->before;
      if (!out_.has(wire.from) || !out_.has(wire.to)) return changed_since("connections", "what a connection joined");
      auto place = std::ranges::find(out_.wires, one->next, &Wire::uid);
      if (place == out_.wires.end()) place = std::ranges::find(out_.wires, one->anchor, &Wire::uid);
      out_.wires.insert(place, wire);
    }
    const auto route = [](const Wire& w) {
      return std::tie(w.from, w.to, w.from_port, w.to_port, w.from_channel, w.to_channel, w.channels);
    };
    if (change_.connections.empty()) return {};
    const auto less = [&](const Wire* a, const Wire* b) { return route(*a) < route(*b); };
    std::set<const Wire*, decltype(less)> routes(less);
    for (const Wire& wire : out_.wires) {
      if (!routes.insert(&wire).second)
        return changed_since("connections", quoted(out_.path_of(wire.from)) + " to " + quoted(out_.path_of(wire.to)));
    }
    return {};
  }

  const DocumentChange& change_;
  Outline out_;
  std::unordered_set<rt::Uid> added_;
};

}  // namespace

Result<Outline> without(const Document& now, const DocumentChange& change) { return TakingBack(now, change).run(); }

Result<google::protobuf::RepeatedPtrField<v1::Operation>> inverse_of(const Document& now,
                                                                     const DocumentChange& change) {
  const Result<Outline> target = without(now, change);
  if (!target) return target.error();
  return operations_between(now, *target);
}

}  // namespace continuo::session
