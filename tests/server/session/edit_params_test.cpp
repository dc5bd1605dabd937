#include <limits>

#include "rt/nodes/gain.hpp"
#include "rt/nodes/generator.hpp"
#include "tests/server/session/edit_cases.hpp"

using namespace continuo;
using namespace continuo::session;
using continuo::session::test::applies;
using continuo::session::test::counter;
using continuo::session::test::mixer;
using continuo::session::test::refuses;

TEST_CASE("set_params: moves on the audio thread without a new plan, or a new plan") {
  Document document = mixer();
  EditResult result =
      applies(document,
              "[{'set_params': {'path': 'osc', 'values': {'waveform': 'saw', 'gain_db': -12}, 'ramp_ms': 250}}, "
              "{'set_params': {'path': 'a', 'values': {'pan': -1}}}]");
  CHECK(result.changed);
  CHECK_FALSE(result.structural);
  REQUIRE(result.params.size() == 3);
  CHECK(result.params[0].param == "gain_db");
  CHECK(result.params[0].rt_index == rt::OscillatorParam::gain_db);
  CHECK(result.params[0].ramp_ms == 250.0);
  CHECK(result.params[1].value == 3.0);
  CHECK(result.params[2].rt_index == rt::FaderParam::pan);
  CHECK(result.params[2].ramp_ms == 20.0);
  CHECK(result.params[2].node == find_node(document, "a")->uid);
  result = applies(document, "[{'set_params': {'path': 'a/p', 'values': {'file': 'x.wav'}}}]");
  CHECK(result.structural);
  CHECK(result.params.empty());
}

TEST_CASE("set_params to what it is: no change of the document, but a ramp under way ends where this says") {
  Document document = mixer();
  applies(document, "[{'set_params': {'path': 'a', 'values': {'gain_db': -6}}}]");
  const EditResult result =
      applies(document, "[{'set_params': {'path': 'a', 'values': {'gain_db': -6, 'channels': 0}}}]");
  CHECK_FALSE(result.changed);
  CHECK_FALSE(result.structural);
  CHECK(result.params.size() == 1);
  applies(document, "[{'set_params': {'path': 'a', 'values': {'gain_db': 0}}}]");
  CHECK(find_node(document, "a")->params.empty());  // back at its default
}

TEST_CASE("a choice whose name is a number may be given as the number, and is its text from there on") {
  Document document = mixer();
  EditResult result = applies(
      document,
      "[{'add_node': {'parent': 'a', 'node': {'id': 'eq', 'type': 'eq', 'params': {'band1.slope_db_per_oct': 36, "
      "'band2.slope_db_per_oct': 12}}}}, "
      "{'set_params': {'path': 'a/eq', 'values': {'band3.slope_db_per_oct': 24}}}]");
  const DocNode& eq = *find_node(document, "a/eq");
  CHECK(eq.params.size() == 2);  // 12 is the default
  CHECK(eq.params.at("band1.slope_db_per_oct") == Value(std::string("36")));
  CHECK(eq.params.at("band3.slope_db_per_oct") == Value(std::string("24")));
  // The watch tells the text too.
  const auto& told = result.accepted.at(1).set_params().values();
  CHECK(told.at("band3.slope_db_per_oct").string_value() == "24");
  refuses("[{'set_params': {'path': 'osc', 'values': {'waveform': 1}}}]", "WRONG_KIND",
          "operations[0].set_params.values.waveform");
  const Result<EditResult> none = test::edit(
      document, "[{'set_params': {'path': 'a/eq', 'values': {'band3.slope_db_per_oct': 25}}}]", counter(2000));
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "band3.slope_db_per_oct must be one of \"12\" \"24\" \"36\" \"48\", not 25");
}

