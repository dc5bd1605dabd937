#include <google/protobuf/util/json_util.h>

#include <cmath>

#include "tests/server/session/edit_cases.hpp"
#include "tests/server/session/offline_rig.hpp"

// Lanes in the document: what is refused and how it is named, the file byte for byte, and the sound that they make
// through the compiler.
using namespace continuo;
using namespace continuo::session;
using namespace continuo::session::test;

namespace {

const char* const kLane =
    "[{'set_automation': {'path': 'a', 'param': 'gain_db', 'points': [{'frame': 0, 'value': -60}, "
    "{'frame': 4800, 'value': 0, 'curve': 'hold'}, {'frame': 9600, 'value': -6}]}}]";

/// One point list in place of all that is right about it.
std::string points(const std::string& list) {
  return "[{'set_label': {'path': 'a', 'label': 'x'}}, {'set_automation': {'path': 'a', 'param': 'gain_db', 'points': "
         "[" +
         list + "]}}]";
}

const char* const kTone =
    "{'nodes': [{'id': 'a', 'type': 'track', 'params': {'channels': 1}}, {'id': 'b', 'type': 'track'}], 'connections': "
    "[{'from': 'in:1', 'to': 'a'}, {'from': 'a', 'to': 'out'}]}";

/// The left channel of a track with `1` at its input: constant-power pan takes 3 dB.
double level_db(float sample) { return 20.0 * std::log10(static_cast<double>(sample) / std::sqrt(0.5)); }

struct Stage {
  Document doc = document(kTone);
  Rig rig{1, 2};
  rt::Uid next_uid = 1000;
  Stage() {
    rig.input = [](std::uint32_t, rt::FrameCount) { return 1.0f; };
  }
  EditResult edit(const std::string& list) {
    Result<EditResult> result = test::edit(doc, list, [this] { return next_uid++; });
    if (!result) FAIL(result.error().field << ": " << result.error().message);
    return *result;
  }
  /// As the engine does: the values go with the plan.
  void take(const EditResult& edited) {
    for (const ParamChange& change : edited.params) {
      rt::Action& action = rig.also.emplace_back();
      action.kind = rt::Action::Kind::set_param;
      action.node = *rig.compiler.param_target(change.node);
      action.param = static_cast<std::uint16_t>(change.rt_index);
      action.value = change.value;
      action.ramp_frames = static_cast<std::uint32_t>(change.ramp_ms * 48.0);
    }
    rig.take(doc);
  }
};

}  // namespace

TEST_CASE("set_automation makes a lane, changes it, switches it, and clear_automation removes it") {
  Document doc = mixer();
  EditResult result = applies(doc, kLane);
  CHECK(result.changed);
  CHECK(result.structural);
  CHECK(result.params.empty());
  REQUIRE(result.accepted.size() == 1);
  CHECK(result.accepted[0].set_automation().points_size() == 3);
  const DocNode* a = find_node(doc, "a");
  REQUIRE(a->lanes.contains("gain_db"));
  CHECK(a->lanes.at("gain_db").on);
  CHECK(a->lanes.at("gain_db").points->at(1).curve == LaneCurve::hold);

  result = applies(doc, kLane);  // the same again
  CHECK_FALSE(result.changed);
  CHECK_FALSE(result.structural);

  result = applies(doc, "[{'set_automation': {'path': 'a', 'param': 'gain_db', 'on': false}}]");
  CHECK(result.changed);
  REQUIRE(result.params.size() == 1);  // back to its own value, with its own ramp
  CHECK(result.params[0].value == 0.0);
  CHECK(result.params[0].ramp_ms == 20.0);
  CHECK(find_node(doc, "a")->lanes.at("gain_db").points->size() == 3);
  result = applies(doc, "[{'set_params': {'path': 'a', 'values': {'gain_db': -9}}}]");
  CHECK(find_node(doc, "a")->params.at("gain_db") == Value(-9.0));
  applies(doc, "[{'set_automation': {'path': 'a', 'param': 'gain_db', 'on': true}}]");
  result = applies(doc, "[{'clear_automation': {'path': 'a', 'param': 'gain_db'}}]");
  REQUIRE(result.params.size() == 1);
  CHECK(result.params[0].value == -9.0);
  CHECK(find_node(doc, "a")->lanes.empty());
}

