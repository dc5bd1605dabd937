#include "rt/nodes/gate.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/poison.hpp"
#include "tests/support/processor_rig.hpp"

namespace {

using namespace continuo;
using P = rt::GateParam;
using test::Channels;
using test::kWay;
using test::levels;
using test::Rig;

struct Setting {
  double threshold = -30, ratio = 100, range = 80, hysteresis = 0, attack = 1, hold = 0, release = 5, bypass = 0;
  std::vector<double> params() const { return {threshold, ratio, range, hysteresis, attack, hold, release, bypass}; }
};

/// Of `outs` channels; the rest of the inputs are its key.
test::ProcessorRun gate(
    const Setting& setting, std::function<void(Rig&)> commands = [](Rig&) {}, std::size_t outs = 1) {
  return test::one_of(rt::gate_kind(), setting.params(), std::move(commands), outs);
}
/// How much softer sample i came out than it went in.
double reduction(const Channels& out, const std::vector<float>& in, std::size_t i) {
  return test::to_db(std::abs(double{in[i]})) - test::to_db(std::abs(double{out[0][i]}));
}
/// Frames from `from` until the reduction has crossed `db`.
double frames_until(const Channels& out, const std::vector<float>& in, std::size_t from, double db) {
  return test::frames_until(from, in.size(), db, [&](std::size_t i) { return reduction(out, in, i); });
}

}  // namespace

TEST_CASE("gate: the static curve, from above the threshold down to the range") {
  for (const double ratio : {1.0, 1.5, 2.0, 4.0, 100.0})
    for (const double range : {0.0, 20.0, 80.0})
      for (double level = -90.0; level <= 0.0; level += 7.3) {
        const Setting setting{.threshold = -33.0, .ratio = ratio, .range = range};
        const auto in = test::constant(8000, test::from_db(level));
        const Channels out = test::run_once(gate(setting), {in}, {512});
        const double expected = std::min(std::max(-33.0 - level, 0.0) * (ratio - 1.0), range);
        CAPTURE(ratio);
        CAPTURE(level);
        CHECK(std::abs(reduction(out, in, 7999) - expected) < 0.1);
        // Open, it lets every bit pass.
        if (level > -33.0) CHECK(std::equal(in.begin() + 2000, in.end(), out[0].begin() + 2000));
      }
}

TEST_CASE("gate: opening and closing are 63 % through after attack and release") {
  for (const double rate_ms : {2.0, 10.0, 50.0}) {
    const Setting opening{.range = 40.0, .attack = rate_ms};
    const auto step = levels({{9600, -60.0}, {9600, -10.0}});
    const double attack = frames_until(test::run_once(gate(opening), {step}, {64}), step, 9600, 40.0 * (1.0 - kWay));
    CHECK(std::abs(attack / (rate_ms * 48.0) - 1.0) < 0.05);
    const Setting closing{.range = 40.0, .release = rate_ms};
    const auto fall = levels({{4800, -10.0}, {9600, -60.0}});
    const double release = frames_until(test::run_once(gate(closing), {fall}, {64}), fall, 4800, 40.0 * kWay);
    CHECK(std::abs(release / (rate_ms * 48.0) - 1.0) < 0.05);
  }
}

TEST_CASE("gate: a new one is closed: what is quiet never comes through, what is loud after the attack") {
  const auto quiet = test::constant(2000, test::from_db(-60.0));
  const Channels closed = test::run_everywhere(gate({.range = 40.0}), {quiet});
  for (std::size_t i = 0; i < quiet.size(); ++i) REQUIRE(std::abs(reduction(closed, quiet, i) - 40.0) < 0.01);
  for (const double attack_ms : {2.0, 10.0}) {
    const auto loud = test::constant(9600, test::from_db(-10.0));
    const Channels opening = test::run_everywhere(gate({.range = 40.0, .attack = attack_ms}), {loud});
    CHECK(reduction(opening, loud, 0) > 39.0);
    CHECK(std::abs(frames_until(opening, loud, 0, 40.0 * (1.0 - kWay)) / (attack_ms * 48.0) - 1.0) < 0.05);
    CHECK(opening[0].back() == loud.back());
  }
  // An expander is as closed as silence makes it; bypassed, a new one is not there.
  const Channels gentle = test::run_once(gate({.threshold = -20.0, .ratio = 1.1, .range = 40.0}), {quiet}, {64});
  CHECK(reduction(gentle, quiet, 0) > 30.0);
  CHECK(std::abs(reduction(gentle, quiet, 1999) - 4.0) < 0.1);
  CHECK(test::same_bits(test::run_once(gate({.bypass = 1.0}), {quiet}, {64}), {quiet}));
}

