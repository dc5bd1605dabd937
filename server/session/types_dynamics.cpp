#include "rt/nodes/compressor.hpp"
#include "server/session/type_tables.hpp"

namespace continuo::session {
namespace {

TypeSpec compressor() {
  using P = rt::CompressorParam;
  TypeSpec type{.name = "compressor",
                .description = "Makes what is above the threshold softer; channels are linked. Port \"sidechain\".",
                .role = TypeRole::processor};
  type.params = {
      number_spec({.name = "threshold_db", .min = -100.0, .max = 0.0, .default_value = -20.0,
                   .scale = ParamScale::decibel, .unit = "dB", .description = "Middle of the knee.",
                   .rt_index = P::threshold_db}),
      number_spec({.name = "ratio", .min = 1.0, .max = 100.0, .default_value = 4.0, .scale = ParamScale::logarithmic,
                   .description = "dB in for one dB out, above the knee.", .rt_index = P::ratio}),
      number_spec({.name = "knee_db", .min = 0.0, .max = 40.0, .default_value = 6.0, .scale = ParamScale::decibel,
                   .unit = "dB", .description = "Whole width of the knee.", .rt_index = P::knee_db}),
      number_spec({.name = "attack_ms", .min = 0.0, .max = 1000.0, .default_value = 10.0, .unit = "ms",
                   .description = "To 63 % of more gain reduction.", .rt_index = P::attack_ms}),
      number_spec({.name = "release_ms", .min = 0.0, .max = 10000.0, .default_value = 100.0, .unit = "ms",
                   .description = "To 63 % of less.", .rt_index = P::release_ms}),
      number_spec({.name = "makeup_db", .min = -40.0, .max = 40.0, .default_value = 0.0,
                   .scale = ParamScale::decibel, .unit = "dB", .description = "Level behind it.",
                   .rt_index = P::makeup_db}),
      {.name = "detector", .kind = ParamKind::choice, .default_value = std::string("peak"),
       .description = "What it measures.", .choices = {"peak", "rms"}, .rt_index = P::detector},
      number_spec({.name = "rms_ms", .min = 0.1, .max = 1000.0, .default_value = 10.0, .unit = "ms",
                   .description = "Of the rms detector.", .rt_index = P::rms_ms}),
      {.name = "lookahead_ms", .kind = ParamKind::number, .min = 0.0, .max = 50.0, .default_value = 0.0,
       .structural = true, .unit = "ms", .description = "How far it sees ahead; all of it is latency."},
      bypass_spec(P::bypass)};
  return type;
}

}  // namespace

void add_dynamics_types(std::vector<TypeSpec>& types) { types.push_back(compressor()); }

}  // namespace continuo::session
