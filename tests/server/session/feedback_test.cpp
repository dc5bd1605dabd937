#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "rt/nodes/feedback.hpp"
#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/plan_checks.hpp"

// A circle of connections is allowed through a feedback, and there alone.
using namespace continuo;
using namespace continuo::session;
using test::document;
using test::Rig;
using test::Sound;

namespace {

const char* const kRound =
    "{'nodes': [{'id': 'a', 'type': 'bus'}, {'id': 'b', 'type': 'bus', 'children': [{'id': 'd', 'type': 'gain', "
    "'params': {'gain_db': -3}}]}, {'id': 'f', 'type': 'feedback', 'params': {'time_ms': 12.5}}], 'connections': ["
    "{'from': 'in', 'to': 'a'}, {'from': 'a', 'to': 'b'}, {'from': 'b', 'to': 'f'}, {'from': 'f', 'to': 'a', "
    "'gain_db': -2}, {'from': 'b', 'to': 'out'}]}";

std::string refusal(Document& doc, std::string_view list) {
  const auto result = test::edit(doc, list, [] { return rt::Uid{99}; });
  REQUIRE_FALSE(result);
  return result.error().reason + ": " + result.error().message;
}

}  // namespace

TEST_CASE("a circle through a feedback sounds the same in device buffers of any size") {
  Sound first;
  for (const std::uint32_t buffer : {64u, 1u, 17u, 65u, 512u, 1000u, 4096u}) {
    Rig rig(2, 2);
    rig.take(document(kRound));
    CHECK(test::fault_of(*rig.plan) == "");
    const Sound out = rig.render(5000, buffer);
    if (first.empty()) first = out;
    CHECK(out == first);
  }
  // 600 frames a round.
  CHECK(first[0][599] == test::test_sample("in", 0, 599) * std::pow(10.0f, -0.15f));
  CHECK(first[0][600] != test::test_sample("in", 0, 600) * std::pow(10.0f, -0.15f));
}

TEST_CASE("a shorter feedback than the engine can make is as short as it can be") {
  Rig rig(2, 2);
  rig.input = [](std::uint32_t, rt::FrameCount frame) { return frame == 0 ? 1.0f : 0.0f; };
  rig.take(
      document("{'nodes': [{'id': 'f', 'type': 'feedback', 'params': {'time_ms': 1}}], 'connections': [{'from': 'in', "
               "'to': 'f'}, {'from': 'f', 'to': 'out'}]}"));
  const Sound out = rig.render(1200, 1000);
  for (std::size_t i = 0; i < 1200; ++i) CHECK(out[1][i] == (i == rt::kLeastFeedbackFrames ? 1.0f : 0.0f));
}

TEST_CASE("any other circle is refused, and so is a feedback in a chain") {
  Document doc = document(kRound);
  const std::string circle = refusal(doc, "[{'connect': {'from': 'b', 'to': 'a'}}]");
  CHECK(circle.starts_with("CYCLE"));
  CHECK(circle.find("a -> b -> a") != std::string::npos);
  CHECK(circle.find("feedback") != std::string::npos);
  CHECK(refusal(doc, "[{'add_node': {'parent': 'a', 'node': {'id': 'g', 'type': 'feedback'}}}]")
            .starts_with("WRONG_PLACE"));
}

TEST_CASE("a feedback comes, changes its time, and goes under sound without a step") {
  Rig rig(2, 2);
  rig.input = [](std::uint32_t, rt::FrameCount) { return 0.25f; };
  Document doc = document(
      "{'nodes': [{'id': 'a', 'type': 'bus'}], 'connections': [{'from': 'in', 'to': 'a'}, {'from': 'a', 'to': "
      "'out'}]}");
  std::vector<float> heard;
  rt::Uid uid = 100;
  const auto go = [&](const char* list) {
    const auto result = test::edit(doc, list, [&] { return uid++; });
    if (!result) FAIL(result.error().message);
    for (int i = 0; i < 2; ++i) {
      rig.take(doc);
      CHECK(test::fault_of(*rig.plan) == "");
      const Sound out = rig.render(9600, 100);
      heard.insert(heard.end(), out[0].begin(), out[0].end());
    }
  };
  go("[]");
  go("[{'add_node': {'node': {'id': 'f', 'type': 'feedback'}}}, {'connect': {'from': 'a', 'to': 'f', 'gain_db': -6}}, "
     "{'connect': {'from': 'f', 'to': 'a'}}]");
  CHECK(heard.back() == doctest::Approx(0.25 / (1.0 - std::pow(10.0, -0.3))).epsilon(1e-3));
  go("[{'set_params': {'path': 'f', 'values': {'time_ms': 35}}}]");
  CHECK(heard.back() == doctest::Approx(0.25 / (1.0 - std::pow(10.0, -0.3))).epsilon(1e-2));
  go("[{'remove_node': {'path': 'f'}}]");
  CHECK(heard.back() == 0.25f);
  double step = 0.0;
  for (std::size_t i = 1; i < heard.size(); ++i)
    step = std::max(step, std::abs(static_cast<double>(heard[i]) - static_cast<double>(heard[i - 1])));
  CHECK(step < 0.005);
}