TEST_CASE("gate: after silence it gives the bits of a new one") {
  constexpr std::size_t kBefore = 64 * 1600;
  const auto sound = test::noise(4000, 0.7);
  for (const Setting& setting :
       {Setting{}, {.range = 120.0, .release = 100.0}, {.threshold = -50.0, .ratio = 1.01, .release = 100.0}}) {
    std::vector<float> late = test::noise(1000, 0.5);
    late.resize(kBefore, 0.0f);
    late.insert(late.end(), sound.begin(), sound.end());
    const Channels fresh = test::run_once(gate(setting), {sound}, {256});
    const Channels waited = test::run_once(gate(setting), {late}, {256});
    CHECK(test::same_bits(fresh, {{waited[0].begin() + kBefore, waited[0].end()}}));
    CHECK(std::abs(fresh[0][1]) < 0.5f * std::abs(sound[1]));
  }
}

TEST_CASE("gate: from plan to plan it stays as open as it was, a channel more is as the others, its heir as itself") {
  const auto in = levels({{2048, -10.0}, {4096, -60.0}});
  Channels once;
  for (const int change : {0, 1, 2, 3}) {
    Rig rig(1);
    rig.in = {in, in};
    rt::Node& first = rig.node(rt::gate_kind(), Setting{.release = 100.0}.params());
    rt::Node& heir = rig.node(rt::gate_kind(), Setting{}.params(), 2);
    heir.inherits = &first;
    const auto play = [&](rt::Node& node, std::size_t width) {
      test::PlanBuilder b;
      const auto channels = b.node(rig.node(rt::device_input_kind()), {}, 2);
      const auto out = b.node(node, {channels.begin(), channels.begin() + static_cast<long>(width)}, width);
      b.node(rig.node(rt::device_output_kind()), {out.back()}, 0);
      rig.send(b.build(), {});
    };
    play(first, 1);
    rig.run(3000);
    if (change == 1) play(first, 1);
    if (change == 2) play(first, 2);
    if (change == 3) play(heir, 1);
    rig.run(3144);
    CHECK(reduction(rig.out, in, 2047) < 0.01);
    CHECK(reduction(rig.out, in, 3000) > 10.0);
    if (once.empty()) once = rig.out;
    CAPTURE(change);
    CHECK(test::same_bits(rig.out, once));
  }
}

TEST_CASE("gate: it is held open for exactly the hold time after the last loud sample") {
  for (const double hold_ms : {0.0, 1.0, 10.0}) {
    const auto hold = static_cast<std::size_t>(hold_ms * 48.0);
    const auto in = levels({{3000, -10.0}, {3000, -60.0}});
    const Channels out = test::run_once(gate({.hold = hold_ms}), {in}, {100});
    for (std::size_t i = 2000; i < 3000 + hold; ++i) REQUIRE(out[0][i] == in[i]);
    CHECK(std::abs(out[0][3000 + hold]) < std::abs(in[3000 + hold]));
  }
}

TEST_CASE("gate: hysteresis: between the two thresholds it stays as it was") {
  const auto in = levels({{1000, -20.0}, {1000, -34.0}, {3000, -37.0}, {3000, -34.0}, {3000, -29.0}, {1000, -35.5}});
  const Channels out = test::run_once(gate({.hysteresis = 6.0, .attack = 0.5}), {in}, {64});
  for (std::size_t i = 999; i < 2000; ++i) REQUIRE(out[0][i] == in[i]);  // opened at -20, open at -34
  CHECK(std::abs(reduction(out, in, 4999) - 80.0) < 0.1);                // closed at -37
  CHECK(std::abs(reduction(out, in, 7999) - 80.0) < 0.1);                // and still at -34
  CHECK(reduction(out, in, 10999) < 0.01);                               // open at -29
  CHECK(reduction(out, in, 11999) < 0.01);                               // and at -35.5
}

TEST_CASE("gate: a key opens it, whatever comes in") {
  const auto sound = test::constant(6000, 1.0);
  const auto key = levels({{3000, -80.0}, {3000, -10.0}});
  const Channels out = test::run_everywhere(gate({.attack = 0.5}), {sound, key});
  CHECK(std::abs(reduction(out, sound, 2999) - 80.0) < 0.1);
  CHECK(reduction(out, sound, 5999) < 0.01);
}

