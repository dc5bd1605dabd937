// THREAD: any, one at a time - delay compensation: every sum's inputs are equally late
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "server/session/flat_graph.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::session {

/// Writes Feed::delay and FlatNode::arrival_frames of a graph fresh from expand(), which has no circle: at every node
/// each feed is delayed to the latest of them, keys of detectors included; the sound of a node with lookahead is
/// delayed by that much more. Returns how late the sound arrives at the device's output, in frames: what a render
/// leaves out at its beginning.
std::uint32_t compensate(FlatGraph& graph);

/// How long after the plan is taken all that is new in it has filled: the latencies, delay lines, starts and rises of
/// what `is_fresh` on the longest way to a feed that is about to rise into what was there. The fades wait for it. Rises
/// into what is fresh itself wait only for what comes before them: Feed::wait_frames.
template <class IsFresh>
[[nodiscard]] std::uint32_t fill_frames(FlatGraph& graph, IsFresh&& is_fresh) {
  std::vector<std::uint32_t> full(graph.nodes.size());
  std::uint32_t wait = 0;
  for (const std::uint32_t i : topological_order(graph)) {
    FlatNode& node = graph.nodes[i];
    const bool fresh = is_fresh(i);
    std::uint32_t inputs = 0;
    for (Feed& feed : node.feeds) {
      const bool rises = feed.is_new && feed.state == FeedState::rising;
      std::uint32_t filled = full[feed.source] + (fresh || feed.is_new ? feed.delay : 0);
      if (rises && !fresh) wait = std::max(wait, filled);
      if (rises && fresh) {
        feed.wait_frames = filled;
        filled += kEditFadeFrames;
      }
      inputs = std::max(inputs, filled);
    }
    full[i] = fresh ? inputs + node.latency_frames - node.lookahead_frames + node.settle_frames : 0;
  }
  return wait;
}

}  // namespace continuo::session
