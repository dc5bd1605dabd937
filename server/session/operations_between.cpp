// From one document to another, in operations that a client could have sent, but for the uids that they bring back.
#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "server/session/session_file.hpp"
#include "server/session/take_back.hpp"

namespace continuo::session {
namespace {

using Operations = google::protobuf::RepeatedPtrField<v1::Operation>;

class Steps {
 public:
  Steps(const Document& now, const Outline& target) : now_(now), target_(target) {}

  Result<Operations> run() {
    if (!places()) {
      return make_error(ErrorKind::aborted, "CHANGED_SINCE", "nodes",
                        "the places of the nodes were changed by a later transaction");
    }
    orders();
    for (const auto& [uid, item] : target_.items()) {
      if (uid != 0 && survivor(uid) && !now_.at(uid).node.same(item.node)) changed_.push_back(uid);
    }
    std::ranges::sort(changed_);  // the same operations on every run
    for (const rt::Uid uid : changed_)
      add_value_steps(now_.path_of(uid), *now_.at(uid).node, *target_.at(uid).node, out_);
    wires();
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool survivor(rt::Uid uid) const { return now_.has(uid) && target_.has(uid) && !added_.contains(uid); }

  /// The end of the root is before its last, which a client's copy of the session may not have.
  static bool named(rt::Uid next) { return next != 0 && next != kDeviceOutUid; }

  bool places() {
    std::vector<rt::Uid> add, move, remove;
    for (const auto& [uid, item] : target_.items()) {
      if (uid == 0) continue;
      if (!now_.has(uid)) {
        added_.insert(uid);
        if (now_.has(item.parent)) add.push_back(uid);
      } else if (now_.at(uid).parent != item.parent || now_.at(uid).id != item.id) {
        move.push_back(uid);
      }
    }
    for (const auto& [uid, item] : now_.items()) {
      if (uid != 0 && !target_.has(uid) && target_.has(item.parent)) remove.push_back(uid);
      if (uid != 0 && !target_.has(uid)) gone_.insert(uid);
    }
    for (auto* list : {&add, &move, &remove}) std::ranges::sort(*list);
    while (!add.empty() || !move.empty() || !remove.empty()) {
      const std::size_t before = add.size() + move.size() + remove.size();
      std::erase_if(remove, [&](rt::Uid uid) { return try_remove(uid); });
      std::erase_if(add, [&](rt::Uid uid) { return try_add(uid); });
      std::erase_if(move, [&](rt::Uid uid) { return try_move(uid); });
      if (add.size() + move.size() + remove.size() < before) continue;
      // Each waits for another's place: one of them steps aside.
      const auto stuck = std::ranges::find_if(move, [&](rt::Uid uid) { return !aside_.contains(uid); });
      if (stuck == move.end()) return false;
      step_aside(*stuck);
    }
    return true;
  }

  bool try_remove(rt::Uid uid) {
    std::vector<rt::Uid> todo = {uid};
    while (!todo.empty()) {
      const rt::Uid one = todo.back();
      todo.pop_back();
      if (!gone_.contains(one)) return false;
      const auto& children = now_.at(one).children;
      todo.insert(todo.end(), children.begin(), children.end());
    }
    out_.Add()->mutable_remove_node()->set_path(now_.path_of(uid));
    now_.erase(uid);
    std::erase_if(now_.wires, [&](const Wire& wire) { return !now_.has(wire.from) || !now_.has(wire.to); });
    return true;
  }

  bool try_add(rt::Uid uid) {
    const Outline::Item& item = target_.at(uid);
    if (now_.child(item.parent, item.id) != 0) return false;
    v1::AddNode& op = *out_.Add()->mutable_add_node();
    op.set_parent(now_.path_of(item.parent));
    *op.mutable_node() = node_to_struct(fresh(uid));
    const rt::Uid next = now_.next_in(item.parent, target_.at(item.parent).children, uid);
    if (named(next)) op.set_before(now_.at(next).id);
    enter(uid, next);
    return true;
  }

  /// With those below it that are new, too.
  DocNode fresh(rt::Uid uid) const {
    const Outline::Item& item = target_.at(uid);
    DocNode node = *item.node;
    node.id = item.id;
    node.uid = uid;
    node.children.clear();
    for (const rt::Uid child : item.children)
      if (added_.contains(child)) node.children.push_back(fresh(child));
    return node;
  }

  void enter(rt::Uid uid, rt::Uid before) {
    const Outline::Item& item = target_.at(uid);
    now_.add(uid, item.node);
    now_.put(uid, item.parent, item.id, before);
    for (const rt::Uid child : item.children)
      if (added_.contains(child)) enter(child, 0);
  }

  bool try_move(rt::Uid uid) {
    const Outline::Item& to = target_.at(uid);
    if (!now_.has(to.parent) || now_.is_at_or_below(to.parent, uid)) return false;
    const rt::Uid there = now_.child(to.parent, to.id);
    if (there != 0 && there != uid) return false;
    const bool renamed = now_.at(uid).id != to.id, stays = now_.at(uid).parent == to.parent;
    rt::Uid next = now_.next_in(to.parent, target_.at(to.parent).children, uid);
    v1::MoveNode& op = *out_.Add()->mutable_move_node();
    op.set_path(now_.path_of(uid));
    if (!stays) op.set_parent(now_.path_of(to.parent));
    if (renamed) op.set_id(to.id);
    if (named(next)) op.set_before(now_.at(next).id);
    now_.take(uid);
    now_.put(uid, to.parent, to.id, next);
    return true;
  }

  void step_aside(rt::Uid uid) {
    std::string id = "aside-" + std::to_string(uid);
    while (now_.child(0, id) != 0) id += "x";
    v1::MoveNode& op = *out_.Add()->mutable_move_node();
    op.set_path(now_.path_of(uid));
    op.set_parent("");
    op.set_id(id);
    now_.take(uid);
    now_.put(uid, 0, id, 0);
    aside_.insert(uid);
  }

  void orders() {
    std::vector<rt::Uid> parents;
    for (const auto& [uid, item] : target_.items())
      if (now_.at(uid).children != item.children) parents.push_back(uid);
    std::ranges::sort(parents);
    for (const rt::Uid parent : parents) {
      const std::vector<rt::Uid>& order = target_.at(parent).children;
      const std::vector<rt::Uid> stay = longest_in_order(now_.at(parent).children, order);
      const std::unordered_set<rt::Uid> stays(stay.begin(), stay.end());
      for (std::size_t i = order.size(); i-- > 0;) {
        if (stays.contains(order[i])) continue;
        v1::MoveNode& op = *out_.Add()->mutable_move_node();
        op.set_path(now_.path_of(order[i]));
        if (i + 1 < order.size() && named(order[i + 1])) op.set_before(now_.at(order[i + 1]).id);
        const std::string id = now_.at(order[i]).id;
        now_.take(order[i]);
        now_.put(order[i], parent, id, i + 1 < order.size() ? order[i + 1] : 0);
      }
    }
  }

  [[nodiscard]] Endpoint end_of(rt::Uid uid, const std::string& port, std::uint32_t channel) const {
    return {now_.path_of(uid), port, channel};
  }
  [[nodiscard]] std::string from_of(const Wire& wire) const {
    return to_string(end_of(wire.from, wire.from_port, wire.from_channel), true);
  }
  [[nodiscard]] std::string to_of(const Wire& wire) const {
    return to_string(end_of(wire.to, wire.to_port, wire.to_channel), false);
  }

  void wires() {
    if (now_.wires == target_.wires) return;
    std::unordered_map<rt::Uid, const Wire*> wanted;
    for (const Wire& wire : target_.wires) wanted.emplace(wire.uid, &wire);
    std::set<std::pair<std::string, std::string>> cut;  // Disconnect takes all between two ports
    for (const Wire& wire : now_.wires) {
      const auto to = wanted.find(wire.uid);
      if (to != wanted.end() && *to->second == wire) continue;
      if (!cut.emplace(from_of(wire), to_of(wire)).second) continue;
      v1::Disconnect& op = *out_.Add()->mutable_disconnect();
      op.set_from(from_of(wire));
      op.set_to(to_of(wire));
    }
    std::unordered_set<rt::Uid> kept;
    for (const Wire& wire : now_.wires)
      if (!cut.contains({from_of(wire), to_of(wire)})) kept.insert(wire.uid);
    for (std::size_t i = 0; i < target_.wires.size(); ++i) {
      const Wire& wire = target_.wires[i];
      if (kept.contains(wire.uid)) continue;
      v1::Connect& op = *out_.Add()->mutable_connect();
      op.set_from(from_of(wire));
      op.set_to(to_of(wire));
      if (wire.gain_db != 0.0) op.set_gain_db(wire.gain_db);
      for (const auto& [from, to] : wire.channels) {
        v1::ChannelPair& pair = *op.add_channels();
        pair.set_from(from);
        pair.set_to(to);
      }
      op.set_uid(wire.uid);
      if (i + 1 < target_.wires.size()) op.set_place(static_cast<std::uint32_t>(i + 1));
    }
  }

  Outline now_;
  const Outline& target_;
  Operations out_;
  std::unordered_set<rt::Uid> added_, gone_, aside_;
  std::vector<rt::Uid> changed_;
};

}  // namespace

Result<google::protobuf::RepeatedPtrField<v1::Operation>> operations_between(const Document& now,
                                                                             const Outline& target) {
  return Steps(now, target).run();
}

}  // namespace continuo::session
