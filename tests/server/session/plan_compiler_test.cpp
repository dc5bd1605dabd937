#include "server/session/plan_compiler.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "rt/dsp/math.hpp"
#include "rt/nodes/gain.hpp"
#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/plan_checks.hpp"

using namespace continuo;
using namespace continuo::session;
using continuo::session::test::document;
using continuo::session::test::Rig;
using continuo::session::test::Sound;
using continuo::session::test::test_sample;

namespace {

// Every frame of one channel, from the start of the timeline.
template <class Sample>
void is(const std::vector<float>& channel, Sample&& expected) {
  for (std::size_t i = 0; i < channel.size(); ++i) {
    const float want = expected(static_cast<rt::FrameCount>(i));
    if (channel[i] == want) continue;
    CAPTURE(i);
    CHECK(channel[i] == want);
    return;
  }
}
float in(std::uint32_t channel, rt::FrameCount frame) { return test_sample("in", channel, frame); }
bool silent(const std::vector<float>& channel) {
  return std::all_of(channel.begin(), channel.end(), [](float x) { return x == 0.0f; });
}

}  // namespace

TEST_CASE("an empty document has meters for in and out, and is silent") {
  Rig rig(2, 2);
  rig.take(document("{}"));
  REQUIRE(rig.last.meters.size() == 2);
  CHECK(rig.last.meters[0].path == "in");
  CHECK(rig.last.meters[0].channels == 2);
  CHECK(rig.last.meters[1].path == "out");
  CHECK(rig.last.meters[1].channels == 2);
  CHECK(rig.last.meters[1].slots->size() == 2);
  CHECK(rig.last.players.empty());
  CHECK_FALSE(rig.last.fading);
  CHECK(test::fault_of(*rig.plan).empty());
  const rt::MeterLook look(rig.last.meters[0].slots);
  for (const auto& channel : rig.render(1000)) CHECK(silent(channel));
  CHECK((*rig.last.meters[0].slots)[0].published() >= 1);  // one or two windows end in 1,000 frames
  CHECK((*rig.last.meters[0].slots)[0].published() <= 2);
}

TEST_CASE("no device inputs: the meter of in has no channels, nothing breaks") {
  Rig rig(0, 2);
  rig.take(
      document("{'nodes': [{'id': 'a', 'type': 'track'}], 'connections': [{'from': 'in', 'to': 'a'}, {'from': 'in:3', "
               "'to': 'out'}, {'from': 'a', 'to': 'out'}]}"));
  CHECK(rig.last.meters[0].channels == 0);
  CHECK(test::fault_of(*rig.plan).empty());
  for (const auto& channel : rig.render(200)) CHECK(silent(channel));
}

TEST_CASE("device channels: in is all of them, in:N one, out:N from there on") {
  Rig rig(4, 6);
  rig.take(
      document("{'connections': [{'from': 'in:3', 'to': 'out:2'}, {'from': 'in', 'to': 'out:3', 'gain_db': -6}]}"));
  CHECK(rig.last.meters.back().channels == 6);
  const Sound out = rig.render(300);
  const float half = rt::dsp::db_to_gain(-6.0);
  CHECK(silent(out[0]));
  is(out[1], [](rt::FrameCount f) { return in(2, f); });
  for (std::uint32_t c = 0; c < 4; ++c) is(out[2 + c], [&](rt::FrameCount f) { return in(c, f) * half; });
}

TEST_CASE("out is as wide as what is connected, whatever the device has") {
  Rig rig(1, 2);
  rig.take(document("{'connections': [{'from': 'in', 'to': 'out:8'}]}"));
  CHECK(rig.last.meters.back().channels == 8);
  for (const auto& channel : rig.render(100)) CHECK(silent(channel));
}

