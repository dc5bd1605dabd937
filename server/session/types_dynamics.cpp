#include "rt/nodes/compressor.hpp"
#include "rt/nodes/gate.hpp"
#include "rt/nodes/limiter.hpp"
#include "server/session/type_tables.hpp"

namespace continuo::session {
namespace {

TypeSpec compressor() {
  using P = rt::CompressorParam;
  TypeSpec type{.name = "compressor",
                .description = "Makes what is above the threshold softer; channels are linked. Port \"sidechain\".",
                .role = TypeRole::processor};
  type.params = {number_spec({.name = "threshold_db",
                              .min = -100.0,
                              .max = 0.0,
                              .default_value = -20.0,
                              .scale = ParamScale::decibel,
                              .unit = "dB",
                              .description = "Middle of the knee.",
                              .rt_index = P::threshold_db}),
                 number_spec({.name = "ratio",
                              .min = 1.0,
                              .max = 100.0,
                              .default_value = 4.0,
                              .scale = ParamScale::logarithmic,
                              .description = "dB in for one dB out, above the knee.",
                              .rt_index = P::ratio}),
                 number_spec({.name = "knee_db",
                              .min = 0.0,
                              .max = 40.0,
                              .default_value = 6.0,
                              .scale = ParamScale::decibel,
                              .unit = "dB",
                              .description = "Whole width of the knee.",
                              .rt_index = P::knee_db}),
                 number_spec({.name = "attack_ms",
                              .min = 0.0,
                              .max = 1000.0,
                              .default_value = 10.0,
                              .unit = "ms",
                              .description = "To 63 % of more gain reduction.",
                              .rt_index = P::attack_ms}),
                 number_spec({.name = "release_ms",
                              .min = 0.0,
                              .max = 10000.0,
                              .default_value = 100.0,
                              .unit = "ms",
                              .description = "To 63 % of less.",
                              .rt_index = P::release_ms}),
                 number_spec({.name = "makeup_db",
                              .min = -40.0,
                              .max = 40.0,
                              .default_value = 0.0,
                              .scale = ParamScale::decibel,
                              .unit = "dB",
                              .description = "Level behind it.",
                              .rt_index = P::makeup_db}),
                 {.name = "detector",
                  .kind = ParamKind::choice,
                  .default_value = std::string("peak"),
                  .description = "What it measures.",
                  .choices = {"peak", "rms"},
                  .rt_index = P::detector},
                 number_spec({.name = "rms_ms",
                              .min = 0.1,
                              .max = 1000.0,
                              .default_value = 10.0,
                              .unit = "ms",
                              .description = "Of the rms detector.",
                              .rt_index = P::rms_ms}),
                 {.name = "lookahead_ms",
                  .kind = ParamKind::number,
                  .min = 0.0,
                  .max = 50.0,
                  .default_value = 0.0,
                  .structural = true,
                  .unit = "ms",
                  .description = "How far it sees ahead; all of it is latency."},
                 bypass_spec(P::bypass)};
  return type;
}

TypeSpec gate() {
  using P = rt::GateParam;
  TypeSpec type{.name = "gate",
                .description =
                    "Makes what is below the threshold softer; it begins closed; channels are linked. Port "
                    "\"sidechain\".",
                .role = TypeRole::processor};
  type.params = {number_spec({.name = "threshold_db",
                              .min = -120.0,
                              .max = 0.0,
                              .default_value = -50.0,
                              .scale = ParamScale::decibel,
                              .unit = "dB",
                              .description = "Where it opens.",
                              .rt_index = P::threshold_db}),
                 number_spec({.name = "ratio",
                              .min = 1.0,
                              .max = 100.0,
                              .default_value = 100.0,
                              .scale = ParamScale::logarithmic,
                              .description = "dB out for one dB in, below the threshold; 2 expands, 100 is a gate.",
                              .rt_index = P::ratio}),
                 number_spec({.name = "range_db",
                              .min = 0.0,
                              .max = 120.0,
                              .default_value = 80.0,
                              .scale = ParamScale::decibel,
                              .unit = "dB",
                              .description = "The most that it takes away.",
                              .rt_index = P::range_db}),
                 number_spec({.name = "hysteresis_db",
                              .min = 0.0,
                              .max = 40.0,
                              .default_value = 3.0,
                              .scale = ParamScale::decibel,
                              .unit = "dB",
                              .description = "How far below the threshold the level falls before it closes.",
                              .rt_index = P::hysteresis_db}),
                 number_spec({.name = "attack_ms",
                              .min = 0.0,
                              .max = 1000.0,
                              .default_value = 1.0,
                              .unit = "ms",
                              .description = "To 63 % of opening.",
                              .rt_index = P::attack_ms}),
                 number_spec({.name = "hold_ms",
                              .min = 0.0,
                              .max = 10000.0,
                              .default_value = 20.0,
                              .unit = "ms",
                              .description = "How long it stays open after the last loud sample.",
                              .rt_index = P::hold_ms}),
                 number_spec({.name = "release_ms",
                              .min = 0.0,
                              .max = 10000.0,
                              .default_value = 100.0,
                              .unit = "ms",
                              .description = "To 63 % of closing.",
                              .rt_index = P::release_ms}),
                 bypass_spec(P::bypass)};
  return type;
}

TypeSpec limiter() {
  using P = rt::LimiterParam;
  TypeSpec type{.name = "limiter",
                .description = "Keeps the true peak below the ceiling; channels are linked.",
                .role = TypeRole::processor};
  type.params = {number_spec({.name = "ceiling_db",
                              .min = -30.0,
                              .max = 0.0,
                              .default_value = -1.0,
                              .scale = ParamScale::decibel,
                              .unit = "dB",
                              .description = "What nothing exceeds, between the samples too.",
                              .rt_index = P::ceiling_db}),
                 number_spec({.name = "release_ms",
                              .min = 1.0,
                              .max = 10000.0,
                              .default_value = 100.0,
                              .unit = "ms",
                              .description = "To 63 % of the way back.",
                              .rt_index = P::release_ms}),
                 {.name = "lookahead_ms",
                  .kind = ParamKind::number,
                  .min = 0.5,
                  .max = 20.0,
                  .default_value = 5.0,
                  .structural = true,
                  .unit = "ms",
                  .description = "How long the gain takes down; it and the detector's frames are latency."},
                 bypass_spec(P::bypass)};
  return type;
}

}  // namespace

void add_dynamics_types(std::vector<TypeSpec>& types) {
  types.push_back(compressor());
  types.push_back(gate());
  types.push_back(limiter());
}

}  // namespace continuo::session
