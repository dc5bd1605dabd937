#include "rt/nodes/generator.hpp"
#include "rt/nodes/player.hpp"
#include "rt/nodes/sweep.hpp"
#include "server/session/type_tables.hpp"

namespace continuo::session {
namespace {

TypeSpec player() {
  TypeSpec type{.name = "player", .description = "Plays a file, or a queue.", .role = TypeRole::source};
  type.params.push_back({.name = "file",
                         .kind = ParamKind::file,
                         .default_value = std::string(),
                         .structural = true,
                         .description = "\"root:relative/path\", or relative to the session; empty: silence."});
  type.params.push_back({.name = "mode",
                         .kind = ParamKind::choice,
                         .default_value = std::string("timeline"),
                         .structural = true,
                         .description = "Chases the timeline, or has a transport of its own.",
                         .choices = {"timeline", "free"}});
  type.params.push_back({.name = "start_s",
                         .kind = ParamKind::number,
                         .min = 0.0,
                         .max = 1e6,
                         .default_value = 0.0,
                         .structural = true,
                         .unit = "s",
                         .description = "Where the file begins on the timeline."});
  type.params.push_back({.name = "loop",
                         .kind = ParamKind::boolean,
                         .default_value = false,
                         .structural = true,
                         .description = "Begins again at the end of the file, or of the whole queue."});
  type.params.push_back(gain_db_spec(rt::PlayerParam::gain_db));
  return type;
}

TypeSpec oscillator() {
  TypeSpec type{.name = "oscillator", .description = "A tone; every channel the same.", .role = TypeRole::source};
  type.params.push_back({.name = "frequency_hz",
                         .kind = ParamKind::number,
                         .min = 0.1,
                         .max = 20000.0,
                         .default_value = 440.0,
                         .smoothing_ms = kSmoothingMs,
                         .unit = "Hz",
                         .description = "Pitch.",
                         .rt_index = rt::OscillatorParam::frequency_hz});
  type.params.push_back(gain_db_spec(rt::OscillatorParam::gain_db, -20.0));
  type.params.push_back({.name = "waveform",
                         .kind = ParamKind::choice,
                         .default_value = std::string("sine"),
                         .description = "All but the sine are band-limited.",
                         .choices = {"sine", "triangle", "square", "saw"},
                         .rt_index = rt::OscillatorParam::waveform});
  type.params.push_back(channels_spec(1, 1, "How many channels."));
  return type;
}

TypeSpec noise() {
  return {.name = "noise",
          .description = "White noise, different on each channel, the same on every run.",
          .role = TypeRole::source,
          .params = {gain_db_spec(rt::NoiseParam::gain_db, -20.0), channels_spec(1, 1, "How many channels.")}};
}

TypeSpec sweep() {
  TypeSpec type{.name = "sweep",
                .description = "Exponential sine sweep from the timeline's beginning on; every channel the same.",
                .role = TypeRole::source};
  const auto fixed = [&](ParamSpec spec) {
    spec.structural = true;
    type.params.push_back(spec);
  };
  fixed({.name = "start_hz",
         .min = 1.0,
         .max = 100000.0,
         .default_value = 20.0,
         .scale = ParamScale::logarithmic,
         .unit = "Hz",
         .description = "Pitch at the beginning."});
  fixed({.name = "end_hz",
         .min = 1.0,
         .max = 100000.0,
         .default_value = 20000.0,
         .scale = ParamScale::logarithmic,
         .unit = "Hz",
         .description = "Pitch at the end; silent above half the rate."});
  fixed({.name = "duration_s",
         .min = 0.01,
         .max = 600.0,
         .default_value = 5.0,
         .unit = "s",
         .description = "Of one sweep."});
  fixed({.name = "gap_s",
         .min = 0.0,
         .max = 600.0,
         .default_value = 1.0,
         .unit = "s",
         .description = "Silence before it begins again."});
  fixed({.name = "repeat",
         .kind = ParamKind::boolean,
         .default_value = false,
         .description = "Begins again after the gap."});
  type.params.push_back(gain_db_spec(rt::SweepParam::gain_db, -20.0));
  type.params.push_back(channels_spec(1, 1, "How many channels."));
  return type;
}

}  // namespace

void add_source_types(std::vector<TypeSpec>& types) {
  types.push_back(player());
  types.push_back(oscillator());
  types.push_back(noise());
  types.push_back(sweep());
}

}  // namespace continuo::session
