#include "rt/nodes/gain.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "rt/dsp/pan.hpp"
#include "rt/dsp/ramp.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using test::Rig;

constexpr std::uint32_t kFrames = 2000;

/// Device in -> nodes -> device out, with parameters set on the way; every buffer pattern must give the bits of the
/// first.
template <class Build, class Commands>
test::Channels render(std::size_t ins, std::size_t outs, Build build, Commands commands) {
  test::Channels reference;
  for (const auto& pattern : test::buffer_patterns()) {
    Rig rig(outs);
    rig.in.resize(ins);
    for (std::uint32_t c = 0; c < ins; ++c)
      for (std::uint32_t i = 0; i < kFrames; ++i) rig.in[c].push_back(test::probe(i, c));
    test::PlanBuilder b;
    const auto in = b.node(rig.node(rt::device_input_kind()), {}, ins);  // slot 0
    b.node(rig.node(rt::device_output_kind()), build(rig, b, in), 0);
    rig.send(b.build(), {});
    commands(rig);
    rig.run(kFrames, pattern);
    if (reference.empty()) reference = rig.out;
    REQUIRE(test::same_bits(rig.out, reference));
  }
  return reference;
}
const auto kNothing = [](Rig&) {};
float in(std::uint32_t frame, std::uint32_t channel = 0) { return test::probe(frame, channel); }

}  // namespace

TEST_CASE("gain: 0 dB changes no bit, -150 dB is exact silence, any other is one multiplication") {
  for (const double db : {0.0, -6.0, 12.0, -150.0}) {
    const auto out =
        render(3, 3, [&](Rig& r, auto& b, auto c) { return b.in_place(r.node(rt::gain_kind(), {db}), c); }, kNothing);
    for (std::uint32_t c = 0; c < 3; ++c)
      for (std::uint32_t i = 0; i < kFrames; ++i) REQUIRE(out[c][i] == in(i, c) * rt::dsp::db_to_gain(db));
  }
}

TEST_CASE("gain: a ramp is a straight line in decibels from its exact frame, and another command does not disturb it") {
  const auto commands = [](Rig& r) {
    r.set(1, rt::GainParam::gain_db, -40.0, 100, 1000);
    for (rt::FrameCount f = 150; f < 900; f += 77) r.set(2, rt::EdgeParam::factor, 1.0, f);  // begins blocks all along
  };
  const auto out = render(
      2, 2,
      [](Rig& r, auto& b, auto c) {
        auto gained = b.node(r.node(rt::gain_kind(), {0.0}), c, 2);
        return b.in_place(r.node(rt::edge_kind(), {1.0}), gained);
      },
      commands);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    const double db = i < 100 ? 0.0 : i >= 1100 ? -40.0 : -40.0 * (static_cast<double>(i - 100) / 1000.0);
    for (std::uint32_t c = 0; c < 2; ++c) REQUIRE(out[c][i] == in(i, c) * rt::dsp::db_to_gain(db));
  }
}

TEST_CASE("gain: a new plan in the middle of a ramp goes on where it was") {
  test::Channels reference;
  for (const bool swapped : {false, true}) {
    Rig rig(1);
    rig.in = {std::vector<float>(kFrames, 1.0f)};
    rt::Node& input = rig.node(rt::device_input_kind());
    rt::Node& gain = rig.node(rt::gain_kind(), {-20.0});
    rt::Node& output = rig.node(rt::device_output_kind());
    const auto plan = [&] {
      test::PlanBuilder b;
      b.node(output, b.in_place(gain, b.node(input, {}, 1)), 0);
      return b.build();
    };
    rig.send(plan(), {});
    rig.set(1, 0, 0.0, 30, 700);
    if (swapped)
      for (const rt::FrameCount f : {31, 64, 100, 333, 729}) rig.send(plan(), {}, f);
    rig.run(kFrames, {256});
    if (swapped) CHECK(test::same_bits(rig.out, reference));
    reference = rig.out;
  }
}

TEST_CASE("gain: a batch of many nodes with lanes of their own") {
  const auto commands = [](Rig& r) { r.set(3, 0, -3.0, 500, 300); };
  const auto out = render(
      9, 9,
      [](Rig& r, auto& b, auto c) {
        std::vector<test::PlanBuilder::Place> places;
        for (std::size_t n = 0; n < 4; ++n) {  // 2 + 2 + 2 + 3 lanes
          std::vector<std::size_t> mine(c.begin() + static_cast<long>(2 * n),
                                        c.begin() + static_cast<long>(n == 3 ? 9 : 2 * n + 2));
          places.push_back({&r.node(rt::gain_kind(), {-static_cast<double>(n)}), mine, mine});
        }
        b.batch(places);
        return c;
      },
      commands);
  for (std::uint32_t c = 0; c < 9; ++c) {
    const std::uint32_t n = std::min(c / 2, 3u);
    for (std::uint32_t i = 0; i < kFrames; ++i) {
      double db = -static_cast<double>(n);
      if (n == 2 && i >= 500) db = i >= 800 ? -3.0 : -2.0 - (static_cast<double>(i - 500) / 300.0);
      REQUIRE(out[c][i] == in(i, c) * rt::dsp::db_to_gain(db));
    }
  }
}

