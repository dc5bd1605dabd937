// Sessions with one thing wrong each, and what is said of it.
#include "server/control/why.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "server/session/session_file.hpp"

using namespace continuo;
using namespace continuo::control;

namespace {

using State = rt::PlayReading::State;

/// Everything well: a timeline player in a track that goes to the device, and it sounds.
struct Scene {
  std::string json = R"({"format": 1, "nodes": [
    {"id": "vox", "type": "track", "children": [
      {"id": "p", "type": "player", "params": {"file": "media:a.wav"}}, {"id": "eq", "type": "eq"},
      {"id": "trim", "type": "gain"}]},
    {"id": "band", "type": "container", "children": [{"id": "mix", "type": "bus"}]},
    {"id": "other", "type": "track"}],
    "connections": [{"from": "vox", "to": "band/mix"}, {"from": "band/mix", "to": "out"}]})";
  std::map<std::string, double> levels{{"vox", -150}, {"band/mix", -150}, {"other", -150}, {"out", -150}, {"in", -150}};
  std::map<std::string, State> players{{"vox/p", State::playing}};
  std::map<std::string, std::string> errors;
  std::vector<std::string> faulty;
  bool rolling = true, stalled = false, clock_device = false;
  std::uint32_t inputs = 2, outputs = 4;

  void change(std::string_view from, std::string_view to) {
    const std::size_t at = json.find(from);
    REQUIRE(at != std::string::npos);
    json.replace(at, from.size(), to);
  }
  [[nodiscard]] WhyAnswer ask(const std::string& path = "out", std::uint32_t output = 0) const {
    const auto document = session::parse_session(json, [uid = rt::Uid{0}]() mutable { return ++uid; });
    REQUIRE_MESSAGE(document, document.error().message);
    WhyFacts facts{.document = *document};
    facts.level_db = [&](const std::string& of, std::uint32_t channel) {
      if (channel > 0 && levels.contains(of + ":" + std::to_string(channel)))
        return std::optional(levels.at(of + ":" + std::to_string(channel)));
      const auto found = levels.find(of);
      return found == levels.end() ? std::nullopt : std::optional(found->second);
    };
    facts.channels = [](const std::string&) { return 2u; };
    facts.player = [&](const std::string& of) {
      rt::PlayReading reading;
      const auto found = players.find(of);
      if (found == players.end()) return std::optional<rt::PlayReading>();
      reading.state = found->second;
      return std::optional(reading);
    };
    facts.player_error = [&](const std::string& of) {
      const auto found = errors.find(of);
      return found == errors.end() ? std::string() : found->second;
    };
    facts.faulty = faulty;
    facts.rolling = rolling;
    facts.stalled = stalled;
    facts.clock_device = clock_device;
    facts.inputs = inputs;
    facts.outputs = outputs;
    return why_silent(facts, path, output);
  }
};

std::string told(const WhyAnswer& answer) { return std::string(to_text(answer.reason)) + " " + answer.path; }

