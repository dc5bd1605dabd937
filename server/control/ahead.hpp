// THREAD: control - which streams a transaction will need, before anything of it is done
#pragma once

#include <vector>

#include "server/control/delivery.hpp"
#include "server/control/graph.hpp"
#include "server/control/sources.hpp"
#include "server/control/transport.hpp"

namespace continuo::control {

/// As far as can be told without a compile: what is not told here is opened when it is delivered. `delta` is that of a
/// document `after`, `media` what is known of its files.
[[nodiscard]] std::vector<StreamKey> streams_ahead(const session::Document& after, const Delta& delta,
                                                   const session::MediaTable& media, const std::string& base,
                                                   const Graph& graph, const Sources& sources,
                                                   const Transport& transport);

}  // namespace continuo::control
