#include "server/session/crossfade.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "server/session/compensate.hpp"
#include "server/session/feed_match.hpp"

namespace continuo::session {
namespace {

class Crossfade {
 public:
  Crossfade(const FlatGraph& before, FlatGraph& now, const FadeRequest& request)
      : Crossfade(before, now, request, Twins(before, now)) {}

  // Only what the document has: what dies has filled long ago.
  [[nodiscard]] bool is_fresh(std::uint32_t index) const { return index < twin_.size() && !twin_[index]; }

  // The rises into what was there, and the falls, all begin at once.
  void wait(std::uint32_t frames) {
    for (std::uint32_t i = 0; i < now_.nodes.size(); ++i) {
      for (Feed& feed : now_.nodes[i].feeds) {
        if (!is_fresh(i) || feed.state == FeedState::dying) feed.wait_frames = frames;
      }
    }
  }

  bool run() {
    const auto documented = static_cast<std::uint32_t>(now_.nodes.size());
    find_sounding();
    for (std::uint32_t i = 0; i < documented; ++i) {
      if (twin_[i])
        match(i, before_.nodes[*twin_[i]]);
      else if (now_.nodes[i].has_tail && !before_.nodes.empty())
        start(now_.nodes[i]);
    }
    // What feeds the dying, grown while it is walked.
    for (std::uint32_t i = documented; i < now_.nodes.size(); ++i) retain_feeds(i);
    if (fading_) widen(documented);
    return fading_;
  }

 private:
  // Which nodes may have sound at the moment the plan is taken. Others start later, from their first sample.
  void find_sounding() {
    std::vector<bool> sounded(before_.nodes.size());
    spread(before_, sounded, [&](std::uint32_t i) { return by_itself(before_.nodes[i], true); });
    sounding_.assign(now_.nodes.size(), false);
    spread(now_, sounding_, [&](std::uint32_t i) {
      return by_itself(now_.nodes[i], twin_[i].has_value()) || (twin_[i] && sounded[*twin_[i]]);
    });
  }

  [[nodiscard]] bool by_itself(const FlatNode& node, bool was_there) const {
    switch (node.sound) {
      case FlatNode::Sound::of_feeds:
        return false;
      case FlatNode::Sound::always:
        return true;
      case FlatNode::Sound::timeline:
        return request_.timeline_rolling;
      case FlatNode::Sound::own_clock:
        break;
    }
    return was_there;
  }

  template <class Own>
  static void spread(const FlatGraph& graph, std::vector<bool>& sounding, Own&& own) {
    for (const std::uint32_t i : topological_order(graph)) {
      const std::vector<Feed>& feeds = graph.nodes[i].feeds;
      sounding[i] =
          own(i) || std::any_of(feeds.begin(), feeds.end(), [&](const Feed& feed) { return sounding[feed.source]; });
    }
  }

  void match(std::uint32_t index, const FlatNode& old) {
    std::vector<bool> kept(old.feeds.size(), false);
    const std::vector<std::size_t> matches = match_feeds(old, now_.nodes[index], place_);
    for (std::size_t i = 0; i < matches.size(); ++i) {
      Feed& feed = now_.nodes[index].feeds[i];
      if (matches[i] != kNoFeed) {
        kept[matches[i]] = true;
        carry(old.feeds[matches[i]], feed);
      } else {
        begin(feed);
      }
    }
    for (std::size_t k = 0; k < old.feeds.size(); ++k) {
      if (!kept[k]) bury(index, old.feeds[k]);
    }
  }

  // Its memory would hold a sudden beginning for longer than any fade behind it.
  void start(FlatNode& fresh) {
    for (Feed& feed : fresh.feeds) begin(feed);
  }

  void begin(Feed& feed) {
    feed.is_new = true;
    feed.since = request_.plan;
    feed.state = sounding_[feed.source] && feed.factor != 0.0f ? FeedState::rising : FeedState::steady;
  }

  // A rise that is over needs its edge no more, unless for its factor.
  void carry(const Feed& old, Feed& feed) const {
    feed.state = old.state == FeedState::rising && old.since <= request_.faded_plan ? FeedState::steady : old.state;
    feed.since = old.since;
    feed.edge = old.edge;
    feed.line = old.line;
  }

