#include "server/session/flat_graph.hpp"

namespace continuo::session {

std::vector<std::uint32_t> topological_order(const FlatGraph& graph) {
  const std::size_t count = graph.nodes.size();
  // Who is fed by whom, as one list cut into pieces: begins[i] to begins[i + 1].
  std::vector<std::uint32_t> begins(count + 1);
  std::vector<std::uint32_t> waiting(count);
  for (std::size_t i = 0; i < count; ++i) {
    waiting[i] = static_cast<std::uint32_t>(graph.nodes[i].feeds.size());
    for (const Feed& feed : graph.nodes[i].feeds) ++begins[feed.source + 1];
  }
  for (std::size_t i = 0; i < count; ++i) begins[i + 1] += begins[i];
  std::vector<std::uint32_t> fed(begins[count]);
  std::vector<std::uint32_t> filled(begins.begin(), begins.end() - 1);
  for (std::size_t i = 0; i < count; ++i) {
    for (const Feed& feed : graph.nodes[i].feeds) fed[filled[feed.source]++] = static_cast<std::uint32_t>(i);
  }
  std::vector<std::uint32_t> order;
  order.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (waiting[i] == 0) order.push_back(static_cast<std::uint32_t>(i));
  }
  for (std::size_t next = 0; next < order.size(); ++next) {
    const std::uint32_t at = order[next];
    for (std::uint32_t k = begins[at]; k < begins[at + 1]; ++k) {
      if (--waiting[fed[k]] == 0) order.push_back(fed[k]);
    }
  }
  return order;
}

}  // namespace continuo::session
