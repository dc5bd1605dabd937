#include "rt/nodes/compressor.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/support/processor_rig.hpp"

namespace {

using namespace continuo;
using P = rt::CompressorParam;
using test::Channels;
using test::kWay;
using test::levels;
using test::Rig;

struct Setting {
  double threshold = -20, ratio = 4, knee = 0, attack = 2, release = 20, makeup = 0, rms = 0, rms_ms = 10, bypass = 0;
  std::vector<double> params() const { return {threshold, ratio, knee, attack, release, makeup, rms, rms_ms, bypass}; }
};

/// Of `outs` channels; the rest of the inputs are its key.
test::ProcessorRun compressor(
    const Setting& setting, std::function<void(Rig&)> commands = [](Rig&) {}, std::size_t outs = 1) {
  return test::one_of(rt::compressor_kind(), setting.params(), std::move(commands), outs);
}
double gain_at(const Channels& out, const std::vector<float>& in, std::size_t i) {
  return test::to_db(std::abs(double{out[0][i]})) - test::to_db(std::abs(double{in[i]}));
}
/// Frames from `from` until the gain has crossed `db`.
double frames_until(const Channels& out, const std::vector<float>& in, std::size_t from, double db) {
  return test::frames_until(from, in.size(), db, [&](std::size_t i) { return gain_at(out, in, i); });
}
/// Giannoulis, Massberg and Reiss (2012), equation 4.
double curve(const Setting& s, double level) {
  const double over = level - s.threshold;
  if (2.0 * over < -s.knee) return 0.0;
  if (2.0 * std::abs(over) <= s.knee && s.knee > 0.0) {
    const double x = over + s.knee / 2.0;
    return (1.0 / s.ratio - 1.0) * x * x / (2.0 * s.knee);
  }
  return (1.0 / s.ratio - 1.0) * over;
}

}  // namespace

TEST_CASE("compressor: the static curve, also in the knee") {
  for (const double ratio : {1.0, 1.5, 4.0, 100.0})
    for (const double knee : {0.0, 6.0, 24.0})
      for (double level = -50.0; level <= 6.0; level += 1.7) {
        const Setting setting{.ratio = ratio, .knee = knee, .makeup = 5.0};
        const auto in = test::constant(3000, test::from_db(level));
        const Channels out = test::run_once(compressor(setting), {in}, {512});
        CAPTURE(ratio);
        CAPTURE(knee);
        CAPTURE(level);
        CHECK(std::abs(gain_at(out, in, 2999) - (curve(setting, level) + 5.0)) < 0.1);
      }
}

TEST_CASE("compressor: the rms detector hears a sine 3 dB below its peak") {
  const auto in = test::sine(48000, 1000.0 / 48000.0, test::from_db(-6.0));
  const Setting setting{.threshold = -30.0, .rms = 1, .rms_ms = 100.0};
  const Channels out = test::run_everywhere(compressor(setting), {in});
  const double expected = curve(setting, -6.0 - 3.0103);
  for (std::size_t i = 44000; i < 48000; ++i)
    if (std::abs(in[i]) > 0.1f) REQUIRE(std::abs(gain_at(out, in, i) - expected) < 0.1);
}

TEST_CASE("compressor: attack and release are 63 % through in their time") {
  for (const double rate_ms : {2.0, 10.0, 50.0}) {
    const auto step = levels({{2000, -50.0}, {9600, 0.0}});
    const Channels louder = test::run_once(compressor({.attack = rate_ms}), {step}, {64});
    CHECK(std::abs(frames_until(louder, step, 2000, -15.0 * kWay) / (rate_ms * 48.0) - 1.0) < 0.05);
    const auto fall = levels({{4800, 0.0}, {9600, -50.0}});
    const Channels softer = test::run_once(compressor({.release = rate_ms}), {fall}, {64});
    CHECK(std::abs(frames_until(softer, fall, 4800, -15.0 * (1.0 - kWay)) / (rate_ms * 48.0) - 1.0) < 0.05);
  }
}

