#include "server/session/compensate.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "rt/nodes/delay_line.hpp"
#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/plan_checks.hpp"

// Sound that takes two ways arrives at once, however late either is; and what makes a way later is not heard as a
// click.
using namespace continuo;
using namespace continuo::session;
using continuo::session::test::document;
using continuo::session::test::Rig;
using continuo::session::test::Sound;

namespace {

float impulse(std::uint32_t, rt::FrameCount frame) { return frame == 1000 ? 1.0f : 0.0f; }
float sine(std::uint32_t, rt::FrameCount frame) {
  return static_cast<float>(0.5 * std::sin(2.0 * M_PI * 440.0 / 48000.0 * static_cast<double>(frame)));
}

std::vector<std::size_t> peaks(const std::vector<float>& sound) {
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    if (sound[i] != 0.0f) at.push_back(i);
  }
  return at;
}

std::string comp(const char* id, const char* lookahead_ms, const char* more = "") {
  return std::string("{'id': '") + id +
         "', 'type': 'compressor', 'params': {'threshold_db': 0, 'lookahead_ms': " + lookahead_ms + more + "}}";
}

/// Device input 1 by two tracks to the output: one as it is, one through `chain`.
Document two_ways(const std::string& chain, const std::string& more_connections = "") {
  return document(("{'nodes': [{'id': 'dry', 'type': 'track', 'params': {'channels': 1}},"
                   "{'id': 'wet', 'type': 'track', 'params': {'channels': 1}, 'children': [" +
                   chain +
                   "]}], 'connections': [{'from': 'in:1', 'to': 'dry'}, {'from': 'in:1', 'to': 'wet'},"
                   "{'from': 'dry', 'to': 'out'}, {'from': 'wet', 'to': 'out'}" +
                   more_connections + "]}")
                      .c_str());
}

}  // namespace

TEST_CASE("a way with latency delays the others: an impulse stays one, and the plan says how late") {
  for (const auto& [chain, late] :
       {std::pair{std::string(), 0u}, {comp("a", "1"), 48u}, {comp("a", "1") + "," + comp("b", "2.5"), 168u}}) {
    CAPTURE(chain);
    Rig rig(2, 2);
    rig.input = impulse;
    rig.take(two_ways(chain));
    CHECK(test::fault_of(*rig.plan) == "");
    CHECK(rig.last.output_latency_frames == late);
    const Sound out = rig.render(3000, 100);
    CHECK(peaks(out[0]) == std::vector<std::size_t>{1000 + late});
    CHECK(out[0][1000 + late] == doctest::Approx(std::sqrt(2.0)).epsilon(1e-4));
  }
}

TEST_CASE("a bypassed node keeps its latency") {
  Rig rig(2, 2);
  rig.input = impulse;
  rig.take(two_ways(comp("a", "1", ", 'bypass': true")));
  CHECK(rig.last.output_latency_frames == 48);
  CHECK(peaks(rig.render(2000, 64)[0]) == std::vector<std::size_t>{1048});
}

TEST_CASE("a send joins in time, before and after what is late") {
  // wet is 48 frames late; its send from behind the compressor and the dry one meet in a bus.
  Document doc = document(
      ("{'nodes': [{'id': 'dry', 'type': 'track', 'params': {'channels': 1}},"
       "{'id': 'wet', 'type': 'track', 'params': {'channels': 1}, 'children': [" +
       comp("a", "1") +
       "]}, {'id': 'fx', 'type': 'bus'}], 'connections': [{'from': 'in:1', 'to': 'dry'}, {'from': 'in:1', 'to': 'wet'},"
       "{'from': 'dry:pre', 'to': 'fx', 'gain_db': -6}, {'from': 'wet', 'to': 'fx', 'gain_db': -6},"
       "{'from': 'fx', 'to': 'out'}, {'from': 'dry', 'to': 'out'}]}")
          .c_str());
  Rig rig(2, 2);
  rig.input = impulse;
  rig.take(doc);
  CHECK(test::fault_of(*rig.plan) == "");
  CHECK(peaks(rig.render(2000, 64)[0]) == std::vector<std::size_t>{1048});
}

