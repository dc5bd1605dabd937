#include "rt/nodes/generator.hpp"
#include "rt/nodes/player.hpp"
#include "server/session/type_tables.hpp"

namespace continuo::session {
namespace {

TypeSpec player() {
  TypeSpec type{.name = "player", .description = "Plays a file.", .role = TypeRole::source};
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
                         .description = "Begins again at the end of the file."});
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

}  // namespace

void add_source_types(std::vector<TypeSpec>& types) {
  types.push_back(player());
  types.push_back(oscillator());
  types.push_back(noise());
}

}  // namespace continuo::session