TEST_CASE("a set under a lane that is on is refused, within one transaction too, and one that is off lets it pass") {
  const std::string lane = std::string(kLane).substr(0, std::string(kLane).size() - 1);
  const std::string set = ", {'set_params': {'path': 'a', 'values': {'pan': 0.5, 'gain_db': -3}}}]";
  refuses((lane + set).c_str(), "AUTOMATED", "operations[1].set_params.values.gain_db", ErrorKind::failed_precondition);
  Document doc = mixer();
  const EditResult off =
      applies(doc, (lane + ", {'set_automation': {'path': 'a', 'param': 'gain_db', 'on': false}}" + set).c_str());
  CHECK(off.params.size() == 3);
  // Off, set, on again: the sound is the lane's, and no value may disturb it.
  Document again = mixer();
  applies(again, kLane);
  const EditResult result = applies(
      again,
      "[{'set_automation': {'path': 'a', 'param': 'gain_db', 'on': false}}, {'set_params': {'path': 'a', 'values': "
      "{'gain_db': -3}}}, {'set_automation': {'path': 'a', 'param': 'gain_db', 'on': true}}]");
  CHECK(result.params.empty());
  CHECK(find_node(again, "a")->params.at("gain_db") == Value(-3.0));
}

TEST_CASE("what is wrong with a lane is refused and named") {
  const auto wrong = [](const std::string& list, const char* reason, const char* field) {
    refuses(points(list).c_str(), reason, (std::string("operations[1].set_automation.") + field).c_str());
  };
  wrong("{'frame': 0, 'value': 0}, {'frame': 10, 'value': 0}, {'frame': 10, 'value': 1}", "NOT_RISING",
        "points[2].frame");
  wrong("{'frame': 5, 'value': 0}, {'frame': 4, 'value': 0}", "NOT_RISING", "points[1].frame");
  wrong("{'frame': -1, 'value': 0}", "OUT_OF_RANGE", "points[0].frame");
  wrong("{'frame': 1125899906842625, 'value': 0}", "OUT_OF_RANGE", "points[0].frame");
  wrong("{'frame': 0, 'value': 1000}", "OUT_OF_RANGE", "points[0].value");
  wrong("{'frame': 0, 'value': 0}, {'frame': 1, 'value': 'NaN'}", "NOT_FINITE", "points[1].value");
  wrong("{'value': 0}", "MISSING_FIELD", "points[0].frame");
  wrong("{'frame': 0, 'value': 0}, {'frame': 1}", "MISSING_FIELD", "points[1].value");
  wrong("{'frame': 0, 'value': 0, 'curve': 'round'}", "BAD_CHOICE", "points[0].curve");
  wrong("{'frame': 0, 'value': 6, 'curve': 'exponential'}, {'frame': 1, 'value': -6}", "NOT_POSITIVE",
        "points[1].value");
  wrong("{'frame': 0, 'value': 0, 'curve': 'exponential'}, {'frame': 1, 'value': 6}", "NOT_POSITIVE",
        "points[0].value");

  const auto target = [](const std::string& path, const std::string& param, const char* reason, const char* field,
                         ErrorKind kind) {
    refuses(("[{'set_automation': {'path': '" + path + "', 'param': '" + param +
             "', 'points': [{'frame': 0, 'value': 1}]}}]")
                .c_str(),
            reason, (std::string("operations[0].set_automation.") + field).c_str(), kind);
  };
  target("nobody", "gain_db", "UNKNOWN_NODE", "path", ErrorKind::not_found);
  target("a", "volume", "UNKNOWN_PARAM", "param", ErrorKind::invalid_argument);
  for (const char* const param : {"mute", "channels", "invert_polarity"})
    target("a", param, "NOT_AUTOMATABLE", "param", ErrorKind::failed_precondition);
  target("a/p", "file", "NOT_AUTOMATABLE", "param", ErrorKind::failed_precondition);
  target("a/p", "start_s", "NOT_AUTOMATABLE", "param", ErrorKind::failed_precondition);
  target("osc", "waveform", "NOT_AUTOMATABLE", "param", ErrorKind::failed_precondition);

  refuses("[{'set_automation': {'path': 'a', 'param': 'gain_db'}}]", "NO_AUTOMATION",
          "operations[0].set_automation.points", ErrorKind::not_found);
  refuses("[{'set_automation': {'path': 'a', 'param': 'gain_db', 'on': false}}]", "NO_AUTOMATION",
          "operations[0].set_automation.points", ErrorKind::not_found);
  refuses("[{'clear_automation': {'path': 'a', 'param': 'gain_db'}}]", "NO_AUTOMATION",
          "operations[0].clear_automation.param", ErrorKind::not_found);
}

