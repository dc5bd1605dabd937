// THREAD: any, one at a time - which feeds of a node were there in the graph before
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "server/session/flat_graph.hpp"

namespace continuo::session {

/// Which nodes of two graphs bear the same key.
struct Twins {
  Twins(const FlatGraph& before, const FlatGraph& now);

  std::vector<std::optional<std::uint32_t>> place;  // by index before: index now
  std::vector<std::optional<std::uint32_t>> twin;   // by index now: index before
};

inline constexpr std::size_t kNoFeed = std::numeric_limits<std::size_t>::max();

/// By the index of a feed of `now`: the one of `old`, the same node in the graph before, that it goes on from; kNoFeed
/// where it is new. Another source, connection, gain, delay or other channels make another feed; what dies is none.
[[nodiscard]] std::vector<std::size_t> match_feeds(const FlatNode& old, const FlatNode& now,
                                                   const std::vector<std::optional<std::uint32_t>>& place);

}  // namespace continuo::session
