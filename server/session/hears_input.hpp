// THREAD: any, one at a time - whether a node of the graph hears the device's inputs and nothing else
#pragma once

#include <cstdint>

#include "server/session/flat_graph.hpp"

namespace continuo::session {

/// What comes to node `index` comes from the device's inputs, and from no player or generator. Keys of detectors, and
/// what fades out, do not count.
[[nodiscard]] bool hears_input(const FlatGraph& graph, std::uint32_t index);

}  // namespace continuo::session
