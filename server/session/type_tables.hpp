// THREAD: any - the tables that node_registry.cpp joins: one a group of types
#pragma once

#include <string>
#include <vector>

#include "server/session/node_registry.hpp"

namespace continuo::session {

/// Each appends its types.
void add_tree_types(std::vector<TypeSpec>& types);       // container, track, bus, in, out
void add_source_types(std::vector<TypeSpec>& types);     // player, oscillator, noise
void add_processor_types(std::vector<TypeSpec>& types);  // gain, pan
void add_sink_types(std::vector<TypeSpec>& types);       // meter, recorder

/// How long a continuous parameter takes to its new value where the client names no ramp.
inline constexpr double kSmoothingMs = 20.0;

/// Parameters that several types share. `rt_index` is the type's own.
[[nodiscard]] ParamSpec gain_db_spec(int rt_index, double default_db = 0.0);
[[nodiscard]] ParamSpec pan_spec(int rt_index);
[[nodiscard]] ParamSpec channels_spec(double min, double default_value, std::string_view description);

}  // namespace continuo::session