TEST_CASE("one channel into a wider sink goes to its first only; a map sends it elsewhere") {
  Rig rig(1, 2);
  rig.take(
      document("{'nodes': [{'id': 'b', 'type': 'bus'}], 'connections': [{'from': 'in', 'to': 'b'}, {'from': 'b', 'to': "
               "'out'}]}"));
  Sound out = rig.render(100);
  is(out[0], [](rt::FrameCount f) { return in(0, f); });
  CHECK(silent(out[1]));
  Rig swapped(2, 2);
  swapped.take(
      document("{'nodes': [{'id': 'b', 'type': 'bus'}], 'connections': [{'from': 'in', 'to': 'b', 'channels': "
               "[{'from': 1, 'to': 2}, {'from': 2, 'to': 1}, "
               "{'from': 9, 'to': 1}]}, {'from': 'b', 'to': 'out'}]}"));
  out = swapped.render(100);
  is(out[0], [](rt::FrameCount f) { return in(1, f); });
  is(out[1], [](rt::FrameCount f) { return in(0, f); });
}

TEST_CASE("a track: one channel is panned to two, two are balanced, its gain and mute") {
  Rig rig(1, 2);
  rig.take(
      document("{'nodes': [{'id': 'a', 'type': 'track'}], 'connections': [{'from': 'in', 'to': 'a'}, {'from': 'a', "
               "'to': 'out'}]}"));
  Sound out = rig.render(64);
  CHECK(out[0] == out[1]);
  for (std::size_t i = 0; i < 64; ++i)
    CHECK(out[0][i] == doctest::Approx(in(0, static_cast<rt::FrameCount>(i)) * 0.70710678f));

  Rig stereo(2, 2);
  stereo.take(
      document("{'nodes': [{'id': 'a', 'type': 'track', 'params': {'gain_db': -10}}], 'connections': [{'from': 'in', "
               "'to': 'a'}, {'from': 'a', 'to': 'out'}]}"));
  out = stereo.render(64);
  const float factor = rt::dsp::db_to_gain(-10.0);
  for (std::uint32_t c = 0; c < 2; ++c) is(out[c], [&](rt::FrameCount f) { return in(c, f) * factor; });

  Rig muted(2, 2);
  muted.take(
      document("{'nodes': [{'id': 'a', 'type': 'track', 'params': {'mute': true}}], 'connections': [{'from': 'in', "
               "'to': 'a'}, {'from': 'a', 'to': 'out'}, "
               "{'from': 'a:pre', 'to': 'out:2', 'channels': [{'from': 2, 'to': 1}]}]}"));
  out = muted.render(64);
  CHECK(silent(out[0]));
  is(out[1], [](rt::FrameCount f) { return in(1, f); });
}

