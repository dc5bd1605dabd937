#include "server/session/crossfade.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "rt/nodes/gain.hpp"
#include "rt/nodes/player.hpp"
#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/plan_checks.hpp"

using namespace continuo;
using namespace continuo::session;
using continuo::session::test::document;
using continuo::session::test::Rig;
using continuo::session::test::Sound;

namespace {

constexpr double kTurns = 440.0 / 48000.0;

float sine(std::uint32_t channel, rt::FrameCount frame) {
  return static_cast<float>(0.5 * std::sin(2.0 * M_PI * (kTurns * static_cast<double>(frame) + 0.25 * channel)));
}
// What the sine itself and a fade of 512 frames may do from one sample to the next, times the gain of all paths.
double allowed(double paths) { return paths * (0.5 * 2.0 * M_PI * kTurns + 0.5 / kEditFadeFrames + 1e-6); }

struct Stage {
  Rig rig{2, 2};
  std::vector<float> heard[2];
  Document doc;
  rt::Uid next_uid = 1000;

  explicit Stage(const char* text) : doc(document(text)) {
    rig.input = sine;
    go(700);
  }
  void go(std::uint32_t frames) {
    rig.take(doc);
    CHECK(test::fault_of(*rig.plan) == "");
    play(frames);
  }
  void play(std::uint32_t frames) {
    const Sound out = rig.render(frames, 100);
    for (std::size_t c = 0; c < 2; ++c) heard[c].insert(heard[c].end(), out[c].begin(), out[c].end());
  }
  void edit(const char* list, std::uint32_t frames = 800) {
    const Result<EditResult> result = test::edit(doc, list, [this] { return next_uid++; });
    if (!result) FAIL(result.error().message);
    go(frames);
  }
  // Fades are over: what they kept goes.
  void settle() {
    for (int i = 0; rig.last.fading; ++i) {
      REQUIRE(i < 3);
      go(600);
    }
    go(600);
    CHECK_FALSE(rig.last.fading);
    CHECK(rig.last.actions.empty());
    for (const rt::Step& step : rig.plan->steps) CHECK_FALSE(step.kind == &rt::edge_kind());
  }
  void smooth(double paths = 1.0) const {
    for (const auto& channel : heard) {
      double worst = 0.0;
      for (std::size_t i = 1; i < channel.size(); ++i)
        worst = std::max(worst, static_cast<double>(std::abs(channel[i] - channel[i - 1])));
      CHECK(worst <= allowed(paths));
    }
  }
  [[nodiscard]] float level() const {  // of the last 200 frames
    float peak = 0.0f;
    for (const auto& channel : heard) {
      for (std::size_t i = channel.size() - 200; i < channel.size(); ++i) peak = std::max(peak, std::abs(channel[i]));
    }
    return peak;
  }
};

const char* const kOne =
    "{'nodes': [{'id': 'a', 'type': 'track'}], 'connections': [{'from': 'in', 'to': 'a'}, {'from': 'a', 'to': 'out'}]}";

}  // namespace

TEST_CASE("the yardstick: without fades an edit does click") {
  Stage stage(kOne);
  stage.rig.request.fade_edits = false;
  stage.edit("[{'disconnect': {'from': 'a', 'to': 'out'}}]");
  double worst = 0.0;
  for (std::size_t i = 1; i < stage.heard[1].size(); ++i)
    worst = std::max(worst, static_cast<double>(std::abs(stage.heard[1][i] - stage.heard[1][i - 1])));
  CHECK(worst > allowed(1.0));
}

TEST_CASE("a broken connection fades out, and is then gone") {
  Stage stage(kOne);
  stage.edit("[{'disconnect': {'from': 'a', 'to': 'out'}}]");
  CHECK(stage.rig.last.fading);
  REQUIRE(stage.rig.last.actions.size() == 1);
  CHECK(stage.rig.last.actions[0].ramp_frames == kEditFadeFrames);
  stage.smooth();
  CHECK(stage.level() == 0.0f);
  stage.settle();
  CHECK(stage.rig.destroyed == 1);  // the edge
}

TEST_CASE("a removed track sounds on while it fades; its nodes come home once it is over") {
  Stage stage(kOne);
  stage.edit("[{'remove_node': {'path': 'a'}}]", 100);
  CHECK(stage.level() > 0.1f);
  CHECK(stage.rig.destroyed == 1);  // its meter looks at nothing any more
  CHECK(stage.rig.last.meters.size() == 2);
  stage.play(700);
  CHECK(stage.level() == 0.0f);
  stage.settle();
  CHECK(stage.rig.destroyed == 3);  // meter, fader, edge
  stage.smooth();
}

TEST_CASE("a new connection of something that sounds fades in") {
  Stage stage(kOne);
  stage.edit("[{'connect': {'from': 'in', 'to': 'out'}}]");
  CHECK_FALSE(stage.rig.last.fading);
  CHECK(stage.rig.last.actions.size() == 1);
  stage.settle();
  stage.edit(
      "[{'add_node': {'node': {'id': 'b', 'type': 'track'}}}, {'connect': {'from': 'in', 'to': 'b'}}, {'connect': "
      "{'from': 'b', 'to': 'out'}}]");
  CHECK(stage.rig.last.actions.size() == 1);  // at the place where it meets what was there before
  stage.settle();
  CHECK(stage.level() == doctest::Approx(1.5).epsilon(0.01));
  stage.smooth(3.0);
}

