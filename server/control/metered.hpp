// THREAD: control - the meter that a request names, or why there is none
#pragma once

#include <string>

#include "server/base/result.hpp"
#include "server/control/graph.hpp"
#include "server/session/names.hpp"

namespace continuo::control {

/// NOT_FOUND, UNKNOWN_NODE; FAILED_PRECONDITION, NO_METER.
[[nodiscard]] inline Result<const session::CompiledMeter*> find_meter(const Graph& graph, const std::string& path,
                                                                      const std::string& field) {
  if (const session::CompiledMeter* const found = graph.meter(path)) return found;
  if (session::find_node(*graph.document(), path) == nullptr)
    return make_error(ErrorKind::not_found, "UNKNOWN_NODE", field, "there is no node " + session::quoted(path));
  return make_error(ErrorKind::failed_precondition, "NO_METER", field,
                    session::quoted(path) + " holds nodes and has no sound of its own: ask for those in it");
}

}  // namespace continuo::control