TEST_CASE("gate: channels open together with the loudest") {
  const auto loud = levels({{3000, -60.0}, {3000, -10.0}});
  auto soft = loud;
  for (float& x : soft) x *= -0x1p-7f;
  const Channels out = test::run_everywhere(gate({}, [](Rig&) {}, 2), {soft, loud});
  for (std::size_t i = 0; i < loud.size(); ++i) REQUIRE(out[0][i] == out[1][i] * -0x1p-7f);
  CHECK(reduction({out[1]}, loud, 5999) < 0.01);
}

TEST_CASE("gate: bypass lets every bit pass, and ramps") {
  const auto in = test::noise(4000, 0.01);
  CHECK(test::same_bits(test::run_everywhere(gate({.bypass = 1.0}), {in}), {in}));
  const auto flat = test::constant(4000, test::from_db(-60.0));
  const auto ramp = [](Rig& rig) { rig.set(1, P::bypass, 1.0, 3000, 584); };  // ends on the grid
  const Channels out = test::run_everywhere(gate({.range = 40.0}, ramp), {flat});
  for (std::size_t i = 2999; i < 4000; ++i) {
    const double wet = std::clamp(1.0 - (static_cast<double>(i) - 3000.0) / 584.0, 0.0, 1.0);
    REQUIRE(std::abs(reduction(out, flat, i) - 40.0 * wet) < 0.01);
  }
}

TEST_CASE("gate: the same bits for every buffer pattern and CPU level, while everything ramps") {
  std::vector<float> in = test::noise(4000, 0.5);
  for (std::size_t i = 0; i < in.size(); ++i)
    in[i] *= static_cast<float>(std::exp(-static_cast<double>(i % 900) / 100.0));
  const auto commands = [](Rig& rig) {
    const double targets[] = {-12.0, 2.0, 30.0, 9.0, 4.0, 3.0, 20.0, 0.5};
    for (std::uint16_t p = 0; p < P::count; ++p) rig.set(1, p, targets[p], 100 + 333 * p, 777);
    rig.set(1, P::threshold_db, -40.0, 3111);
  };
  const Channels out = test::run_everywhere(gate({.hysteresis = 3.0, .hold = 1.0}, commands), {in});
  CHECK_FALSE(test::same_bits(out, {in}));
}

TEST_CASE("gate: members of a batch give the bits they give alone, with and without keys") {
  for (const bool keyed : {false, true})
    test::check_batches(
        [](Rig& rig, std::size_t k, std::size_t) -> rt::Node& {
          const Setting setting{.threshold = -20.0 - static_cast<double>(k),
                                .ratio = 1.0 + static_cast<double>(k),
                                .hysteresis = 2.0,
                                .hold = 0.1 * static_cast<double>(k)};
          return rig.node(rt::gate_kind(), setting.params());
        },
        [](Rig& rig, std::uint32_t slot, std::size_t k) {
          rig.set(slot, P::threshold_db, -10.0, 200 + 7 * static_cast<rt::FrameCount>(k), 300);
        },
        keyed);
}

TEST_CASE("gate: what is not a number opens it and leaves nothing behind") {
  const auto in = levels({{6000, -60.0}});
  const Channels out = test::run_once(
      test::poisoned(gate({.range = 40.0}), {{1000, 1001, test::kNan}, {1001, 1002, test::kInfinity}}), {in}, {64});
  CHECK(reduction(out, in, 999) > 39.0);
  CHECK(reduction(out, in, 1002) < 38.5);
  for (std::size_t i = 1002; i < in.size(); ++i) REQUIRE(std::isfinite(out[0][i]));
  CHECK(std::abs(reduction(out, in, 5999) - 40.0) < 0.1);
}

TEST_CASE("gate: what is not a number, up to a grid point, leaves it closed there, as new") {
  const auto in = levels({{50000, -60.0}});
  const Channels out =
      test::run_once(test::poisoned(gate({.range = 40.0, .release = 10000.0}), {{1000, 1088, test::kNan}}), {in}, {64});
  // The poisoned one before it is muted for a second; it would not have closed by then.
  for (std::size_t i = 49152; i < in.size(); ++i) REQUIRE(std::abs(reduction(out, in, i) - 40.0) < 0.01);
}