TEST_CASE("why: each cause is found, and named where it is") {
  Scene scene;
  SUBCASE("stopped") {
    scene.rolling = false;
    CHECK(told(scene.ask()) == "STOPPED vox/p");
    CHECK(scene.ask().message.find("play") != std::string::npos);
  }
  SUBCASE("a free player that stands") {
    scene.change("\"media:a.wav\"", "\"media:a.wav\", \"mode\": \"free\"");
    scene.players["vox/p"] = State::stopped;
    scene.rolling = false;
    CHECK(told(scene.ask()) == "STOPPED vox/p");
  }
  SUBCASE("begins later") {
    scene.players["vox/p"] = State::waiting;
    CHECK(told(scene.ask()) == "WAITING vox/p");
  }
  SUBCASE("is over") {
    scene.players["vox/p"] = State::ended;
    CHECK(told(scene.ask()) == "ENDED vox/p");
  }
  SUBCASE("late disk") {
    scene.players["vox/p"] = State::late;
    CHECK(told(scene.ask()) == "LATE vox/p");
  }
  SUBCASE("missing file") {
    scene.errors["vox/p"] = "there is no file media:a.wav";
    CHECK(told(scene.ask()) == "MISSING_FILE vox/p");
  }
  SUBCASE("nothing to play") {
    scene.change("{\"file\": \"media:a.wav\"}", "{}");
    CHECK(told(scene.ask()) == "NOTHING_TO_PLAY vox/p");
  }
  SUBCASE("a silent file") { CHECK(told(scene.ask()) == "SILENT_SOURCE vox/p"); }
  SUBCASE("muted, the nearest one to the listener first") {
    scene.change("\"id\": \"vox\", \"type\": \"track\"",
                 "\"id\": \"vox\", \"type\": \"track\", \"params\": {\"mute\": true}");
    CHECK(told(scene.ask()) == "MUTED vox");
    scene.change("\"id\": \"mix\", \"type\": \"bus\"",
                 "\"id\": \"mix\", \"type\": \"bus\", \"params\": {\"mute\": true}");
    CHECK(told(scene.ask()) == "MUTED band/mix");
    CHECK(told(scene.ask("vox")) == "MUTED vox");
  }
  SUBCASE("another's solo") {
    scene.change("\"id\": \"other\", \"type\": \"track\"",
                 "\"id\": \"other\", \"type\": \"track\", \"params\": {\"solo\": true}");
    CHECK(told(scene.ask()) == "OTHER_SOLO band/mix");
    CHECK(scene.ask().message == "band/mix is silent because of the solo of other: set other.solo=false");
  }
  SUBCASE("a fader") {
    scene.change("\"id\": \"vox\", \"type\": \"track\"",
                 "\"id\": \"vox\", \"type\": \"track\", \"params\": {\"gain_db\": -150}");
    CHECK(told(scene.ask()) == "GAIN vox");
  }
  SUBCASE("a gain in the chain") {
    scene.change("\"type\": \"gain\"", "\"type\": \"gain\", \"params\": {\"gain_db\": -120}");
    CHECK(told(scene.ask()) == "GAIN vox/trim");
  }
  SUBCASE("a fader that follows an automation is not judged by its own value") {
    scene.change(
        "\"id\": \"vox\", \"type\": \"track\"",
        R"("id": "vox", "type": "track", "params": {"gain_db": -150}, "automation": {"gain_db": {"points": [{"frame": 0, "value": 0}]}})");
    CHECK(told(scene.ask()) == "SILENT_SOURCE vox/p");
  }
  SUBCASE("and is, where sound comes to it") {
    scene.change(
        "\"id\": \"vox\", \"type\": \"track\"",
        R"("id": "vox", "type": "track", "params": {"gain_db": 0}, "automation": {"gain_db": {"points": [{"frame": 0, "value": -150}]}})");
    scene.levels["vox/p"] = -20;
    CHECK(told(scene.ask()) == "GAIN vox");
    CHECK(scene.ask().message.find("automation") != std::string::npos);
  }
  SUBCASE("a gain in the chain of a bus that sound comes to, and what is behind it is not to blame") {
    scene.change("{\"id\": \"mix\", \"type\": \"bus\"}",
                 R"({"id": "mix", "type": "bus", "children": [{"id": "eq", "type": "eq"},
                     {"id": "g", "type": "gain", "params": {"gain_db": -150}}, {"id": "g2", "type": "gain"}]})");
    scene.levels["vox"] = -20;
    CHECK(told(scene.ask()) == "GAIN band/mix/g");
    scene.levels["band/mix/eq"] = -20;
    scene.levels["band/mix/g"] = scene.levels["band/mix/g2"] = -150;
    CHECK(told(scene.ask()) == "GAIN band/mix/g");
  }
  SUBCASE("a node in a chain, asked for itself") {
    CHECK(told(scene.ask("vox/p")) == "SILENT_SOURCE vox/p");
    CHECK(told(scene.ask("vox/trim")) == "SILENT_SOURCE vox/p");
    scene.levels["vox/p"] = -20;
    CHECK(told(scene.ask("vox/p")) == "SOUNDS vox/p");
    scene.levels["vox/eq"] = -150;
    CHECK(told(scene.ask("vox/trim")) == "LOST_WITHIN vox/eq");
    CHECK(told(scene.ask("vox/eq")) == "LOST_WITHIN vox/eq");
    scene.levels["vox/eq"] = -20;
    CHECK(told(scene.ask("vox/trim")) == "LOST_WITHIN vox/trim");
    scene.levels["vox/trim"] = -20;
    CHECK(told(scene.ask("vox/trim")) == "SOUNDS vox/trim");
    CHECK(told(scene.ask("in")) == "SILENT_INPUT in");
  }
  SUBCASE("a send that takes away what there is") {
    scene.change("\"to\": \"band/mix\"", "\"to\": \"band/mix\", \"gain_db\": -30");
    scene.levels["vox"] = -40;
    CHECK(told(scene.ask()) == "GAIN vox");
    scene.levels["vox"] = -20;
    CHECK(told(scene.ask()) == "LOST_WITHIN band/mix");
  }
  SUBCASE("a send") {
    scene.change("\"to\": \"band/mix\"", "\"to\": \"band/mix\", \"gain_db\": -150");
    CHECK(told(scene.ask()) == "GAIN vox");
    CHECK(scene.ask().message.find("connection") != std::string::npos);
  }
  SUBCASE("not a number") {
    scene.faulty = {"vox/eq"};
    CHECK(told(scene.ask()) == "FAULT vox/eq");
  }
  SUBCASE("sound comes in and is lost") {
    scene.levels["vox"] = -20;
    CHECK(told(scene.ask()) == "LOST_WITHIN band/mix");
  }
  SUBCASE("a gate") {
    scene.change("{\"id\": \"mix\", \"type\": \"bus\"}",
                 R"({"id": "mix", "type": "bus", "children": [{"id": "g", "type": "gate"}]})");
    scene.levels["vox"] = -50;
    CHECK(told(scene.ask()) == "GATE band/mix/g");
    scene.change("\"type\": \"gate\"", "\"type\": \"gate\", \"params\": {\"bypass\": true}");
    CHECK(told(scene.ask()) == "LOST_WITHIN band/mix");
  }
  SUBCASE("a meter in the chain says how far it comes") {
    scene.change("{\"id\": \"eq\", \"type\": \"eq\"}", R"({"id": "m", "type": "meter"})");
    scene.levels["vox/m"] = -20;
    CHECK(told(scene.ask()) == "LOST_WITHIN vox");
  }
  SUBCASE("unconnected") {
    CHECK(told(scene.ask("other")) == "UNCONNECTED other");
    scene.change("{\"from\": \"band/mix\", \"to\": \"out\"}", "{\"from\": \"other\", \"to\": \"band/mix\"}");
    CHECK(told(scene.ask()) == "UNCONNECTED out");
  }
  SUBCASE("one channel of the device") {
    CHECK(told(scene.ask("out", 2)) == "SILENT_SOURCE vox/p");
    CHECK(told(scene.ask("out", 3)) == "UNCONNECTED out:3");
    CHECK(told(scene.ask("out", 5)) == "NO_CHANNEL out:5");
    scene.change("\"to\": \"out\"", "\"to\": \"out:3\"");
    CHECK(told(scene.ask("out", 4)) == "SILENT_SOURCE vox/p");
    CHECK(told(scene.ask("out", 1)) == "UNCONNECTED out:1");
    scene.change("\"to\": \"out:3\"", R"("to": "out", "channels": [{"from": 1, "to": 4}])");
    CHECK(told(scene.ask("out", 4)) == "SILENT_SOURCE vox/p");
    CHECK(told(scene.ask("out", 3)) == "UNCONNECTED out:3");
  }
  SUBCASE("one channel of the device, where a pan leaves nothing for it") {
    scene.levels["out"] = scene.levels["out:1"] = scene.levels["band/mix"] = scene.levels["band/mix:1"] = -20;
    scene.levels["out:2"] = scene.levels["band/mix:2"] = -150;
    CHECK(told(scene.ask("out", 2)) == "LOST_WITHIN band/mix");
    CHECK(scene.ask("out", 2).message.find("pan") != std::string::npos);
    CHECK(told(scene.ask("out", 1)) == "SOUNDS out");
  }
  SUBCASE("inputs") {
    scene.change("{\"from\": \"vox\", \"to\": \"band/mix\"}", "{\"from\": \"in:2\", \"to\": \"other\"}");
    CHECK(told(scene.ask("other")) == "SILENT_INPUT in:2");
    scene.inputs = 1;
    CHECK(told(scene.ask("other")) == "NO_CHANNEL in:2");
    scene.inputs = 0;
    CHECK(told(scene.ask("other")) == "NO_INPUT in");
  }
  SUBCASE("the device") {
    scene.stalled = true;
    CHECK(told(scene.ask()) == "STALLED ");
    scene.stalled = false;
    scene.levels["out"] = scene.levels["band/mix"] = scene.levels["vox"] = -20;
    CHECK(told(scene.ask()) == "SOUNDS out");
    CHECK(told(scene.ask("vox")) == "SOUNDS vox");
    scene.clock_device = true;
    CHECK(told(scene.ask()) == "CLOCK_DEVICE ");
  }
}

