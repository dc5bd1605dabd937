// THREAD: any, one at a time - what goes from flat node to flat node, channel by channel
#pragma once

#include <cstdint>

#include "server/session/document.hpp"
#include "server/session/flat_graph.hpp"

namespace continuo::session {

/// Some neighbouring channels of a flat node.
struct Port {
  std::uint32_t node = 0;
  std::uint32_t first = 0;
  std::uint32_t width = 0;
};

/// What a connection brings from a port into a node of `width` channels: what neither has is left out.
[[nodiscard]] Feed connected(const DocConnection& connection, const Port& from, std::uint32_t width);

/// Channel by channel, at unity.
[[nodiscard]] Feed straight(const Port& from);

}  // namespace continuo::session
