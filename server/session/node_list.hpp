// THREAD: any, one at a time - the children of a node, which copies of a document share but for what was edited
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "server/session/shared.hpp"

namespace continuo::session {

/// Reads as a vector of nodes. A copy costs a pointer; an edit of one node copies that node, the kChunk handles beside
/// it and a handle for each other chunk. Nodes stay where they are in memory as long as any list has them unchanged. A
/// template only so that a node may hold a list of its own kind.
template <class Node>
class BasicNodeList {
  // The hash of the node's id; 0: unknown, for whoever asked for the node might have changed it.
  struct Entry {
    std::uint32_t hash = 0;
    Shared<Node> node;
  };
  using Chunk = Shared<std::vector<Entry>>;
  using Spine = std::vector<Chunk>;
  static constexpr std::size_t kChunk = 32;  // all but the last chunk are full

 public:
  using value_type = Node;

  class const_iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = Node;
    using difference_type = std::ptrdiff_t;
    using pointer = const Node*;
    using reference = const Node&;

    const_iterator() = default;
    const_iterator(const BasicNodeList* list, std::size_t at) : list_(list), at_(at) {}
    reference operator*() const { return (*list_)[at_]; }
    pointer operator->() const { return &(*list_)[at_]; }
    reference operator[](difference_type n) const { return *(*this + n); }
    const_iterator& operator++() { return *this += 1; }
    const_iterator& operator--() { return *this += -1; }
    const_iterator operator++(int) { return std::exchange(*this, *this + 1); }
    const_iterator operator--(int) { return std::exchange(*this, *this + -1); }
    const_iterator& operator+=(difference_type n) {
      at_ = static_cast<std::size_t>(static_cast<difference_type>(at_) + n);
      return *this;
    }
    const_iterator& operator-=(difference_type n) { return *this += -n; }
    friend const_iterator operator+(const_iterator i, difference_type n) { return i += n; }
    friend const_iterator operator+(difference_type n, const_iterator i) { return i += n; }
    friend const_iterator operator-(const_iterator i, difference_type n) { return i += -n; }
    friend difference_type operator-(const const_iterator& a, const const_iterator& b) {
      return static_cast<difference_type>(a.at_) - static_cast<difference_type>(b.at_);
    }
    friend bool operator==(const const_iterator& a, const const_iterator& b) { return a.at_ == b.at_; }
    friend auto operator<=>(const const_iterator& a, const const_iterator& b) { return a.at_ <=> b.at_; }

   private:
    const BasicNodeList* list_ = nullptr;
    std::size_t at_ = 0;
  };
  using iterator = const_iterator;

  BasicNodeList() noexcept = default;
  BasicNodeList(std::vector<Node> nodes) {
    for (Node& node : nodes) push_back(std::move(node));
  }
  BasicNodeList(std::initializer_list<Node> nodes) : BasicNodeList(std::vector<Node>(nodes)) {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] const_iterator begin() const { return {this, 0}; }
  [[nodiscard]] const_iterator end() const { return {this, size_}; }
  [[nodiscard]] const Node& operator[](std::size_t i) const { return *entry(i).node; }
  [[nodiscard]] const Node& front() const { return (*this)[0]; }
  [[nodiscard]] const Node& back() const { return (*this)[size_ - 1]; }

  /// By its id.
  [[nodiscard]] std::optional<std::size_t> find(std::string_view id) const {
    const std::uint32_t hash = hash_of(id);
    std::size_t at = 0;
    if (size_ == 0) return std::nullopt;
    for (const Chunk& chunk : *spine_) {
      for (const Entry& one : *chunk) {
        if ((one.hash == hash || one.hash == 0) && one.node->id == id) return at;
        ++at;
      }
    }
    return std::nullopt;
  }

  /// This list's own copy of it; its id may be changed.
  [[nodiscard]] Node& edit(std::size_t i) {
    Entry& one = own(i);
    one.hash = 0;
    return one.node.edit();
  }
  /// The same, for whoever leaves the id as it is.
  [[nodiscard]] Node& edit_values(std::size_t i) { return own(i).node.edit(); }
  void rename(std::size_t i, std::string_view id) {
    Entry& one = own(i);
    one.node.edit().id = id;
    one.hash = hash_of(id);
  }

  void push_back(Node node) {
    const std::uint32_t hash = hash_of(node.id);
    append({hash, Shared<Node>(std::move(node))});
  }
  Node& emplace_back() {
    append({0, Shared<Node>(Node{})});
    return edit(size_ - 1);
  }
  /// Before the one at `i`. As handles: what a document had before, in another place.
  void insert(std::size_t i, Node node) {
    push_back(std::move(node));
    move(size_ - 1, i);
  }
  void insert(std::size_t i, Shared<Node> node) {
    const std::uint32_t hash = hash_of(node->id);
    append({hash, std::move(node)});
    move(size_ - 1, i);
  }
  [[nodiscard]] const Shared<Node>& handle(std::size_t i) const { return entry(i).node; }
  void erase(std::size_t i) {
    move(i, size_ - 1);
    std::vector<Chunk>& chunks = spine_.edit();
    chunks.back().edit().pop_back();
    if (chunks.back()->empty()) chunks.pop_back();
    --size_;
  }
  /// `to`: its place afterwards.
  void move(std::size_t from, std::size_t to) {
    for (; from < to; ++from) std::swap(own(from), own(from + 1));
    for (; from > to; --from) std::swap(own(from), own(from - 1));
  }
  void clear() { *this = {}; }

  /// One list, not merely an equal one.
  [[nodiscard]] bool same(const BasicNodeList& other) const noexcept { return spine_.same(other.spine_); }
  /// The chunk that holds the one at `i` is shared: so are all that are in it. `i` is a chunk's first.
  [[nodiscard]] bool same_chunk(const BasicNodeList& other, std::size_t i) const {
    return (*spine_)[i / kChunk].same((*other.spine_)[i / kChunk]);
  }
  static constexpr std::size_t chunk() { return kChunk; }

  friend bool operator==(const BasicNodeList& a, const BasicNodeList& b) {
    if (a.same(b)) return true;
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.size_; ++i) {
      if (i % kChunk == 0 && a.same_chunk(b, i)) {
        i += kChunk - 1;
        continue;
      }
      if (!a.entry(i).node.same(b.entry(i).node) && !(a[i] == b[i])) return false;
    }
    return true;
  }

 private:
  static std::uint32_t hash_of(std::string_view id) {
    return static_cast<std::uint32_t>(std::hash<std::string_view>{}(id)) | 1u;
  }
  [[nodiscard]] const Entry& entry(std::size_t i) const { return (*(*spine_)[i / kChunk])[i % kChunk]; }
  [[nodiscard]] Entry& own(std::size_t i) { return spine_.edit()[i / kChunk].edit()[i % kChunk]; }
  void append(Entry one) {
    std::vector<Chunk>& chunks = spine_.edit();
    if (size_ % kChunk == 0) chunks.emplace_back();
    chunks.back().edit().push_back(std::move(one));
    ++size_;
  }

  Shared<Spine> spine_;
  std::size_t size_ = 0;
};

struct DocNode;
using NodeList = BasicNodeList<DocNode>;

}  // namespace continuo::session