TEST_CASE("a lane takes as many points as it may, and not one more") {
  google::protobuf::RepeatedPtrField<v1::Operation> list;
  v1::SetAutomation& op = *list.Add()->mutable_set_automation();
  op.set_path("a");
  op.set_param("gain_db");
  for (std::size_t i = 0; i < kMaxLanePoints; ++i) {
    op.add_points()->set_frame(static_cast<std::int64_t>(i));
    op.mutable_points(static_cast<int>(i))->set_value(-static_cast<double>(i % 60));
  }
  Document doc = mixer();
  REQUIRE(apply_operations(doc, list, counter(1000)));
  CHECK(find_node(doc, "a")->lanes.at("gain_db").points->size() == kMaxLanePoints);
  op.add_points()->set_frame(kMaxLanePoints);
  Document other = mixer();
  const auto refused = apply_operations(other, list, counter(1000));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "TOO_MANY");
  CHECK(refused.error().field == "operations[0].set_automation.points");

  // The session as a whole: 15 such lanes have 983,040 points, the 16th is too much.
  std::string nodes;
  op.mutable_points()->RemoveLast();
  Document whole;
  for (int i = 0; i < 16; ++i) {
    DocNode& node = whole.nodes.emplace_back();
    node.id = "t" + std::to_string(i);
    node.type = "track";
    node.lanes["gain_db"] = find_node(doc, "a")->lanes.at("gain_db");
  }
  ensure_device_nodes(whole);
  const Result<> too_many = validate(whole);
  REQUIRE_FALSE(too_many);
  CHECK(too_many.error().reason == "TOO_MANY");
  CHECK(too_many.error().field == "nodes");
  whole.nodes.edit(3).lanes.clear();
  CHECK(validate(whole));
}

TEST_CASE("the session file keeps lanes byte for byte, and protobuf reads them as Node.automation") {
  const std::string text = json(
      "{\n  'format': 1,\n  'nodes': [\n    {\n      'id': 'a',\n      'type': 'track',\n      'params': {'pan': "
      "0.5},\n"
      "      'automation': {\n        'gain_db': {\n          'points': [\n            {'frame': 0, 'value': -60},\n"
      "            {'frame': 4800, 'value': 0.25, 'curve': 'exponential'},\n            {'frame': 9600, 'value': 6, "
      "'curve': 'hold'}\n          ]\n        },\n        'pan': {\n          'on': false,\n          'points': [\n"
      "            {'frame': 1125899906842624, 'value': -1}\n          ]\n        }\n      }\n    }\n  ]\n}\n");
  const Result<Document> parsed = parse_session(text, counter());
  if (!parsed) FAIL(parsed.error().field << ": " << parsed.error().message);
  CHECK(print_session(*parsed) == text);
  v1::Session session;
  REQUIRE(google::protobuf::util::JsonStringToMessage(text, &session).ok());
  CHECK(session.nodes(0).automation().at("gain_db").points(1).curve() == "exponential");
  CHECK_FALSE(session.nodes(0).automation().at("pan").on());
  std::string theirs;
  REQUIRE(google::protobuf::util::MessageToJsonString(session, &theirs).ok());
  const Result<Document> again = parse_session(theirs, counter());
  REQUIRE(again);
  CHECK(*again == *parsed);
  // As AddNode and the watch carry it.
  const Result<DocNode> node = node_from_struct(node_to_struct(*find_node(*parsed, "a")), "node", counter());
  REQUIRE(node);
  CHECK(node->lanes == find_node(*parsed, "a")->lanes);
}