TEST_CASE("why: of several feeders the first one's cause is told, and one that sounds ends the search") {
  Scene scene;
  scene.change("{\"from\": \"vox\", \"to\": \"band/mix\"}",
               R"({"from": "other", "to": "band/mix"}, {"from": "vox", "to": "band/mix"})");
  CHECK(told(scene.ask()) == "UNCONNECTED other");
  Scene muted = scene;
  muted.change("\"type\": \"track\"}", R"("type": "track", "params": {"mute": true}})");
  CHECK(told(muted.ask()) == "MUTED other");
  scene.levels["vox"] = -30;
  CHECK(told(scene.ask()) == "LOST_WITHIN band/mix");
}

TEST_CASE("why: where another is soloed, the soloed one's own cause is told, and of the silenced one its solo") {
  Scene scene;
  scene.json = R"({"format": 1, "nodes": [
    {"id": "prog", "type": "track", "children": [{"id": "osc", "type": "oscillator"}]},
    {"id": "off", "type": "track", "params": {"mute": true}},
    {"id": "mono", "type": "track", "params": {"solo": true}, "children": [
      {"id": "p", "type": "player", "params": {"file": "media:a.wav"}}]},
    {"id": "bus", "type": "bus"}],
    "connections": [{"from": "prog", "to": "bus"}, {"from": "off", "to": "bus"}, {"from": "mono", "to": "bus"},
      {"from": "bus", "to": "out"}]})";
  scene.levels = {{"out", -150}, {"prog", -150}, {"off", -150}, {"mono", -150}, {"bus", -150}};
  scene.players = {{"mono/p", State::ended}};
  CHECK(told(scene.ask()) == "ENDED mono/p");
  CHECK(told(scene.ask("bus")) == "ENDED mono/p");
  CHECK(told(scene.ask("prog")) == "OTHER_SOLO prog");
  CHECK(scene.ask("prog").message == "prog is silent because of the solo of mono: set mono.solo=false");
  CHECK(told(scene.ask("off")) == "MUTED off");
  scene.change("{\"solo\": true}", R"({"solo": true, "mute": true})");
  CHECK(told(scene.ask()) == "MUTED mono");
}

