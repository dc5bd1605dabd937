// THREAD: any - the tables that node_registry.cpp joins: one a group of types
#pragma once

#include <string>
#include <vector>

#include "server/session/node_registry.hpp"

namespace continuo::session {

/// Each appends its types.
void add_tree_types(std::vector<TypeSpec>& types);       // container, track, bus, in, out
void add_source_types(std::vector<TypeSpec>& types);     // player, oscillator, noise
void add_processor_types(std::vector<TypeSpec>& types);  // gain, pan, eq
void add_dynamics_types(std::vector<TypeSpec>& types);   // compressor, ...
void add_time_types(std::vector<TypeSpec>& types);       // delay, feedback, matrix, reverb
void add_convolution_types(std::vector<TypeSpec>& types);
void add_sink_types(std::vector<TypeSpec>& types);  // meter, recorder

/// How long a continuous parameter takes to its new value where the client names no ramp.
inline constexpr double kSmoothingMs = 20.0;

/// Parameters that several types share. `rt_index` is the type's own.
[[nodiscard]] ParamSpec gain_db_spec(int rt_index, double default_db = 0.0);
[[nodiscard]] ParamSpec pan_spec(int rt_index);
/// The same for every processor: it lets its input pass, as late as before.
[[nodiscard]] ParamSpec bypass_spec(int rt_index);
[[nodiscard]] ParamSpec switch_spec(std::string_view name, bool default_value, std::string_view description,
                                    int rt_index);
/// `spec`, a number that is smoothed over kSmoothingMs.
[[nodiscard]] ParamSpec number_spec(ParamSpec spec);
[[nodiscard]] ParamSpec channels_spec(double min, double default_value, std::string_view description);

}  // namespace continuo::session
