// THREAD: control - where each player is: of one instant, whatever is under way
#pragma once

#include "continuo/v1/system.pb.h"
#include "server/control/graph.hpp"
#include "server/control/sources.hpp"
#include "server/control/transport.hpp"

namespace continuo::control {

/// Free players, and those with a queue. The strand alone says what is asked of a player, and the clock is read once:
/// so no report has a position beyond its duration, or an item that the position does not lie in.
void report_players(const Graph& graph, const Sources& sources, const Transport& transport, v1::GetStatusResponse& out);

}  // namespace continuo::control