TEST_CASE("a chain runs in order, its sources add to what comes before, and recorders hear it at their place") {
  Rig rig(1, 2);
  rig.media["p.wav"] = {.channels = 2, .sample_rate_hz = 48000, .frames = 8192};
  const Document chain = document(
      "{'nodes': [{'id': 'a', 'type': 'track', 'children': [{'id': 'g1', 'type': 'gain', 'params': {'gain_db': -20}}, "
      "{'id': 'r1', 'type': 'recorder'}, "
      "{'id': 'p', 'type': 'player', 'params': {'file': 'p.wav', 'start_s': 0.001}}, {'id': 'r2', 'type': 'recorder'}, "
      "{'id': 'm', 'type': 'meter', 'label': 'M'}, "
      "{'id': 'g2', 'type': 'gain', 'params': {'gain_db': 6}}, {'id': 'r3', 'type': 'recorder'}]}], "
      "'connections': [{'from': 'in', 'to': 'a'}, {'from': 'a', 'to': 'out'}]}");
  rig.start_timeline();
  rig.take(chain);
  CHECK(test::fault_of(*rig.plan).empty());
  REQUIRE(rig.last.recorders.size() == 3);
  CHECK(rig.last.recorders[0].channels == 1);
  CHECK(rig.last.recorders[1].channels == 2);
  REQUIRE(rig.last.players.size() == 1);
  CHECK(rig.last.players[0].timeline_start == 48);
  CHECK(rig.last.players[0].fresh);
  REQUIRE(rig.last.meters.size() == 4);  // in, a, a/m, out
  CHECK(rig.last.meters[1].path == "a");
  CHECK(rig.last.meters[2].path == "a/m");
  CHECK(rig.last.meters[2].label == "M");
  const Sound out = rig.render(500, 37);
  const float soft = rt::dsp::db_to_gain(-20.0);
  const float loud = rt::dsp::db_to_gain(6.0);
  const auto player = [](std::uint32_t c, rt::FrameCount f) { return f < 48 ? 0.0f : test_sample("p.wav", c, f - 48); };
  const Sound r1 = rig.recorded("a/r1");
  const Sound r2 = rig.recorded("a/r2");
  const Sound r3 = rig.recorded("a/r3");
  REQUIRE(r1[0].size() == 500);
  is(r1[0], [&](rt::FrameCount f) { return in(0, f) * soft; });
  is(r2[0], [&](rt::FrameCount f) { return in(0, f) * soft + player(0, f); });
  is(r2[1], [&](rt::FrameCount f) { return player(1, f); });
  is(r3[0], [&](rt::FrameCount f) { return (in(0, f) * soft + player(0, f)) * loud; });
  CHECK(out[0] == r3[0]);  // a balanced fader in the middle changes nothing
}

TEST_CASE("taps record a track, a bus, in and out after their faders") {
  Rig rig(2, 2);
  rig.request.record_taps = {"a", "in", "out"};
  rig.take(
      document("{'nodes': [{'id': 'a', 'type': 'track', 'params': {'gain_db': -3}}, {'id': 'b', 'type': 'track'}], "
               "'connections': [{'from': 'in', 'to': 'a'}, {'from': 'in', 'to': 'b'}, {'from': 'a', 'to': 'out'}, "
               "{'from': 'b', 'to': 'out'}]}"));
  REQUIRE(rig.last.recorders.size() == 3);
  CHECK(rig.last.recorders[0].path == "in");
  CHECK(rig.last.recorders[1].path == "a");
  CHECK(rig.last.recorders[2].path == "out");
  CHECK(rig.last.recorders[2].uid == kDeviceOutUid);
  const Sound out = rig.render(200);
  const float factor = rt::dsp::db_to_gain(-3.0);
  CHECK(rig.recorded("out") == out);
  is(rig.recorded("in")[1], [](rt::FrameCount f) { return in(1, f); });
  is(rig.recorded("a")[0], [&](rt::FrameCount f) { return in(0, f) * factor; });
}

TEST_CASE("widths: auto, fixed, bus at least two; a missing file is one silent channel") {
  Rig rig(6, 2);
  rig.media["five.wav"] = {.channels = 5, .sample_rate_hz = 48000, .frames = 100};
  rig.take(document(
      "{'nodes': [{'id': 'none', 'type': 'track'}, {'id': 'bus', 'type': 'bus'}, {'id': 'six', 'type': 'track'}, "
      "{'id': 'two', 'type': 'track', 'params': {'channels': 2}}, "
      "{'id': 'map', 'type': 'track'}, {'id': 'five', 'type': 'track', 'children': [{'id': 'p', 'type': 'player', "
      "'params': {'file': 'five.wav'}}]}, "
      "{'id': 'gone', 'type': 'track', 'children': [{'id': 'p', 'type': 'player', 'params': {'file': 'gone.wav'}}]}], "
      "'connections': [{'from': 'in', 'to': 'six'}, {'from': 'in', 'to': 'two'}, {'from': 'in', 'to': 'map', "
      "'channels': [{'from': 1, 'to': 4}]}, {'from': 'in:1', 'to': 'bus'}]}"));
  std::map<std::string, std::uint32_t> width;
  for (const CompiledMeter& meter : rig.last.meters) width[meter.path] = meter.channels;
  CHECK(width["none"] == 2);  // one silent channel, panned
  CHECK(width["bus"] == 2);
  CHECK(width["six"] == 6);
  CHECK(width["two"] == 2);
  CHECK(width["map"] == 4);
  CHECK(width["five"] == 5);
  CHECK(width["gone"] == 2);
  REQUIRE(rig.last.players.size() == 2);
  CHECK(rig.last.players[1].channels == 0);
  CHECK(test::fault_of(*rig.plan).empty());
}

