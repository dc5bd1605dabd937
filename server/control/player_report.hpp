// THREAD: control - where each player is: of one instant, whatever is under way
#pragma once

#include "continuo/v1/system.pb.h"
#include "server/control/graph.hpp"
#include "server/control/transport.hpp"

namespace continuo::control {

/// Free players, and those with a queue: as the audio thread has published it (rt::PlaySlot), each at one instant.
void report_players(const Graph& graph, const Transport& transport, v1::GetStatusResponse& out);

}  // namespace continuo::control