TEST_CASE("a gain on a connection changes by crossfade") {
  Stage stage(kOne);
  stage.edit("[{'disconnect': {'from': 'a', 'to': 'out'}}, {'connect': {'from': 'a', 'to': 'out', 'gain_db': -20}}]");
  CHECK(stage.rig.last.actions.size() == 2);
  CHECK(stage.level() == doctest::Approx(0.05).epsilon(0.01));
  stage.edit("[{'disconnect': {'from': 'a', 'to': 'out'}}, {'connect': {'from': 'a', 'to': 'out', 'gain_db': -150}}]");
  stage.edit("[{'disconnect': {'from': 'a', 'to': 'out'}}, {'connect': {'from': 'a', 'to': 'out'}}]");
  CHECK(stage.level() == doctest::Approx(0.5).epsilon(0.01));
  stage.settle();
  stage.smooth();
}

TEST_CASE("an insert comes and goes in a running chain") {
  Stage stage(
      "{'nodes': [{'id': 'a', 'type': 'track', 'children': [{'id': 'g', 'type': 'gain', 'params': {'gain_db': -1}}]}], "
      "'connections': [{'from': 'in', 'to': 'a'}, {'from': 'a', 'to': 'out'}]}");
  stage.edit(
      "[{'add_node': {'parent': 'a', 'before': 'g', 'node': {'id': 'soft', 'type': 'gain', 'params': {'gain_db': "
      "-40}}}}]");
  CHECK(stage.level() < 0.01f);
  stage.edit("[{'remove_node': {'path': 'a/soft'}}, {'remove_node': {'path': 'a/g'}}]");
  CHECK(stage.level() == doctest::Approx(0.5).epsilon(0.01));
  stage.settle();
  stage.smooth();
}

TEST_CASE("a track becomes wider and narrower under sound") {
  Stage stage(
      "{'nodes': [{'id': 'a', 'type': 'track'}], 'connections': [{'from': 'in:1', 'to': 'a'}, {'from': 'a', 'to': "
      "'out'}]}");
  stage.edit("[{'connect': {'from': 'in', 'to': 'a', 'channels': [{'from': 2, 'to': 2}]}}]");
  stage.settle();
  stage.edit("[{'disconnect': {'from': 'in', 'to': 'a'}}]");
  stage.settle();
  stage.edit("[{'set_params': {'path': 'a', 'values': {'channels': 4}}}]");
  stage.settle();
  stage.edit("[{'connect': {'from': 'in', 'to': 'out:7'}}]");
  stage.edit(
      "[{'disconnect': {'from': 'in', 'to': 'out:7'}}, {'set_params': {'path': 'a', 'values': {'channels': 1}}}]");
  stage.settle();
  stage.smooth(1.5);
}

TEST_CASE("edits during a fade: what fades goes on from where it is") {
  Stage stage(kOne);
  stage.rig.request.faded_plan = 0;  // nothing is over yet
  stage.edit("[{'disconnect': {'from': 'a', 'to': 'out'}}]", 200);
  stage.edit("[{'connect': {'from': 'in', 'to': 'out'}}]", 150);
  CHECK(stage.rig.last.fading);
  CHECK(stage.rig.last.actions.size() == 1);  // the new one only
  stage.edit("[{'remove_node': {'path': 'a'}}]", 50);
  CHECK(stage.rig.last.fading);
  stage.edit("[{'disconnect': {'from': 'in', 'to': 'out'}}]", 100);  // still rising: down from there
  stage.edit("[{'connect': {'from': 'in', 'to': 'out'}}]", 700);
  CHECK(stage.level() == doctest::Approx(0.5).epsilon(0.01));
  CHECK(stage.rig.last.fading);
  stage.rig.request.faded_plan = stage.rig.plan->id;
  stage.go(100);
  CHECK_FALSE(stage.rig.last.fading);
  stage.settle();
  stage.smooth(2.0);
}

TEST_CASE("only what an old enough plan broke is dropped") {
  Stage stage("{'connections': [{'from': 'in', 'to': 'out'}, {'from': 'in:1', 'to': 'out:1'}]}");
  stage.rig.request.faded_plan = 0;
  stage.edit("[{'disconnect': {'from': 'in', 'to': 'out'}}]", 300);
  const std::uint64_t first = stage.rig.plan->id;
  stage.edit("[{'disconnect': {'from': 'in:1', 'to': 'out:1'}}]", 300);
  stage.rig.request.faded_plan = first;
  stage.go(300);
  CHECK(stage.rig.destroyed == 1);
  CHECK(stage.rig.last.fading);
  stage.rig.request.faded_plan = stage.rig.plan->id;
  stage.go(64);
  CHECK(stage.rig.destroyed == 2);
  CHECK_FALSE(stage.rig.last.fading);
  stage.smooth(2.0);
}