/// t -> b -> out, an oscillator in t; faders with their gains.
Scene faders(const std::string& t_db, const std::string& b_db, const std::string& sent_db = "0") {
  Scene scene;
  scene.json = R"({"format": 1, "nodes": [
    {"id": "t", "type": "track", "params": {"gain_db": )" +
               t_db + R"(}, "children": [{"id": "osc", "type": "oscillator"}]},
    {"id": "b", "type": "bus", "params": {"gain_db": )" +
               b_db + R"(}}], "connections": [{"from": "t", "to": "b", "gain_db": )" + sent_db +
               R"(}, {"from": "b", "to": "out"}]})";
  const double t = -23.0 + std::stod(t_db), b = t + std::stod(sent_db) + std::stod(b_db);
  scene.levels = {{"t/osc", -20}, {"t", t}, {"b", b}, {"out", b}};
  return scene;
}

TEST_CASE("why: faders that leave too little together are told, and the one that takes most is named") {
  const Scene alike = faders("-25", "-25");
  CHECK(told(alike.ask()) == "GAIN b");
  CHECK(alike.ask().message == "b.gain_db is -25.0 dB, and what comes to it is at -48.0 dB: raise it");
  CHECK(told(alike.ask("b")) == "GAIN b");
  CHECK(told(faders("0", "-40").ask()) == "GAIN b");
  CHECK(told(faders("-15", "-30").ask()) == "GAIN b");
  CHECK(told(faders("-40", "0").ask()) == "GAIN t");
  const Scene before = faders("-35", "-5");
  CHECK(told(before.ask()) == "GAIN t");
  CHECK(before.ask().message == "t.gain_db is -35.0 dB, which leaves b at -63.0 dB: raise it");
  const Scene sent = faders("-5", "-10", "-30");
  CHECK(told(sent.ask()) == "GAIN t");
  CHECK(sent.ask().message ==
        "the connection from t to b has a gain of -30.0 dB, which leaves b at -68.0 dB: raise it");
}

TEST_CASE("why: what a fader does not explain is lost, and a gate that sound has passed is not shut") {
  Scene scene = faders("0", "-10");
  scene.levels["b"] = scene.levels["out"] = -150;
  CHECK(told(scene.ask()) == "LOST_WITHIN b");
  scene.levels["b"] = -71;  // less than the fader can take it to
  CHECK(told(scene.ask()) == "LOST_WITHIN b");
  scene = faders("-20", "-30");
  scene.change("{\"gain_db\": -30}", R"({"gain_db": -30}, "children": [{"id": "g", "type": "gate"}])");
  CHECK(told(scene.ask()) == "GAIN b");
  scene.levels["b"] = -150;
  CHECK(told(scene.ask()) == "GATE b/g");
  scene.levels["b/g"] = -43;
  CHECK(told(scene.ask()) == "LOST_WITHIN b");
}

TEST_CASE("why: a gain in a chain and that of a source, which leave too little with what comes") {
  Scene scene = faders("0", "-10");
  scene.change("{\"gain_db\": -10}", R"({"gain_db": -10}, "children": [{"id": "g", "type": "gain", "params": {
    "gain_db": -35}}, {"id": "m", "type": "meter"}])");
  scene.levels["b"] = scene.levels["out"] = -68;
  CHECK(told(scene.ask()) == "GAIN b/g");
  scene.levels["b/g"] = -58;
  CHECK(told(scene.ask()) == "GAIN b/g");
  scene.levels["b/g"] = -61;
  scene.levels["b/m"] = -61;
  CHECK(told(scene.ask("b/m")) == "GAIN b/g");
  scene.levels["t/osc"] = -75;
  CHECK(told(scene.ask("t/osc")) == "GAIN t/osc");
  CHECK(scene.ask("t/osc").message == "t/osc.gain_db is -20.0 dB, and what it gives is at -55.0 dB: raise it");
}

