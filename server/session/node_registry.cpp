#include "server/session/node_registry.hpp"

#include <algorithm>

#include "server/session/type_tables.hpp"

namespace continuo::session {
namespace {

std::vector<TypeSpec> make_types() {
  std::vector<TypeSpec> types;
  add_tree_types(types);
  add_source_types(types);
  add_processor_types(types);
  add_dynamics_types(types);
  add_time_types(types);
  add_convolution_types(types);
  add_sink_types(types);
  std::sort(types.begin(), types.end(), [](const TypeSpec& a, const TypeSpec& b) { return a.name < b.name; });
  return types;
}

}  // namespace

ParamSpec gain_db_spec(int rt_index, double default_db) {
  return {.name = "gain_db",
          .kind = ParamKind::number,
          .min = -150.0,
          .max = 24.0,
          .default_value = default_db,
          .scale = ParamScale::decibel,
          .smoothing_ms = kSmoothingMs,
          .unit = "dB",
          .description = "Level; -150 is silence.",
          .rt_index = rt_index};
}

ParamSpec pan_spec(int rt_index) {
  return {.name = "pan",
          .kind = ParamKind::number,
          .min = -1.0,
          .max = 1.0,
          .default_value = 0.0,
          .smoothing_ms = kSmoothingMs,
          .description = "-1 is left, 1 is right; a balance where the signal has two channels.",
          .rt_index = rt_index};
}

ParamSpec switch_spec(std::string_view name, bool default_value, std::string_view description, int rt_index) {
  return {.name = name,
          .kind = ParamKind::boolean,
          .default_value = default_value,
          .smoothing_ms = kSmoothingMs,
          .description = description,
          .rt_index = rt_index};
}

ParamSpec bypass_spec(int rt_index) {
  return switch_spec("bypass", false, "The sound passes untouched, as late as before.", rt_index);
}

ParamSpec number_spec(ParamSpec spec) {
  spec.kind = ParamKind::number;
  spec.smoothing_ms = kSmoothingMs;
  return spec;
}

ParamSpec channels_spec(double min, double default_value, std::string_view description) {
  return {.name = "channels",
          .kind = ParamKind::integer,
          .min = min,
          .max = 64.0,
          .default_value = default_value,
          .structural = true,
          .description = description};
}

const ParamSpec* TypeSpec::find(std::string_view param) const {
  const auto found =
      std::find_if(params.begin(), params.end(), [&](const ParamSpec& spec) { return spec.name == param; });
  return found == params.end() ? nullptr : &*found;
}

std::span<const TypeSpec> node_types() {
  static const std::vector<TypeSpec> types = make_types();
  return types;
}

const TypeSpec* find_type(std::string_view name) {
  const std::span<const TypeSpec> types = node_types();
  const auto found = std::lower_bound(types.begin(), types.end(), name,
                                      [](const TypeSpec& type, std::string_view wanted) { return type.name < wanted; });
  return found == types.end() || found->name != name ? nullptr : &*found;
}

}  // namespace continuo::session
