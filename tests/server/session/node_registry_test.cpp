#include "server/session/node_registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "rt/nodes/gain.hpp"
#include "rt/nodes/generator.hpp"
#include "rt/nodes/player.hpp"

using namespace continuo;
using namespace continuo::session;

TEST_CASE("every type has a place in order, and specs that make sense") {
  std::string_view last;
  for (const TypeSpec& type : node_types()) {
    CAPTURE(type.name);
    CHECK(last < type.name);
    last = type.name;
    CHECK_FALSE(type.description.empty());
    CHECK(find_type(type.name) == &type);
    std::set<std::string_view> names;
    std::set<int> indices;
    for (const ParamSpec& spec : type.params) {
      CAPTURE(spec.name);
      CHECK(names.insert(spec.name).second);
      CHECK(type.find(spec.name) == &spec);
      CHECK_FALSE(spec.description.empty());
      if (spec.rt_index >= 0) CHECK(indices.insert(spec.rt_index).second);
      CHECK_FALSE((spec.structural && spec.rt_index >= 0));
      const bool number = spec.kind == ParamKind::number || spec.kind == ParamKind::integer;
      CHECK(number == (spec.min < spec.max));
      CHECK((spec.kind == ParamKind::choice) == !spec.choices.empty());
      CHECK(check_value(spec, spec.default_value, "x"));
    }
  }
  CHECK(find_type("") == nullptr);
  CHECK(find_type("track2") == nullptr);
}

TEST_CASE("the types that this version has") {
  for (const char* name : {"container", "track", "bus", "in", "out", "player", "gain", "pan", "oscillator", "noise",
                           "meter", "recorder"}) {
    CAPTURE(name);
    CHECK(find_type(name) != nullptr);
  }
  CHECK_FALSE(find_type("in")->creatable);
  CHECK_FALSE(find_type("out")->creatable);
  CHECK(find_type("track")->has_children);
  CHECK_FALSE(find_type("player")->has_children);
}

TEST_CASE("parameters lie where the engine's kinds have them") {
  CHECK(find_type("track")->find("gain_db")->rt_index == rt::FaderParam::gain_db);
  CHECK(find_type("bus")->find("pan")->rt_index == rt::FaderParam::pan);
  CHECK(find_type("gain")->find("gain_db")->rt_index == rt::GainParam::gain_db);
  CHECK(find_type("pan")->find("pan")->rt_index == rt::PanParam::pan);
  CHECK(find_type("player")->find("gain_db")->rt_index == rt::PlayerParam::gain_db);
  CHECK(find_type("oscillator")->find("frequency_hz")->rt_index == rt::OscillatorParam::frequency_hz);
  CHECK(find_type("oscillator")->find("waveform")->rt_index == rt::OscillatorParam::waveform);
  CHECK(find_type("noise")->find("gain_db")->rt_index == rt::NoiseParam::gain_db);
  const auto& choices = find_type("oscillator")->find("waveform")->choices;
  CHECK(choices[static_cast<std::size_t>(rt::Waveform::saw)] == "saw");
  CHECK(choices[static_cast<std::size_t>(rt::Waveform::triangle)] == "triangle");
}

TEST_CASE("a value is refused by kind, range and number, never clipped") {
  const ParamSpec& gain = *find_type("track")->find("gain_db");
  CHECK(check_value(gain, -150.0, "f"));
  CHECK(check_value(gain, 24.0, "f"));
  for (const double wrong : {24.0001, -150.1, 1e308})
    CHECK(check_value(gain, wrong, "f").error().reason == "OUT_OF_RANGE");
  for (const double wrong :
       {std::nan(""), std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()}) {
    const Result<Value> result = check_value(gain, wrong, "nodes[2].params.gain_db");
    REQUIRE_FALSE(result);
    CHECK(result.error().reason == "NOT_FINITE");
    CHECK(result.error().field == "nodes[2].params.gain_db");
    CHECK(result.error().kind == ErrorKind::invalid_argument);
  }
  CHECK(check_value(gain, true, "f").error().reason == "WRONG_KIND");
  CHECK(check_value(gain, std::string("-6"), "f").error().reason == "WRONG_KIND");
  CHECK(check_value(gain, 25.0, "f").error().message == "gain_db must be -150 to 24 dB, not 25");

  const ParamSpec& channels = *find_type("noise")->find("channels");
  CHECK(check_value(channels, 64.0, "f"));
  CHECK(check_value(channels, 1.5, "f").error().reason == "WRONG_KIND");
  CHECK(check_value(channels, 0.0, "f").error().reason == "OUT_OF_RANGE");
  CHECK(check_value(channels, 65.0, "f").error().reason == "OUT_OF_RANGE");

  const ParamSpec& mute = *find_type("track")->find("mute");
  CHECK(check_value(mute, true, "f"));
  CHECK(check_value(mute, 1.0, "f").error().reason == "WRONG_KIND");

  const ParamSpec& waveform = *find_type("oscillator")->find("waveform");
  CHECK(check_value(waveform, std::string("saw"), "f"));
  const Result<Value> choice = check_value(waveform, std::string("sinus"), "f");
  CHECK(choice.error().reason == "BAD_CHOICE");
  CHECK(choice.error().message.find("\"triangle\"") != std::string::npos);

  const ParamSpec& file = *find_type("player")->find("file");
  CHECK(check_value(file, std::string("music:a/\xc3\xbc.flac"), "f"));
  CHECK(check_value(file, std::string("\xff"), "f").error().reason == "BAD_UTF8");
  CHECK(check_value(file, std::string("a\0b", 3), "f").error().reason == "BAD_UTF8");
  CHECK(check_value(file, std::string(4097, 'a'), "f").error().reason == "TOO_LONG");
}

TEST_CASE("minus zero is zero") {
  const ParamSpec& pan = *find_type("track")->find("pan");
  CHECK_FALSE(std::signbit(std::get<double>(*check_value(pan, -0.0, "f"))));
}

TEST_CASE("values of a node: what was set, else the default; switches and choices as numbers") {
  DocNode node;
  node.type = "oscillator";
  CHECK(number_of(node, "frequency_hz") == 440.0);
  CHECK(number_of(node, "waveform") == 0.0);
  CHECK(text_of(node, "waveform") == "sine");
  node.params["waveform"] = std::string("square");
  CHECK(number_of(node, "waveform") == 2.0);
  node.type = "track";
  node.params = {{"mute", true}};
  CHECK(number_of(node, "mute") == 1.0);
  CHECK(number_of(node, "solo") == 0.0);
}