TEST_CASE("why: a gain that nothing comes to is not the cause") {
  Scene scene;
  scene.json = R"({"format": 1, "nodes": [{"id": "t", "type": "track", "children": [
    {"id": "g", "type": "gain", "params": {"gain_db": -140}}]}], "connections": [{"from": "t", "to": "out"}]})";
  scene.levels = {{"out", -150}, {"t", -150}, {"t/g", -150}};
  CHECK(told(scene.ask()) == "UNCONNECTED t");
  CHECK(told(scene.ask("t/g")) == "UNCONNECTED t");
  scene.change("\"children\"", R"("params": {"gain_db": -140}, "children")");
  CHECK(told(scene.ask()) == "UNCONNECTED t");
  scene.change("\"to\": \"out\"", R"("to": "out", "gain_db": -140)");
  CHECK(told(scene.ask()) == "UNCONNECTED t");
  scene.change("\"connections\": [", R"("connections": [{"from": "in:1", "to": "t"}, )");
  CHECK(told(scene.ask()) == "GAIN t");
  CHECK(told(scene.ask("t/g")) == "GAIN t/g");
}

TEST_CASE("why: a gain stops only what comes before it in its chain") {
  Scene scene;
  scene.change("{\"id\": \"p\"", R"({"id": "g", "type": "gain", "params": {"gain_db": -140}}, {"id": "p")");
  scene.players["vox/p"] = State::ended;
  CHECK(told(scene.ask()) == "ENDED vox/p");
}

