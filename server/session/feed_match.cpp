#include "server/session/feed_match.hpp"

#include <unordered_map>

namespace continuo::session {

Twins::Twins(const FlatGraph& before, const FlatGraph& now) : place(before.nodes.size()), twin(now.nodes.size()) {
  std::unordered_map<FlatKey, std::uint32_t, FlatKeyHash> old;
  old.reserve(before.nodes.size());
  for (std::uint32_t i = 0; i < before.nodes.size(); ++i) old.emplace(before.nodes[i].key, i);
  for (std::uint32_t i = 0; i < now.nodes.size(); ++i) {
    const auto found = old.find(now.nodes[i].key);
    if (found == old.end()) continue;
    twin[i] = found->second;
    place[found->second] = i;
  }
}

std::vector<std::size_t> match_feeds(const FlatNode& old, const FlatNode& now,
                                     const std::vector<std::optional<std::uint32_t>>& place) {
  std::vector<std::size_t> matches(now.feeds.size(), kNoFeed);
  std::vector<bool> kept(old.feeds.size(), false);
  std::size_t likely = 0;  // most edits leave the order as it was
  for (std::size_t i = 0; i < now.feeds.size(); ++i) {
    const Feed& feed = now.feeds[i];
    for (std::size_t n = 0; n < old.feeds.size(); ++n) {
      const std::size_t k = (likely + n) % old.feeds.size();
      const Feed& other = old.feeds[k];
      if (kept[k] || other.state == FeedState::dying || other.connection != feed.connection) continue;
      if (place[other.source] != feed.source || other.links != feed.links || other.factor != feed.factor ||
          other.is_key != feed.is_key || other.delay != feed.delay)
        continue;
      kept[k] = true;
      likely = k + 1;
      matches[i] = k;
      break;
    }
  }
  return matches;
}

}  // namespace continuo::session
