#include "server/session/hears_input.hpp"

#include <vector>

namespace continuo::session {

bool hears_input(const FlatGraph& graph, std::uint32_t index) {
  std::vector<bool> seen(graph.nodes.size());
  std::vector<std::uint32_t> open{index};
  bool input = false;
  while (!open.empty()) {
    const std::uint32_t i = open.back();
    open.pop_back();
    if (seen[i]) continue;
    seen[i] = true;
    const FlatNode& node = graph.nodes[i];
    if (node.key.role == FlatRole::player || node.key.role == FlatRole::generator) return false;
    input = input || node.key.role == FlatRole::device_in;
    for (const Feed& feed : node.feeds) {
      if (!feed.is_key && feed.state != FeedState::dying) open.push_back(feed.source);
    }
  }
  return input;
}

}  // namespace continuo::session