TEST_CASE("why: sound that goes only to channels that the device does not have") {
  Scene scene;
  scene.clock_device = true;
  scene.outputs = 2;
  scene.levels["out"] = scene.levels["out:7"] = scene.levels["vox"] = scene.levels["band/mix"] = -20;
  scene.levels["out:1"] = scene.levels["out:2"] = -150;
  scene.change("\"to\": \"out\"", "\"to\": \"out:7\"");
  const WhyAnswer answer = scene.ask();
  CHECK(told(answer) == "NO_CHANNEL out:7");
  CHECK(answer.message ==
        "band/mix goes to out:7, and the device has 2 outputs: continuo connect band/mix out, or continuo device use "
        "NAME (one that has out:7)");
  CHECK(answer.steps.at(0).level_db == -150.0);
  CHECK(told(scene.ask("out", 2)) == "UNCONNECTED out:2");
  SUBCASE("by pairs of channels") {
    scene.change("\"to\": \"out:7\"", R"("to": "out:2", "channels": [{"from": 1, "to": 4}, {"from": 2, "to": 3}])");
    CHECK(told(scene.ask()) == "NO_CHANNEL out:4");
  }
  SUBCASE("in part, and that part is silent") {
    scene.change("\"to\": \"out:7\"", R"("to": "out:2")");
    CHECK(told(scene.ask()) == "NO_CHANNEL out");
  }
  SUBCASE("another one that goes to channels that are there is looked at first") {
    scene.change("\"connections\": [", R"("connections": [{"from": "other", "to": "out"}, )");
    CHECK(told(scene.ask()) == "UNCONNECTED other");
  }
  SUBCASE("no outputs at all") {
    scene.outputs = 0;
    CHECK(told(scene.ask()) == "NO_CHANNEL out:7");
  }
  SUBCASE("a device that has it") {
    scene.outputs = 8;
    CHECK(told(scene.ask()) == "CLOCK_DEVICE ");
  }
}

TEST_CASE("why: the way upstream is told with its levels, and a circle ends") {
  Scene scene;
  const WhyAnswer answer = scene.ask();
  std::vector<std::string> way;
  for (const WhyStep& step : answer.steps) way.push_back(step.path);
  CHECK(way == std::vector<std::string>{"out", "band/mix", "vox", "vox/p"});
  CHECK(answer.steps[0].level_db == -150.0);
  CHECK_FALSE(answer.steps[3].level_db);
  scene.change(R"({"id": "other", "type": "track"})",
               R"({"id": "other", "type": "track"}, {"id": "fb", "type": "feedback"})");
  scene.change("{\"from\": \"vox\", \"to\": \"band/mix\"}",
               R"({"from": "other", "to": "fb"}, {"from": "fb", "to": "other"})");
  CHECK(told(scene.ask("other")) == "UNCONNECTED other");
}

}  // namespace