TEST_CASE("a session file's lanes are read strictly") {
  const auto refused = [](const std::string& lanes, const char* reason, const char* field) {
    CAPTURE(lanes);
    const auto parsed =
        parse_session(json("{'nodes': [{'id': 'a', 'type': 'track', 'automation': " + lanes + "}]}"), counter());
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().reason == reason);
    CHECK(parsed.error().field == std::string("nodes[0].automation") + field);
  };
  refused("[]", "WRONG_KIND", "");
  refused("{'gain_db': {}}", "MISSING_FIELD", ".gain_db.points");
  refused("{'gain_db': {'points': []}}", "MISSING_FIELD", ".gain_db.points");
  refused("{'gain_db': {'points': [{'frame': 1}]}}", "MISSING_FIELD", ".gain_db.points[0]");
  refused("{'gain_db': {'points': [{'value': 1}]}}", "MISSING_FIELD", ".gain_db.points[0]");
  refused("{'gain_db': {'points': [{'frame': 1.5, 'value': 1}]}}", "OUT_OF_RANGE", ".gain_db.points[0].frame");
  refused("{'gain_db': {'points': [{'frame': 1, 'value': true}]}}", "WRONG_KIND", ".gain_db.points[0].value");
  refused("{'gain_db': {'points': [{'frame': 1, 'value': 1, 'kurve': ''}]}}", "UNKNOWN_FIELD",
          ".gain_db.points[0].kurve");
  refused("{'gain_db': {'points': [{'frame': 1, 'value': 1, 'curve': 'Hold'}]}}", "BAD_CHOICE",
          ".gain_db.points[0].curve");
  refused("{'gain_db': {'points': [{'frame': 1, 'value': 1}], 'off': true}}", "UNKNOWN_FIELD", ".gain_db.off");
  refused("{'gain_db': {'points': [{'frame': 1, 'value': 1}]}, 'gain_db': {}}", "DUPLICATE_KEY", ".gain_db");
  refused("{'mute': {'points': [{'frame': 1, 'value': 1}]}}", "NOT_AUTOMATABLE", ".mute");
  refused("{'volume': {'points': [{'frame': 1, 'value': 1}]}}", "UNKNOWN_PARAM", ".volume");
  refused("{'gain_db': {'points': [{'frame': 2, 'value': 1}, {'frame': 1, 'value': 1}]}}", "NOT_RISING",
          ".gain_db.points[1].frame");
}

TEST_CASE("a lane goes with its node and moves with it") {
  Document doc = mixer();
  applies(doc, kLane);
  const DocLane lane = find_node(doc, "a")->lanes.at("gain_db");
  applies(doc, "[{'move_node': {'path': 'a', 'parent': 'g', 'id': 'c'}}]");
  CHECK(find_node(doc, "g/c")->lanes.at("gain_db") == lane);
  applies(doc, "[{'remove_node': {'path': 'g/c'}}]");
  CHECK(print_session(doc).find("automation") == std::string::npos);
}

TEST_CASE("the sound follows the lane, goes on through edits, and comes back to the parameter's value without it") {
  Stage stage;
  stage.rig.start_timeline();
  stage.take(stage.edit(kLane));
  Sound out = stage.rig.render(2000, 100);
  const auto lane_db = [](double frame) { return frame < 4800.0 ? -60.0 + frame / 80.0 : frame < 9600.0 ? 0.0 : -6.0; };
  const auto follows = [&](std::size_t first) {
    for (std::size_t i = 0; i < out[0].size(); ++i) {
      CAPTURE(first + i);
      REQUIRE(level_db(out[0][i]) == doctest::Approx(lane_db(static_cast<double>(first + i))).epsilon(1e-5));
    }
  };
  follows(0);
  // An edit elsewhere is not heard.
  stage.take(stage.edit("[{'add_node': {'parent': 'b', 'node': {'id': 'g', 'type': 'gain'}}}]"));
  out = stage.rig.render(2000, 17);
  follows(2000);
  // A later point: nothing changes before it.
  stage.take(
      stage.edit("[{'set_automation': {'path': 'a', 'param': 'gain_db', 'points': [{'frame': 0, 'value': -60}, "
                 "{'frame': 4800, 'value': 0, 'curve': 'hold'}, {'frame': 9600, 'value': -20}]}}]"));
  out = stage.rig.render(2000, 1000);
  follows(4000);
  // Off: to its own value in 960 frames.
  stage.take(
      stage.edit("[{'set_automation': {'path': 'a', 'param': 'gain_db', 'on': false}}, {'set_params': {'path': "
                 "'a', 'values': {'gain_db': -12}}}]"));
  out = stage.rig.render(1200, 64);
  CHECK(level_db(out[0][0]) == doctest::Approx(0.0).epsilon(1e-4));
  CHECK(level_db(out[0][480]) == doctest::Approx(-6.0).epsilon(1e-4));
  CHECK(level_db(out[0][960]) == doctest::Approx(-12.0).epsilon(1e-4));
  // On again, at frame 7200: to where the lane will be, then with it.
  stage.take(stage.edit("[{'set_automation': {'path': 'a', 'param': 'gain_db', 'on': true}}]"));
  out = stage.rig.render(3000, 64);
  CHECK(level_db(out[0][480]) == doctest::Approx(-6.0).epsilon(1e-4));
  CHECK(level_db(out[0][960]) == doctest::Approx(0.0).epsilon(1e-4));
  CHECK(level_db(out[0][2399]) == doctest::Approx(0.0).epsilon(1e-4));
  CHECK(level_db(out[0][2400]) == doctest::Approx(-20.0).epsilon(1e-4));
  CHECK(stage.rig.counters().automation_refused == 0);
  CHECK(stage.rig.counters().commands_orphaned == 0);
}

