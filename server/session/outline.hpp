// THREAD: any, one at a time - a document taken apart by uid, so that nodes can be put elsewhere one by one
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/session/document_change.hpp"

namespace continuo::session {

/// The tree by uid (0 is the root), and the connections in their order. May be, in between, what no document can be.
class Outline {
 public:
  struct Item {
    Shared<DocNode> node;  // its own values; not its id, nor its children
    rt::Uid parent = 0;
    std::string id;
    std::vector<rt::Uid> children;
  };
  Outline() { items_[0]; }
  explicit Outline(const Document& document);

  [[nodiscard]] bool has(rt::Uid uid) const { return items_.contains(uid); }
  [[nodiscard]] Item& at(rt::Uid uid) { return items_.at(uid); }
  [[nodiscard]] const Item& at(rt::Uid uid) const { return items_.at(uid); }
  [[nodiscard]] const std::unordered_map<rt::Uid, Item>& items() const { return items_; }
  [[nodiscard]] std::string path_of(rt::Uid uid) const;
  [[nodiscard]] bool is_at_or_below(rt::Uid uid, rt::Uid top) const;
  /// The child of that id; 0: none.
  [[nodiscard]] rt::Uid child(rt::Uid parent, const std::string& id) const;
  /// The first of `order` behind `uid` that is among the children; 0: none.
  [[nodiscard]] rt::Uid next_in(rt::Uid parent, const std::vector<rt::Uid>& order, rt::Uid uid) const;

  void add(rt::Uid uid, Shared<DocNode> node);  // without a place
  void put(rt::Uid uid, rt::Uid parent, std::string id, rt::Uid before);
  /// Out of its place, not out of the outline.
  void take(rt::Uid uid);
  /// With all that is below it.
  void erase(rt::Uid uid);

  std::vector<Wire> wires;

 private:
  void fill(const NodeList& nodes, rt::Uid parent);
  std::unordered_map<rt::Uid, Item> items_;
};

/// A longest part of `order` that stands in the same order in `target`: what can stay while the others are moved.
[[nodiscard]] std::vector<rt::Uid> longest_in_order(const std::vector<rt::Uid>& order,
                                                    const std::vector<rt::Uid>& target);

/// `order` without what is not in `other`.
[[nodiscard]] std::vector<rt::Uid> common(const std::vector<rt::Uid>& order, const std::vector<rt::Uid>& other);

}  // namespace continuo::session
