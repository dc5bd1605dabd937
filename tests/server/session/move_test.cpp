#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/plan_checks.hpp"

// A move keeps uid, connections and sound.
using namespace continuo;
using namespace continuo::session;
using continuo::session::test::document;
using continuo::session::test::Rig;
using continuo::session::test::Sound;

namespace {

const char* const kTwoTracks =
    "{'nodes': [{'id': 'a', 'type': 'track', 'params': {'channels': 1}, 'children': ["
    "{'id': 'up', 'type': 'gain', 'params': {'gain_db': 6}}, {'id': 'down', 'type': 'gain', 'params': {'gain_db': -9}},"
    "{'id': 'low', 'type': 'eq', 'params': {'band1.type': 'low_shelf', 'band1.freq_hz': 300, 'band1.gain_db': 5}},"
    "{'id': 'c', 'type': 'compressor', 'params': {'threshold_db': 0, 'ratio': 1, 'lookahead_ms': 1}}]},"
    "{'id': 'b', 'type': 'track', 'params': {'channels': 1}}, {'id': 'mix', 'type': 'bus'}],"
    "'connections': [{'from': 'in:1', 'to': 'a'}, {'from': 'a', 'to': 'mix'}, {'from': 'mix', 'to': 'out'}]}";

float sine(std::uint32_t, rt::FrameCount frame) {
  return static_cast<float>(0.25 * std::sin(2.0 * M_PI * 440.0 / 48000.0 * static_cast<double>(frame)));
}

struct Stage {
  Document doc = document(kTwoTracks);
  Rig rig{2, 2};
  rt::Uid next_uid = 1000;
  std::vector<float> heard;

  Stage() { rig.input = sine; }
  void play(std::uint32_t frames) {
    const Sound out = rig.render(frames, 100);
    heard.insert(heard.end(), out[0].begin(), out[0].end());
  }
  void edit(const std::string& list) {
    const Result<EditResult> result = test::edit(doc, list, [this] { return next_uid++; });
    if (!result) FAIL(result.error().message);
    rig.take(doc);
    CHECK(test::fault_of(*rig.plan) == "");
  }
  void settle() {
    for (int i = 0; i < 4 && rig.last.fading; ++i) {
      play(rig.last.fade_frames);
      rig.take(doc);
    }
    CHECK_FALSE(rig.last.fading);
  }
};

std::string refusal(std::string_view list) {
  Document doc = document(kTwoTracks);
  const Document before = doc;
  const Result<EditResult> result = test::edit(doc, list, [] { return rt::Uid{99}; });
  REQUIRE_FALSE(result);
  CHECK(doc == before);
  return result.error().reason + " " + result.error().field;
}

}  // namespace

TEST_CASE("move_node takes uid, children and connections along") {
  Document doc = document(kTwoTracks);
  const rt::Uid uid = find_node(doc, "a/low")->uid;
  REQUIRE(test::edit(doc,
                     "[{'move_node': {'path': 'a/low', 'parent': 'b'}}, {'add_node': {'node': {'id': 'rack', "
                     "'type': 'container'}}}, {'move_node': {'path': 'a', 'parent': 'rack', 'id': 'first'}}]",
                     [] { return rt::Uid{99}; }));
  REQUIRE(find_node(doc, "b/low") != nullptr);
  CHECK(find_node(doc, "b/low")->uid == uid);
  CHECK(find_node(doc, "a") == nullptr);
  REQUIRE(find_node(doc, "rack/first/up") != nullptr);
  CHECK(doc.connections[0].to.path == "rack/first");
  CHECK(doc.connections[1].from.path == "rack/first");
  REQUIRE(test::edit(doc, "[{'move_node': {'path': 'rack/first/down', 'before': 'up'}}]", [] { return rt::Uid{99}; }));
  CHECK(find_node(doc, "rack/first")->children[0].id == "down");
  REQUIRE(test::edit(doc, "[{'move_node': {'path': 'rack/first/down', 'before': 'down', 'id': 'd'}}]",
                     [] { return rt::Uid{99}; }));
  CHECK(find_node(doc, "rack/first")->children[0].id == "d");
}

