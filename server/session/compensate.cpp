#include "server/session/compensate.hpp"

#include <algorithm>

namespace continuo::session {

std::uint32_t compensate(FlatGraph& graph) {
  std::vector<std::uint32_t> late(graph.nodes.size());  // at a node's output
  std::uint32_t at_device = 0;
  for (const std::uint32_t i : topological_order(graph)) {
    FlatNode& node = graph.nodes[i];
    std::uint32_t latest = 0;
    for (const Feed& feed : node.feeds) latest = std::max(latest, late[feed.source]);
    for (Feed& feed : node.feeds) feed.delay = latest - late[feed.source] + (feed.is_key ? 0 : node.lookahead_frames);
    node.arrival_frames = latest + node.lookahead_frames;
    late[i] = latest + node.latency_frames;
    if (node.key.role == FlatRole::device_out) at_device = latest;
  }
  return at_device;
}

}  // namespace continuo::session
