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
    CHECK(scene.ask().message.find("other") != std::string::npos);
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
  scene.levels["vox"] = -30;
  CHECK(told(scene.ask()) == "LOST_WITHIN band/mix");
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