TEST_CASE("on a device of another rate a lane keeps its seconds") {
  Stage stage;
  stage.doc.sample_rate_hz = 96000;
  stage.rig.start_timeline();
  stage.take(stage.edit(kLane));
  const Sound out = stage.rig.render(5000, 64);
  for (std::size_t i = 0; i < 2400; ++i)
    REQUIRE(level_db(out[0][i]) == doctest::Approx(-60.0 + static_cast<double>(i) / 40.0).epsilon(1e-5));
  CHECK(level_db(out[0][4799]) == doctest::Approx(0.0).epsilon(1e-4));
  CHECK(level_db(out[0][4800]) == doctest::Approx(-6.0).epsilon(1e-4));
}

TEST_CASE("behind a latency the lane lands on the sound's sample") {
  // The limiter is 5 ms and 55 frames late; what comes in at timeline frame F leaves it that much later.
  Stage stage;
  stage.edit(
      "[{'add_node': {'parent': 'a', 'node': {'id': 'l', 'type': 'limiter', 'params': {'ceiling_db': 0}}}}, "
      "{'add_node': {'parent': 'a', 'node': {'id': 'g', 'type': 'gain', 'automation': {'gain_db': {'points': "
      "[{'frame': 1000, 'value': 0, 'curve': 'hold'}, {'frame': 2000, 'value': -20}]}}}}}]");
  stage.rig.input = [](std::uint32_t, rt::FrameCount) { return 0.5f; };
  stage.rig.start_timeline();
  stage.take({});
  const std::uint32_t late = stage.rig.last.output_latency_frames;
  REQUIRE(late > 55);
  const Sound out = stage.rig.render(2000 + late + 10, 64);
  CHECK(20.0 * std::log10(out[0][1999 + late] / (0.5 * std::sqrt(0.5))) == doctest::Approx(0.0).epsilon(1e-3));
  CHECK(20.0 * std::log10(out[0][2000 + late] / (0.5 * std::sqrt(0.5))) == doctest::Approx(-20.0).epsilon(1e-3));
}

TEST_CASE("a processor that is moved under sound keeps following its lane") {
  Stage stage;
  stage.edit(
      "[{'add_node': {'parent': 'a', 'node': {'id': 'g', 'type': 'gain', 'automation': {'gain_db': {'points': "
      "[{'frame': 0, 'value': -40}, {'frame': 40000, 'value': 0}]}}}}}, {'add_node': {'parent': 'a', 'node': "
      "{'id': 'h', 'type': 'gain', 'params': {'gain_db': -3}}}}]");
  stage.rig.start_timeline();
  stage.take({});
  Sound out = stage.rig.render(4000, 64);
  stage.take(stage.edit("[{'move_node': {'path': 'a/g'}}]"));
  const Sound rest = stage.rig.render(4000, 64);
  out[0].insert(out[0].end(), rest[0].begin(), rest[0].end());
  for (std::size_t i = 0; i < out[0].size(); ++i) {
    CAPTURE(i);
    REQUIRE(level_db(out[0][i]) == doctest::Approx(-43.0 + static_cast<double>(i) / 1000.0).epsilon(1e-4));
  }
}