TEST_CASE("compressor: it listens to its key and to nothing else") {
  const auto sound = test::constant(6000, 1.0);
  const auto key = levels({{3000, -80.0}, {3000, -8.0}});
  const Channels out = test::run_everywhere(compressor({}), {sound, key});
  CHECK(std::abs(gain_at(out, sound, 2999)) < 0.01);
  CHECK(std::abs(gain_at(out, sound, 5999) + 9.0) < 0.1);
}

TEST_CASE("compressor: channels share the gain of the loudest") {
  const auto loud = levels({{1000, -60.0}, {3000, -8.0}});
  auto soft = loud;
  for (float& x : soft) x *= -0x1p-7f;
  const Channels out = test::run_everywhere(compressor({}, [](Rig&) {}, 2), {soft, loud});
  for (std::size_t i = 0; i < loud.size(); ++i) REQUIRE(out[0][i] == out[1][i] * -0x1p-7f);
  CHECK(std::abs(gain_at({out[1]}, loud, 3999) + 9.0) < 0.1);
}

TEST_CASE("compressor: bypass lets every bit pass, and ramps") {
  const auto in = test::noise(3000, 1.0);
  CHECK(test::same_bits(test::run_everywhere(compressor({.makeup = 6.0, .bypass = 1.0}), {in}), {in}));
  const auto flat = test::constant(4000, 1.0);
  const auto ramp = [](Rig& rig) { rig.set(1, P::bypass, 1.0, 3000, 584); };  // ends on the grid
  const Channels out = test::run_everywhere(compressor({.makeup = 3.0}, ramp), {flat});
  for (std::size_t i = 2999; i < 4000; ++i) {
    const double wet = std::clamp(1.0 - (static_cast<double>(i) - 3000.0) / 584.0, 0.0, 1.0);
    REQUIRE(std::abs(gain_at(out, flat, i) + 12.0 * wet) < 0.01);
  }
}

TEST_CASE("compressor: makeup moves in a straight line, from its frame on") {
  const auto in = test::constant(3000, test::from_db(-40.0));
  const auto commands = [](Rig& rig) { rig.set(1, P::makeup_db, 12.0, 1003, 661); };  // ends on the grid
  const Channels out = test::run_everywhere(compressor({}, commands), {in});
  for (std::size_t i = 0; i < 3000; ++i)
    REQUIRE(std::abs(gain_at(out, in, i) - 12.0 * std::clamp((static_cast<double>(i) - 1003.0) / 661.0, 0.0, 1.0)) <
            0.01);
}

TEST_CASE("compressor: the same bits for every buffer pattern and CPU level, while everything ramps") {
  for (const double rms : {0.0, 1.0}) {
    const auto in = test::noise(4000, 1.0);
    const auto commands = [](Rig& rig) {
      const double targets[] = {-40.0, 10.0, 20.0, 1.0, 200.0, 9.0, 0.0, 3.0, 0.5};
      for (std::uint16_t p = 0; p < P::count; ++p)
        if (p != P::detector) rig.set(1, p, targets[p], 100 + 333 * p, 777);
      rig.set(1, P::threshold_db, -10.0, 3511);
    };
    const Channels out = test::run_everywhere(compressor({.rms = rms}, commands), {in});
    CHECK_FALSE(test::same_bits(out, {in}));
  }
}

TEST_CASE("compressor: members of a batch give the bits they give alone, with and without keys") {
  for (const bool keyed : {false, true})
    test::check_batches(
        [](Rig& rig, std::size_t k, std::size_t) -> rt::Node& {
          const Setting setting{.threshold = -10.0 - static_cast<double>(k),
                                .ratio = 2.0 + static_cast<double>(k),
                                .knee = static_cast<double>(k),
                                .rms = k % 3 == 1 ? 1.0 : 0.0};
          return rig.node(rt::compressor_kind(), setting.params());
        },
        [](Rig& rig, std::uint32_t slot, std::size_t k) {
          rig.set(slot, P::threshold_db, -40.0, 200 + 7 * static_cast<rt::FrameCount>(k), 300);
        },
        keyed);
}