  void bury(std::uint32_t index, const Feed& old) {
    const bool silent = old.state == FeedState::dying && old.since <= request_.faded_plan;
    if (silent || old.links.empty()) return;
    Feed feed = old;
    feed.is_new = false;
    if (feed.state != FeedState::dying) feed.since = request_.plan;
    feed.state = FeedState::dying;
    feed.source = keep(old.source);
    now_.nodes[index].feeds.push_back(std::move(feed));
    fading_ = true;
  }

  // Where a node of the graph before is in the one to be; it comes along if it has no place yet.
  std::uint32_t keep(std::uint32_t old) {
    if (place_[old]) return *place_[old];
    const auto at = static_cast<std::uint32_t>(now_.nodes.size());
    place_[old] = at;
    now_.nodes.push_back(before_.nodes[old]);
    now_.nodes.back().doc = nullptr;
    return at;
  }

  void retain_feeds(std::uint32_t index) {
    std::vector<Feed> feeds = std::move(now_.nodes[index].feeds);
    std::erase_if(
        feeds, [&](const Feed& feed) { return feed.state == FeedState::dying && feed.since <= request_.faded_plan; });
    for (Feed& feed : feeds) {
      feed.is_new = false;
      feed.source = keep(feed.source);
    }
    now_.nodes[index].feeds = std::move(feeds);
  }

  // What dies may come from, or go to, channels that the document no longer asks for.
  void widen(std::uint32_t documented) {
    for (std::uint32_t i = 0; i < documented; ++i) {
      if (!twin_[i]) continue;
      FlatNode& node = now_.nodes[i];
      node.in_count = std::max(node.in_count, before_.nodes[*twin_[i]].in_count);
      node.out_count = std::max(node.out_count, before_.nodes[*twin_[i]].out_count);
    }
  }

  Crossfade(const FlatGraph& before, FlatGraph& now, const FadeRequest& request, Twins twins)
      : before_(before), now_(now), request_(request), place_(std::move(twins.place)), twin_(std::move(twins.twin)) {}

  const FlatGraph& before_;
  FlatGraph& now_;
  const FadeRequest& request_;
  std::vector<std::optional<std::uint32_t>> place_;  // by index before: index now
  std::vector<std::optional<std::uint32_t>> twin_;   // by index now: index before
  std::vector<bool> sounding_;
  bool fading_ = false;
};

[[nodiscard]] bool reaches(const FlatGraph& graph, std::uint32_t from, std::uint32_t to) {
  std::vector<bool> seen(graph.nodes.size(), false);
  std::vector<std::uint32_t> todo{to};  // against the flow: feeds name their sources
  while (!todo.empty()) {
    const std::uint32_t at = todo.back();
    todo.pop_back();
    if (at == from) return true;
    if (seen[at]) continue;
    seen[at] = true;
    for (const Feed& feed : graph.nodes[at].feeds) todo.push_back(feed.source);
  }
  return false;
}

// Takes out every new feed on or behind a circle, and gives back, one by one, those that close none.
void break_circles(FlatGraph& graph) {
  const std::vector<std::uint32_t> order = topological_order(graph);
  if (order.size() == graph.nodes.size()) return;
  std::vector<bool> stuck(graph.nodes.size(), true);
  for (const std::uint32_t i : order) stuck[i] = false;
  struct Held {
    std::uint32_t node;
    std::vector<Feed> feeds;  // all of the node's, in order
  };
  std::vector<Held> held;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    std::vector<Feed>& feeds = graph.nodes[i].feeds;
    const auto is_new = [](const Feed& feed) { return feed.is_new; };
    if (!stuck[i] || std::none_of(feeds.begin(), feeds.end(), is_new)) continue;
    held.push_back({i, feeds});
    std::erase_if(feeds, is_new);
  }
  for (Held& node : held) {
    std::vector<Feed> accepted;
    for (Feed& feed : node.feeds) {
      if (!feed.is_new || !reaches(graph, node.node, feed.source)) {
        accepted.push_back(feed);
        if (feed.is_new) graph.nodes[node.node].feeds.push_back(feed);  // counts for those that follow
      }
    }
    graph.nodes[node.node].feeds = std::move(accepted);
  }
}

}  // namespace

Fading crossfade(const FlatGraph& before, FlatGraph& now, const FadeRequest& request) {
  if (!request.fade) return {};
  Crossfade fade(before, now, request);
  Fading result;
  result.fading = fade.run();
  if (result.fading) break_circles(now);
  result.wait_frames = fill_frames(now, [&](std::uint32_t i) { return fade.is_fresh(i); });
  fade.wait(result.wait_frames);
  return result;
}

}  // namespace continuo::session
