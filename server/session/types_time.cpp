#include <deque>
#include <string>

#include "rt/nodes/delay.hpp"
#include "rt/nodes/matrix.hpp"
#include "rt/nodes/reverb.hpp"
#include "server/session/type_tables.hpp"

namespace continuo::session {
namespace {

ParamSpec level_spec(std::string_view name, std::string_view description, double default_db, int rt_index) {
  ParamSpec spec = gain_db_spec(rt_index, default_db);
  spec.name = name;
  spec.description = description;
  return spec;
}

TypeSpec delay() {
  using P = rt::DelayParam;
  TypeSpec type{.name = "delay", .description = "Echoes, exact to the sample.", .role = TypeRole::processor};
  type.params = {// Not smoothed: the sound moves from the old time to the new without a glide.
                 {.name = "time_ms",
                  .min = 0.0,
                  .max = 10000.0,
                  .default_value = 250.0,
                  .unit = "ms",
                  .description = "How late; at most max_ms.",
                  .rt_index = P::time_ms},
                 number_spec({.name = "feedback",
                              .min = -0.95,
                              .max = 0.95,
                              .default_value = 0.0,
                              .description = "Of what comes out, how much goes in again.",
                              .rt_index = P::feedback}),
                 level_spec("dry_db", "The sound as it came; -150 is silence.", 0.0, P::dry_db),
                 level_spec("wet_db", "The echoes; -150 is silence.", -6.0, P::wet_db),
                 {.name = "max_ms",
                  .min = 1.0,
                  .max = 10000.0,
                  .default_value = 2000.0,
                  .structural = true,
                  .unit = "ms",
                  .description = "How much it remembers."},
                 bypass_spec(P::bypass)};
  return type;
}

TypeSpec feedback() {
  TypeSpec type{.name = kFeedbackType,
                .description =
                    "Closes a circle: what comes in goes out again later, at the place where the session "
                    "connects it. Outside of tracks and buses.",
                .role = TypeRole::feedback};
  type.params = {{.name = "time_ms",
                  .min = 1.0,
                  .max = 10000.0,
                  .default_value = 20.0,
                  .structural = true,
                  .unit = "ms",
                  .description = "How late; 256 frames at least. What delay compensation costs on the way to it adds."},
                 channels_spec(1, 2, "How many channels.")};
  return type;
}

TypeSpec matrix() {
  TypeSpec type{.name = "matrix",
                .description = "Every output a sum of the inputs: \"gain.2_1\" is of output 2 from input 1.",
                .role = TypeRole::processor};
  ParamSpec channels = channels_spec(1, 2, "How many outputs.");
  channels.max = rt::kMatrixChannels;
  type.params.push_back(channels);
  static std::deque<std::string> names;  // the specs only look at them
  for (std::uint32_t o = 0; o < rt::kMatrixChannels; ++o) {
    for (std::uint32_t i = 0; i < rt::kMatrixChannels; ++i) {
      const std::string& name = names.emplace_back("gain." + std::to_string(o + 1) + "_" + std::to_string(i + 1));
      type.params.push_back(number_spec({.name = name,
                                         .min = -4.0,
                                         .max = 4.0,
                                         .default_value = o == i ? 1.0 : 0.0,
                                         .description = "Factor of an input in an output; below 0 it is turned over.",
                                         .rt_index = rt::MatrixParam::gain(o, i)}));
    }
  }
  type.params.push_back(bypass_spec(rt::MatrixParam::bypass));
  return type;
}

TypeSpec reverb() {
  using P = rt::ReverbParam;
  TypeSpec type{
      .name = "reverb", .description = "A room, computed; one channel becomes two.", .role = TypeRole::processor};
  type.params = {number_spec({.name = "decay_s",
                              .min = 0.1,
                              .max = 20.0,
                              .default_value = 2.0,
                              .scale = ParamScale::logarithmic,
                              .unit = "s",
                              .description = "To -60 dB, at low frequencies.",
                              .rt_index = P::decay_s}),
                 number_spec({.name = "hf_ratio",
                              .min = 0.05,
                              .max = 1.0,
                              .default_value = 0.4,
                              .scale = ParamScale::logarithmic,
                              .description = "Decay at the highest frequencies, in parts of decay_s.",
                              .rt_index = P::hf_ratio}),
                 level_spec("dry_db", "The sound as it came; -150 is silence.", 0.0, P::dry_db),
                 level_spec("wet_db", "The room; -150 is silence.", -12.0, P::wet_db),
                 {.name = "predelay_ms",
                  .min = 0.0,
                  .max = 500.0,
                  .default_value = 10.0,
                  .structural = true,
                  .unit = "ms",
                  .description = "Before the room answers."},
                 {.name = "size",
                  .min = 0.25,
                  .max = 4.0,
                  .default_value = 1.0,
                  .scale = ParamScale::logarithmic,
                  .structural = true,
                  .description = "Of the room."},
                 bypass_spec(P::bypass)};
  return type;
}

}  // namespace

void add_time_types(std::vector<TypeSpec>& types) {
  types.push_back(delay());
  types.push_back(feedback());
  types.push_back(matrix());
  types.push_back(reverb());
}

}  // namespace continuo::session
