#include "server/session/incarnations.hpp"

#include <utility>
#include <vector>

#include "server/session/feed_match.hpp"

namespace continuo::session {
namespace {

FlatKey incarnation(FlatKey first, std::uint32_t number) {
  first.variant ^= number * 0x9e3779b97f4a7c15u;
  return first;
}

/// Both graphs as one: a node of both is one vertex. Vertices are numbered as the nodes of `now`, then those that only
/// `before` has.
class Union {
 public:
  Union(const FlatGraph& before, const FlatGraph& now) : before_(before), now_(now), twins_(before, now) {
    count_ = static_cast<std::uint32_t>(now.nodes.size());
    vertex_.resize(before.nodes.size());
    for (std::uint32_t i = 0; i < before.nodes.size(); ++i) {
      vertex_[i] = twins_.place[i] ? *twins_.place[i] : count_++;
      if (!twins_.place[i]) only_before_.push_back(i);
    }
    find_changes();
  }

  [[nodiscard]] bool changed() const { return !sources_.empty(); }

  /// By index in `now`: it lies behind a change and before another.
  std::vector<bool> between() {
    connect();
    const std::vector<bool> behind = reach(targets_, next_);
    const std::vector<bool> ahead = reach(sources_, previous_);
    std::vector<bool> found(now_.nodes.size(), false);
    for (std::uint32_t i = 0; i < found.size(); ++i) found[i] = twins_.twin[i] && behind[i] && ahead[i];
    spare_tails(found);
    return found;
  }

 private:
  using Edges = std::vector<std::vector<std::uint32_t>>;

  // Ends of the feeds that begin or end with this edit, into nodes of both graphs: where a fade would be.
  void find_changes() {
    for (std::uint32_t i = 0; i < now_.nodes.size(); ++i) {
      if (!twins_.twin[i]) continue;
      const FlatNode& node = now_.nodes[i];
      const FlatNode& old = before_.nodes[*twins_.twin[i]];
      const std::vector<std::size_t> matches = match_feeds(old, node, twins_.place);
      std::vector<bool> kept(old.feeds.size(), false);
      for (std::size_t k = 0; k < matches.size(); ++k) {
        if (matches[k] != kNoFeed)
          kept[matches[k]] = true;
        else
          change(node.feeds[k].source, i);
      }
      for (std::size_t k = 0; k < kept.size(); ++k) {
        if (!kept[k] && old.feeds[k].state != FeedState::dying) change(vertex_[old.feeds[k].source], i);
      }
    }
  }
  void change(std::uint32_t source, std::uint32_t target) {
    sources_.push_back(source);
    targets_.push_back(target);
  }

  void connect() {
    next_.resize(count_);
    previous_.resize(count_);
    const auto edge = [&](std::uint32_t from, std::uint32_t to) {
      next_[from].push_back(to);
      previous_[to].push_back(from);
    };
    for (std::uint32_t i = 0; i < now_.nodes.size(); ++i) {
      for (const Feed& feed : now_.nodes[i].feeds) edge(feed.source, i);
    }
    for (std::uint32_t i = 0; i < before_.nodes.size(); ++i) {
      for (const Feed& feed : before_.nodes[i].feeds) edge(vertex_[feed.source], vertex_[i]);
    }
  }

  static std::vector<bool> reach(std::vector<std::uint32_t> todo, const Edges& edges) {
    std::vector<bool> seen(edges.size(), false);
    while (!todo.empty()) {
      const std::uint32_t at = todo.back();
      todo.pop_back();
      if (seen[at]) continue;
      seen[at] = true;
      todo.insert(todo.end(), edges[at].begin(), edges[at].end());
    }
    return seen;
  }

  void spare_tails(std::vector<bool>& found) const {
    std::vector<std::uint32_t> tails;
    for (std::uint32_t i = 0; i < found.size(); ++i) {
      if (found[i] && now_.nodes[i].has_tail) tails.push_back(i);
    }
    for (const std::uint32_t tail : tails) found[tail] = false;
    for (const std::uint32_t tail : tails) found[tail] = on_circle(tail, found);
  }

  // Whether a node that stays one would have itself before it, where `twice` are the nodes that run twice. A walker is
  // on the old side or the new one where there are two, on both where there is one.
  [[nodiscard]] bool on_circle(std::uint32_t node, const std::vector<bool>& twice) const {
    std::vector<bool> seen(2 * std::size_t{count_}, false);
    std::vector<std::pair<std::uint32_t, bool>> todo;  // vertex, on the old side
    const auto enter = [&](std::uint32_t vertex, bool old) {
      todo.emplace_back(vertex, old);
      if (vertex >= twice.size() || !twice[vertex]) todo.emplace_back(vertex, !old);
    };
    const auto leave = [&](std::uint32_t vertex, bool old) {
      const bool is_now = vertex < now_.nodes.size();
      if (old && is_now && !twins_.twin[vertex]) return;
      if (!old && !is_now) return;
      const FlatNode& at = old ? before_.nodes[old_index(vertex)] : now_.nodes[vertex];
      for (const Feed& feed : at.feeds) enter(old ? vertex_[feed.source] : feed.source, old);
    };
    leave(node, false);
    leave(node, true);
    while (!todo.empty()) {
      const auto [at, old] = todo.back();
      todo.pop_back();
      if (at == node) return true;
      const std::size_t mark = 2 * std::size_t{at} + (old ? 1 : 0);
      if (seen[mark]) continue;
      seen[mark] = true;
      leave(at, old);
    }
    return false;
  }
  [[nodiscard]] std::uint32_t old_index(std::uint32_t vertex) const {
    if (vertex < twins_.twin.size()) return *twins_.twin[vertex];
    return only_before_[vertex - twins_.twin.size()];
  }

  const FlatGraph& before_;
  const FlatGraph& now_;
  const Twins twins_;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> vertex_;       // by index before
  std::vector<std::uint32_t> only_before_;  // by vertex beyond those of `now`: index before
  std::vector<std::uint32_t> sources_, targets_;
  Edges next_, previous_;
};

}  // namespace

void Incarnations::follow(const FlatGraph& before, FlatGraph& now, bool fades) {
  std::vector<FlatKey> first(now.nodes.size());
  decltype(of_) numbers;  // of those that are gone, nothing stays
  for (std::uint32_t i = 0; i < now.nodes.size(); ++i) {
    FlatNode& node = now.nodes[i];
    first[i] = node.key;
    const auto found = of_.find(node.key);
    if (found == of_.end()) continue;
    numbers.insert(*found);
    node.key = incarnation(first[i], found->second);
  }
  of_ = std::move(numbers);
  if (!fades) return;
  Union both(before, now);
  if (!both.changed()) return;
  const std::vector<bool> between = both.between();
  for (std::uint32_t i = 0; i < now.nodes.size(); ++i) {
    if (!between[i]) continue;
    now.nodes[i].heir_of = now.nodes[i].key;
    now.nodes[i].key = incarnation(first[i], ++of_[first[i]]);
  }
}

}  // namespace continuo::session