TEST_CASE("more inputs than a leaf: the order of the sum is the document's") {
  Rig rig(40, 1);
  std::string list;
  for (int i = 40; i >= 1; --i)
    list += std::string(list.empty() ? "" : ", ") + "{'from': 'in:" + std::to_string(i) + "', 'to': 'out:1'}";
  rig.take(document("{'connections': [" + list + "]}"));
  const Sound out = rig.render(128);
  is(out[0], [](rt::FrameCount f) {
    float total = 0.0f;
    for (std::uint32_t leaf = 0; leaf < 40; leaf += 16) {
      float part = in(39 - leaf, f);
      for (std::uint32_t k = leaf + 1; k < std::min(leaf + 16, 40u); ++k) part += in(39 - k, f);
      total = leaf == 0 ? part : total + part;
    }
    return total;
  });
}

TEST_CASE("param_target finds faders, inserts and sources; a command sent there is heard") {
  Rig rig(2, 2);
  const Document mixer = document(
      "{'nodes': [{'id': 'a', 'type': 'track', 'children': [{'id': 'g', 'type': 'gain'}, {'id': 'm', 'type': "
      "'meter'}]}, {'id': 'n', 'type': 'noise'}], "
      "'connections': [{'from': 'in', 'to': 'a'}, {'from': 'a', 'to': 'out'}]}");
  rig.take(mixer);
  const auto target = [&](const char* path) { return rig.compiler.param_target(find_node(mixer, path)->uid); };
  CHECK(target("a"));
  CHECK(target("n"));
  CHECK_FALSE(target("a/m"));
  CHECK_FALSE(target("in"));
  CHECK_FALSE(rig.compiler.param_target(999));
  REQUIRE(target("a/g"));
  CHECK_FALSE(*target("a/g") == *target("a"));
  rt::Action set;
  set.node = *target("a/g");
  set.param = rt::GainParam::gain_db;
  set.value = -6.0;
  rig.also.push_back(set);
  rig.take(mixer);
  const Sound out = rig.render(64);
  const float factor = rt::dsp::db_to_gain(-6.0);
  is(out[0], [&](rt::FrameCount f) { return in(0, f) * factor; });
  CHECK(rig.last.dropped.empty());
  CHECK(rig.destroyed == 0);
}

TEST_CASE("a noise sounds the same in a session whose uids differ") {
  const char* const text =
      "{'nodes': [{'id': 'n', 'type': 'noise', 'params': {'channels': 2}}], 'connections': [{'from': 'n', 'to': "
      "'out'}]}";
  Rig one;
  one.take(document(text));
  Rig two;
  two.take(*parse_session(test::json(text), test::counter(70000)));
  const Sound out = one.render(256);
  CHECK(out == two.render(256, 17));
  CHECK_FALSE(out[0] == out[1]);
  CHECK_FALSE(silent(out[0]));
}

TEST_CASE("live fades are asked for by live requests alone") {
  Rig rig(2, 2);
  rig.request.fade_edits = false;
  rig.take(document("{'connections': [{'from': 'in', 'to': 'out'}]}"));
  rig.render(64);
  rig.take(document("{}"));
  CHECK(rig.last.actions.empty());
  CHECK_FALSE(rig.last.fading);
  const Sound out = rig.render(64);
  CHECK(silent(out[0]));
}