TEST_CASE("the detector of a lookahead hears the sound before it comes, a sidechain hears what is connected") {
  // A threshold of -40 dB and 1:100: a step is soft from its first frame on if the detector saw it coming.
  const std::string hard = ", 'ratio': 100, 'knee_db': 0, 'attack_ms': 0, 'release_ms': 1000";
  const auto first_level = [&](const char* lookahead) {
    Rig rig(2, 2);
    rig.input = [](std::uint32_t, rt::FrameCount frame) { return frame < 1000 ? 0.0f : 1.0f; };
    const std::string chain = std::string("{'id': 'a', 'type': 'compressor', 'params': {'threshold_db': -40, ") +
                              "'lookahead_ms': " + lookahead + hard + "}}";
    rig.take(document(("{'nodes': [{'id': 'wet', 'type': 'track', 'params': {'channels': 1}, 'children': [" + chain +
                       "]}], 'connections': [{'from': 'in:1', 'to': 'wet'}, {'from': 'wet', 'to': 'out'}]}")
                          .c_str()));
    const Sound out = rig.render(2000, 64);
    float most = 0.0f;
    for (const float x : out[0]) most = std::max(most, x);
    return most;
  };
  CHECK(first_level("1") < 0.011f);

  Rig rig(2, 2);
  rig.input = [](std::uint32_t channel, rt::FrameCount) { return channel == 0 ? 0.01f : 1.0f; };
  Document doc = document(
      ("{'nodes': [{'id': 'key', 'type': 'track', 'params': {'channels': 1}}, {'id': 'vox', 'type': 'track', 'params': "
       "{'channels': 1}, 'children': [{'id': 'a', 'type': 'compressor', 'params': {'threshold_db': -20" +
       hard +
       "}}]}], 'connections': [{'from': 'in:1', 'to': 'vox'}, {'from': 'in:2', 'to': 'key'},"
       "{'from': 'key:pre', 'to': 'vox/a:sidechain'}, {'from': 'vox', 'to': 'out'}]}")
          .c_str());
  rig.take(doc);
  CHECK(test::fault_of(*rig.plan) == "");
  const Sound out = rig.render(2000, 64);
  // 20 dB over the threshold, 1:100: 19.8 dB less. The fader's pan takes 3 dB.
  CHECK(out[0].back() == doctest::Approx(0.01 * std::pow(10.0, -19.8 / 20.0) * std::sqrt(0.5)).epsilon(0.002));
}

TEST_CASE("a latency that comes and goes under sound is no click") {
  Rig rig(2, 2);
  rig.input = sine;
  std::vector<float> heard;
  const auto go = [&](const Document& doc) {
    rig.take(doc);
    CHECK(test::fault_of(*rig.plan) == "");
    for (int i = 0; i < 4; ++i) {
      const Sound out = rig.render(rig.last.fade_frames + 50, 100);
      heard.insert(heard.end(), out[0].begin(), out[0].end());
      if (!rig.last.fading) break;
      rig.take(doc);
    }
    CHECK_FALSE(rig.last.fading);
  };
  go(two_ways(""));
  for (const char* ms : {"1", "7", "20", "3"}) go(two_ways(comp("a", ms)));
  go(two_ways(""));
  double worst = 0.0;
  for (std::size_t i = 1; i < heard.size(); ++i)
    worst = std::max(worst, static_cast<double>(std::abs(heard[i] - heard[i - 1])));
  // Two ways of 0.5 at 440 Hz, -3 dB each by the pan, and a fade's own slope.
  CHECK(worst <= std::sqrt(2.0) * (0.5 * 2.0 * M_PI * 440.0 / 48000.0 + 0.5 / kEditFadeFrames + 1e-6));
}