TEST_CASE("set_params is refused") {
  refuses("[{'set_params': {'path': 'x', 'values': {'gain_db': 0}}}]", "UNKNOWN_NODE", "operations[0].set_params.path",
          ErrorKind::not_found);
  refuses("[{'set_params': {'path': 'a'}}]", "MISSING_FIELD", "operations[0].set_params.values");
  refuses("[{'set_params': {'path': 'a', 'values': {'gain': 0}}}]", "UNKNOWN_PARAM",
          "operations[0].set_params.values.gain");
  refuses(
      "[{'set_params': {'path': 'a', 'values': {'pan': 0.5}}}, {'set_params': {'path': 'a', 'values': {'gain_db': "
      "25}}}]",
      "OUT_OF_RANGE", "operations[1].set_params.values.gain_db");
  refuses("[{'set_params': {'path': 'a', 'values': {'gain_db': 'loud'}}}]", "WRONG_KIND",
          "operations[0].set_params.values.gain_db");
  refuses("[{'set_params': {'path': 'a', 'values': {'gain_db': null}}}]", "WRONG_KIND",
          "operations[0].set_params.values.gain_db");
  refuses("[{'set_params': {'path': 'a', 'values': {'gain_db': 0}, 'ramp_ms': -1}}]", "OUT_OF_RANGE",
          "operations[0].set_params.ramp_ms");
  refuses("[{'set_params': {'path': 'a', 'values': {'gain_db': 0}, 'ramp_ms': 600001}}]", "OUT_OF_RANGE",
          "operations[0].set_params.ramp_ms");
  refuses("[{'set_params': {'path': 'a', 'values': {'gain_db': 0}, 'ramp_ms': 'NaN'}}]", "NOT_FINITE",
          "operations[0].set_params.ramp_ms");
  refuses("[{'set_params': {'path': 'out', 'values': {'gain_db': 0}}}]", "UNKNOWN_PARAM",
          "operations[0].set_params.values.gain_db");
}

TEST_CASE("values that JSON cannot carry, but the wire can") {
  google::protobuf::RepeatedPtrField<v1::Operation> list;
  auto& values = *list.Add()->mutable_set_params()->mutable_values();
  list[0].mutable_set_params()->set_path("a");
  Document document = mixer();
  values["gain_db"].Clear();
  CHECK(apply_operations(document, list, counter()).error().reason == "EMPTY_VALUE");
  for (const double wrong : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    values["gain_db"].set_number_value(wrong);
    const Result<EditResult> result = apply_operations(document, list, counter());
    REQUIRE_FALSE(result);
    CHECK(result.error().reason == "NOT_FINITE");
    CHECK(result.error().field == "operations[0].set_params.values.gain_db");
  }
  list.Clear();
  list.Add();
  CHECK(apply_operations(document, list, counter()).error().reason == "EMPTY_OPERATION");
  list[0].mutable_set_label()->set_path("a");
  list[0].mutable_set_label()->set_label("x");
  CHECK(apply_operations(document, list, counter()));
}

TEST_CASE("mute and solo reach every fader whose sound they change, and no other") {
  Document document = mixer();
  EditResult result = applies(document, "[{'set_params': {'path': 'a', 'values': {'solo': true}, 'ramp_ms': 5}}]");
  REQUIRE(result.params.size() == 1);  // verb is fed by a: it stays
  CHECK(result.params[0].path == "b");
  CHECK(result.params[0].param == "audible");
  CHECK(result.params[0].rt_index == rt::FaderParam::audible);
  CHECK(result.params[0].value == 0.0);
  CHECK(result.params[0].ramp_ms == 5.0);
  CHECK_FALSE(result.structural);
  result = applies(document, "[{'set_params': {'path': 'a', 'values': {'mute': true, 'solo': false}}}]");
  REQUIRE(result.params.size() == 2);
  CHECK(result.params[0].path == "a");
  CHECK(result.params[0].value == 0.0);
  CHECK(result.params[1].path == "b");
  CHECK(result.params[1].value == 1.0);
  // On and off in one list: nothing to do.
  CHECK(applies(document,
                "[{'set_params': {'path': 'b', 'values': {'mute': true}}}, {'set_params': {'path': 'b', 'values': "
                "{'mute': false}}}]")
            .params.empty());
}

TEST_CASE("removing the soloed track, or wiring it up, changes who is heard") {
  Document document = mixer();
  applies(document, "[{'set_params': {'path': 'b', 'values': {'solo': true}}}]");
  EditResult result = applies(document, "[{'connect': {'from': 'b', 'to': 'verb'}}]");
  REQUIRE(result.params.size() == 1);
  CHECK(result.params[0].path == "verb");
  CHECK(result.params[0].value == 1.0);
  result = applies(document, "[{'remove_node': {'path': 'b'}}]");
  REQUIRE(result.params.size() == 1);
  CHECK(result.params[0].path == "a");
}