TEST_CASE("move_node refuses, whole, what cannot be") {
  CHECK(refusal("[{'move_node': {'path': 'nobody'}}]") == "UNKNOWN_NODE operations[0].move_node.path");
  CHECK(refusal("[{'move_node': {'path': 'out', 'before': 'a'}}]") == "RESERVED_NODE operations[0].move_node.path");
  CHECK(refusal("[{'move_node': {'path': 'a', 'parent': 'a/up'}}]") == "BELOW_ITSELF operations[0].move_node.parent");
  CHECK(refusal("[{'move_node': {'path': 'a/up', 'parent': 'b/x'}}]") == "UNKNOWN_NODE operations[0].move_node.parent");
  CHECK(refusal("[{'move_node': {'path': 'a/up', 'parent': 'a/down'}}]") ==
        "NO_CHILDREN operations[0].move_node.parent");
  CHECK(refusal("[{'move_node': {'path': 'a/up', 'id': 'down'}}]") == "DUPLICATE_ID operations[0].move_node.id");
  CHECK(refusal("[{'move_node': {'path': 'a/up', 'before': 'x'}}]") == "UNKNOWN_NODE operations[0].move_node.before");
}

TEST_CASE("processors in another order: the sine goes on, what differs is below -90 dBFS") {
  Stage stage;
  stage.rig.take(stage.doc);
  stage.play(48000);
  const char* const kMoves[] = {
      "[{'move_node': {'path': 'a/up'}}]",
      "[{'move_node': {'path': 'a/c', 'before': 'down'}}]",
      "[{'move_node': {'path': 'a/low', 'before': 'c'}}]",
      "[{'move_node': {'path': 'a/up', 'before': 'low'}}, {'move_node': {'path': 'a/down', 'before': 'up'}}]",
  };
  for (std::uint32_t round = 0; round < 5; ++round) {
    for (const char* move : kMoves) {
      stage.edit(move);
      stage.settle();
      stage.play(700 + 37 * round);
    }
  }
  const auto angle = [](std::size_t i) { return 2.0 * M_PI * 440.0 / 48000.0 * static_cast<double>(i); };
  constexpr std::size_t kFrom = 48000 - 12000;  // 110 whole turns
  // Against the sine that it was before the first edit.
  double s = 0.0, c = 0.0;
  for (std::size_t i = kFrom; i < 48000; ++i) {
    s += static_cast<double>(stage.heard[i]) * std::sin(angle(i)) / 6000.0;
    c += static_cast<double>(stage.heard[i]) * std::cos(angle(i)) / 6000.0;
  }
  CHECK(std::hypot(s, c) > 0.05);
  double worst = 0.0;
  for (std::size_t i = kFrom; i < stage.heard.size(); ++i) {
    const double wanted = s * std::sin(angle(i)) + c * std::cos(angle(i));
    worst = std::max(worst, std::abs(static_cast<double>(stage.heard[i]) - wanted));
  }
  CHECK(worst < std::pow(10.0, -90.0 / 20.0));
}

TEST_CASE(
    "processors on another bus and back, also before the move before is over: no click, and the sound of before") {
  Stage stage;
  stage.rig.take(stage.doc);
  stage.play(9600);
  const std::vector<float> before(stage.heard.end() - 4800, stage.heard.end());  // 44 whole turns
  for (const bool hasty : {false, true}) {
    for (const char* move : {"[{'move_node': {'path': 'a/low', 'parent': 'mix'}}]",
                             "[{'move_node': {'path': 'a/down', 'parent': 'mix', 'before': 'low'}}]",
                             "[{'move_node': {'path': 'mix/low', 'before': 'down'}}]",
                             "[{'move_node': {'path': 'mix/down', 'parent': 'a'}}]",
                             "[{'move_node': {'path': 'mix/low', 'parent': 'a'}}]"}) {
      if (hasty) stage.rig.request.faded_plan = 0;  // nothing is over yet
      stage.edit(move);
      if (hasty)
        stage.play(200);
      else
        stage.settle();
    }
  }
  stage.play(6000);
  stage.rig.request.faded_plan = std::numeric_limits<std::uint64_t>::max();
  stage.rig.take(stage.doc);
  stage.settle();
  stage.play(4800 - static_cast<std::uint32_t>(stage.heard.size() % 4800) + 2 * 4800);
  const std::vector<float> after(stage.heard.end() - 4800, stage.heard.end());
  double worst = 0.0, step = 0.0, steepest = 0.0;
  for (std::size_t i = 0; i < after.size(); ++i)
    worst = std::max(worst, static_cast<double>(std::abs(after[i] - before[i])));
  CHECK(worst < 1e-5);
  for (std::size_t i = 2401; i < stage.heard.size(); ++i) {
    const double d = std::abs(static_cast<double>(stage.heard[i]) - static_cast<double>(stage.heard[i - 1]));
    (i < 9600 ? steepest : step) = std::max(i < 9600 ? steepest : step, d);
  }
  // The two ends of the way fade one after the other: for some milliseconds the level is off, more so where moves
  // overlap.
  CHECK(step < 5.0 * steepest);
}
