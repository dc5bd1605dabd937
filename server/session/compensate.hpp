// THREAD: any, one at a time - delay compensation: every sum's inputs are equally late
#pragma once

#include <cstdint>

#include "server/session/flat_graph.hpp"

namespace continuo::session {

/// Writes Feed::delay of a graph fresh from expand(), which has no circle: at every node each feed is delayed to the
/// latest of them, keys of detectors included; the sound of a node with lookahead is delayed by that much more. Returns
/// how late the sound arrives at the device's output, in frames: what a render leaves out at its beginning.
std::uint32_t compensate(FlatGraph& graph);

/// How long after the plan is taken all that is new in it has filled: the latencies, delay lines and starts of what
/// `is_fresh` on the longest way to a feed that is about to rise. The fades wait for it.
template <class IsFresh>
[[nodiscard]] std::uint32_t fill_frames(const FlatGraph& graph, IsFresh&& is_fresh) {
  std::vector<std::uint32_t> full(graph.nodes.size());
  std::uint32_t wait = 0;
  for (const std::uint32_t i : topological_order(graph)) {
    const FlatNode& node = graph.nodes[i];
    const bool fresh = is_fresh(i);
    std::uint32_t inputs = 0;
    for (const Feed& feed : node.feeds) {
      const bool filling = fresh || feed.is_new;
      inputs = std::max(inputs, full[feed.source] + (filling ? feed.delay : 0));
      if (!fresh && feed.is_new && feed.state == FeedState::rising)
        wait = std::max(wait, full[feed.source] + feed.delay);
    }
    full[i] = fresh ? inputs + node.latency_frames - node.lookahead_frames + node.settle_frames : 0;
  }
  return wait;
}

}  // namespace continuo::session