TEST_CASE(
    "a connection turned round: what lies on the circle runs twice, once each way, while the one fades to the other") {
  Stage stage(
      "{'nodes': [{'id': 'a', 'type': 'bus'}, {'id': 'b', 'type': 'bus'}], 'connections': [{'from': 'in', 'to': 'a'}, "
      "{'from': 'in', 'to': 'b'}, "
      "{'from': 'a', 'to': 'b'}, {'from': 'a', 'to': 'out'}, {'from': 'b', 'to': 'out'}]}");
  stage.edit("[{'disconnect': {'from': 'a', 'to': 'b'}}, {'connect': {'from': 'b', 'to': 'a'}}]");
  CHECK(stage.rig.last.fading);
  CHECK(stage.rig.last.actions.size() == 8);  // two buses, at the output and at their meters: one falls, one rises
  CHECK(stage.level() == doctest::Approx(1.5).epsilon(0.01));
  stage.go(600);
  CHECK_FALSE(stage.rig.last.fading);
  CHECK(stage.rig.last.actions.empty());
  CHECK(stage.level() == doctest::Approx(1.5).epsilon(0.01));
  stage.settle();
  stage.smooth(3.0);
}

TEST_CASE("a player that waits for its start is connected at once: the first sample is right") {
  Rig rig(0, 2);
  rig.media["p.wav"] = {.channels = 2, .sample_rate_hz = 48000, .frames = 8192};
  Document doc = document(
      "{'nodes': [{'id': 'a', 'type': 'track', 'children': [{'id': 'p', 'type': 'player', 'params': {'file': "
      "'p.wav'}}]}]}");
  rig.take(doc);
  rig.render(300);
  rt::Uid uid = 100;
  REQUIRE(test::edit(doc, "[{'connect': {'from': 'a', 'to': 'out'}}]", [&] { return uid++; }));
  rig.take(doc);
  CHECK(rig.last.actions.empty());
  rig.render(10);
  rig.start_timeline();
  rig.take(doc);
  const Sound out = rig.render(64);
  for (rt::FrameCount i = 0; i < 64; ++i)
    CHECK(out[1][static_cast<std::size_t>(i)] == test::test_sample("p.wav", 1, i));
  // Rolling, another track does fade in.
  REQUIRE(test::edit(doc,
                     "[{'add_node': {'node': {'id': 'b', 'type': 'player', 'params': {'file': 'p.wav'}}}}, {'connect': "
                     "{'from': 'b', 'to': 'out'}}]",
                     [&] { return uid++; }));
  rig.request.timeline_rolling = true;
  rig.take(doc);
  CHECK(rig.last.actions.size() == 1);
  rig.render(64);
}

TEST_CASE("a player that is removed, or gets another file, plays on from its own source while it fades") {
  Rig rig(0, 2);
  rig.media["p.wav"] = rig.media["q.wav"] = {.channels = 2, .sample_rate_hz = 48000, .frames = 8192};
  Document doc = document(
      "{'nodes': [{'id': 'p', 'type': 'player', 'params': {'file': 'p.wav'}}], 'connections': [{'from': 'p', 'to': "
      "'out'}]}");
  rig.start_timeline();
  rig.take(doc);
  rig.render(100);
  rig.request.timeline_rolling = true;
  rt::Uid uid = 100;
  REQUIRE(test::edit(doc, "[{'set_params': {'path': 'p', 'values': {'file': 'q.wav'}}}]", [&] { return uid++; }));
  rig.take(doc);
  REQUIRE(rig.last.players.size() == 1);
  CHECK(rig.last.players[0].fresh);
  CHECK(rig.last.fading);
  const Sound out = rig.render(512);
  for (std::size_t i = 0; i < 512; ++i) {
    const auto frame = static_cast<rt::FrameCount>(i);
    const double fade = static_cast<double>(i) / 512.0;
    // The new player has its source from its first frame on: late frames are dropped, it is in its place at once.
    const double want =
        (1.0 - fade) * test::test_sample("p.wav", 0, frame + 100) + fade * test::test_sample("q.wav", 0, frame + 100);
    CHECK(out[0][i] == doctest::Approx(want).epsilon(1e-4));
  }
  rig.take(doc);
  rig.render(64);
  CHECK(rig.destroyed == 3);  // the old player, its edge, and the edge on which the new one rose
  CHECK_FALSE(rig.last.fading);
}

TEST_CASE("a recorder that comes under sound has every sample from its first on, unfaded") {
  Stage stage(kOne);
  stage.rig.request.record_taps = {"a", "out"};
  stage.go(64);
  CHECK(stage.rig.last.actions.empty());
  const Sound taken = stage.rig.recorded("out");
  for (std::size_t i = 0; i < 64; ++i) CHECK(taken[1][i] == stage.heard[1][700 + i]);
}

TEST_CASE("a channel count of the device changes without a fade where the document does not") {
  Stage stage(kOne);
  stage.rig.request.shape.in_channels = 2;
  stage.go(100);
  CHECK(stage.rig.last.actions.empty());
  CHECK(stage.rig.last.dropped.empty());
}