TEST_CASE("edge: linear, fades to exact silence, and silence is also what becomes of a NaN") {
  const auto commands = [](Rig& r) { r.set(1, rt::EdgeParam::factor, 0.0, 64, 512); };
  const auto out =
      render(1, 1, [](Rig& r, auto& b, auto c) { return b.in_place(r.node(rt::edge_kind(), {1.0}), c); }, commands);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    const double factor = i < 64 ? 1.0 : i >= 576 ? 0.0 : 1.0 - static_cast<double>(i - 64) / 512.0;
    REQUIRE(out[0][i] == in(i) * static_cast<float>(factor));
  }
  Rig rig(1);
  rig.in = {std::vector<float>(64, NAN)};
  test::PlanBuilder b;
  b.node(rig.node(rt::device_output_kind()),
         b.in_place(rig.node(rt::edge_kind(), {0.0}), b.node(rig.node(rt::device_input_kind()), {}, 1)), 0);
  rig.send(b.build(), {});
  rig.run(64);
  CHECK(rig.counters().non_finite_samples == 0);
}

TEST_CASE("pan and fader: one to two at constant power, two to two as a balance, anything else as it is") {
  for (const bool fader : {false, true})
    for (const double pan : {-1.0, -0.4, 0.0, 0.3, 1.0}) {
      const auto make = [&](Rig& r) -> rt::Node& {
        return fader ? r.node(rt::fader_kind(), {-2.0, pan, 1.0, 0.0}) : r.node(rt::pan_kind(), {pan});
      };
      const float level = fader ? rt::dsp::db_to_gain(-2.0) : 1.0f;
      const auto mono = render(1, 2, [&](Rig& r, auto& b, auto c) { return b.node(make(r), c, 2); }, kNothing);
      const auto stereo = render(2, 2, [&](Rig& r, auto& b, auto c) { return b.node(make(r), c, 2); }, kNothing);
      const rt::dsp::PanFactors m = rt::dsp::constant_power_pan(pan), s = rt::dsp::constant_power_balance(pan);
      for (std::uint32_t i = 0; i < kFrames; ++i) {
        REQUIRE(mono[0][i] == in(i) * (level * static_cast<float>(m.left)));
        REQUIRE(mono[1][i] == in(i) * (level * static_cast<float>(m.right)));
        REQUIRE(stereo[0][i] == in(i, 0) * (level * static_cast<float>(s.left)));
        REQUIRE(stereo[1][i] == in(i, 1) * (level * static_cast<float>(s.right)));
      }
      if (!fader) continue;
      const auto five = render(5, 5, [&](Rig& r, auto& b, auto c) { return b.node(make(r), c, 5); }, kNothing);
      for (std::uint32_t i = 0; i < kFrames; ++i) REQUIRE(five[4][i] == in(i, 4) * level);
    }
}

TEST_CASE("fader: gain, pan and audible ramp together, and not audible is exact silence") {
  const auto commands = [](Rig& r) {
    r.set(1, rt::FaderParam::gain_db, 0.0, 50, 200);
    r.set(1, rt::FaderParam::pan, -1.0, 100, 300);
    r.set(1, rt::FaderParam::audible, 0.0, 700, 100);
  };
  const auto out = render(
      1, 2, [](Rig& r, auto& b, auto c) { return b.node(r.node(rt::fader_kind(), {-12.0, 1.0, 1.0, 0.0}), c, 2); },
      commands);
  for (std::uint32_t i = 0; i < kFrames; ++i) {
    rt::Param gain(-12.0), pan(1.0), audible(1.0);
    if (i >= 50) gain.set(0.0, 50, 200);
    if (i >= 100) pan.set(-1.0, 100, 300);
    if (i >= 700) audible.set(0.0, 700, 100);
    const float level = rt::dsp::db_to_gain(gain.at(i)) * static_cast<float>(audible.at(i));
    const rt::dsp::PanFactors f = rt::dsp::constant_power_pan(pan.at(i));
    REQUIRE(out[0][i] == in(i) * (level * static_cast<float>(f.left)));
    REQUIRE(out[1][i] == in(i) * (level * static_cast<float>(f.right)));
  }
  CHECK(out[0][900] == 0.0f);
}

TEST_CASE("device channels that are missing are silence and nothing") {
  Rig rig(2);
  rig.in = {std::vector<float>(100, 0.5f)};
  test::PlanBuilder b;
  b.node(rig.node(rt::device_output_kind()), b.node(rig.node(rt::device_input_kind()), {}, 4), 0);
  rig.send(b.build(), {});
  rig.run(100, {30});
  CHECK(rig.out[0] == std::vector<float>(100, 0.5f));
  CHECK(rig.out[1] == std::vector<float>(100, 0.0f));
}
