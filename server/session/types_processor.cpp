#include <array>
#include <deque>
#include <string>

#include "rt/nodes/equalizer.hpp"
#include "rt/nodes/gain.hpp"
#include "server/session/type_tables.hpp"

namespace continuo::session {
namespace {

/// Names of the bands, which the specs only look at.
std::string_view band_name(std::uint32_t band, std::string_view param) {
  static std::deque<std::string> names;
  return names.emplace_back("band" + std::to_string(band + 1) + "." + std::string(param));
}

TypeSpec eq() {
  TypeSpec type{.name = "eq",
                .description = "Parametric equaliser of 8 bands; a band that is \"off\" costs nothing.",
                .role = TypeRole::processor};
  constexpr std::array<double, rt::kEqBands> kFrequencies = {80, 200, 400, 1000, 2500, 5000, 10000, 16000};
  for (std::uint32_t b = 0; b < rt::kEqBands; ++b) {
    const int first = static_cast<int>(b * rt::EqParam::per_band);
    type.params.push_back({.name = band_name(b, "type"),
                           .kind = ParamKind::choice,
                           .default_value = std::string("off"),
                           .structural = true,
                           .description = "What the band does.",
                           .choices = {"off", "low_shelf", "high_shelf", "peak", "low_pass", "high_pass", "notch",
                                       "band_pass"}});
    type.params.push_back(number_spec({.name = band_name(b, "freq_hz"),
                                       .min = 10.0,
                                       .max = 40000.0,
                                       .default_value = kFrequencies[b],
                                       .scale = ParamScale::logarithmic,
                                       .unit = "Hz",
                                       .description = "Middle, corner or half-gain frequency.",
                                       .rt_index = first + rt::EqParam::freq_hz}));
    type.params.push_back(number_spec({.name = band_name(b, "gain_db"),
                                       .min = -30.0,
                                       .max = 30.0,
                                       .default_value = 0.0,
                                       .scale = ParamScale::decibel,
                                       .unit = "dB",
                                       .description = "Of shelves and peaks.",
                                       .rt_index = first + rt::EqParam::gain_db}));
    type.params.push_back(number_spec({.name = band_name(b, "q"),
                                       .min = 0.1,
                                       .max = 40.0,
                                       .default_value = 0.7071067811865476,
                                       .scale = ParamScale::logarithmic,
                                       .description = "Width of a peak, notch or band pass; edge of a shelf or pass.",
                                       .rt_index = first + rt::EqParam::q}));
    type.params.push_back({.name = band_name(b, "slope_db_per_oct"),
                           .kind = ParamKind::choice,
                           .default_value = std::string("12"),
                           .structural = true,
                           .unit = "dB/oct",
                           .description = "Of low and high pass.",
                           .choices = {"12", "24", "36", "48"}});
    type.params.push_back(switch_spec(band_name(b, "enabled"), true, "Off: the band lets everything pass.",
                                      first + rt::EqParam::enabled));
  }
  type.params.push_back(bypass_spec(rt::EqParam::bypass));
  return type;
}

}  // namespace

void add_processor_types(std::vector<TypeSpec>& types) {
  types.push_back({.name = "gain",
                   .description = "Louder or softer, every channel alike.",
                   .role = TypeRole::processor,
                   .params = {gain_db_spec(rt::GainParam::gain_db)}});
  types.push_back({.name = "pan",
                   .description = "Places one channel between two, or balances two; more than two pass unchanged.",
                   .role = TypeRole::processor,
                   .params = {pan_spec(rt::PanParam::pan)}});
  types.push_back(eq());
}

}  // namespace continuo::session
