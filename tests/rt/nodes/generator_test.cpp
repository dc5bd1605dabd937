#include "rt/nodes/generator.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>

#include "rt/dsp/math.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using test::Rig;
using Kind = rt::Action::Kind;
constexpr double kTwoPi = 6.283185307179586476925;

struct OscillatorRig : Rig {
  explicit OscillatorRig(double hz, rt::Waveform form = rt::Waveform::sine, double rate = 48000.0)
      : Rig(2, rate),
        oscillator(adopt(std::unique_ptr<rt::Node>(rt::make_oscillator(1)), {hz, 0.0, static_cast<double>(form)})) {
    test::PlanBuilder b(rate);
    b.node(node(rt::device_output_kind()), b.node(oscillator, {}, 2), 0);
    send(b.build(), {});
  }
  rt::Node& oscillator;
};

std::uint64_t phase_step(double hz, double rate) { return static_cast<std::uint64_t>(hz / rate * 0x1p64 + 0.5); }
float sine_at(std::uint64_t phase) {
  return static_cast<float>(std::sin(static_cast<double>(phase) * 0x1p-64 * kTwoPi));
}

/// Amplitude at one frequency of whole periods in the run.
double amplitude(const std::vector<float>& x, double cycles) {
  std::complex<double> sum;
  for (std::size_t i = 0; i < x.size(); ++i)
    sum += static_cast<double>(x[i]) *
           std::polar(1.0, -kTwoPi * cycles * static_cast<double>(i) / static_cast<double>(x.size()));
  return 2.0 * std::abs(sum) / static_cast<double>(x.size());
}

}  // namespace

TEST_CASE("a sine is that of its frame: pitch and phase exact to -130 dBFS, also after an hour, for any buffers") {
  for (const double hz : {440.0, 997.0, 20000.0, 0.1})
    for (const auto& pattern : test::buffer_patterns()) {
      OscillatorRig rig(hz);
      rig.send(nullptr, {Rig::locate(172800000), Rig::act(Kind::transport_start)}, 100);
      rig.run(1000, pattern);
      for (std::int64_t i = 0; i < 1000; ++i) {
        const std::int64_t frame = i < 100 ? i : i - 100 + 172800000;
        const long double turns = static_cast<long double>(frame) * static_cast<long double>(hz) / 48000.0L;
        const auto expected = static_cast<double>(std::sin((turns - std::floor(turns)) * 6.283185307179586476925L));
        REQUIRE(std::abs(static_cast<double>(rig.out[0][static_cast<std::size_t>(i)]) - expected) < 3.1e-7);
      }
      CHECK(rig.out[0] == rig.out[1]);
    }
}

TEST_CASE(
    "a frequency that moves carries its phase on, sounds the same for any buffers, and is the frame's again after a "
    "start") {
  test::Channels reference;
  for (const auto& pattern : test::buffer_patterns()) {
    OscillatorRig rig(1000.0);
    rig.set(0, rt::OscillatorParam::frequency_hz, 3000.0, 500, 700);
    rig.set(0, rt::OscillatorParam::frequency_hz, 250.0, 2000);
    rig.send(Rig::act(Kind::transport_start), 3000);
    rig.set(0, rt::OscillatorParam::frequency_hz, 750.0, 3500, 100);
    rig.run(4000, pattern);
    if (reference.empty()) reference = rig.out;
    REQUIRE(test::same_bits(reference, rig.out));
  }
  const std::vector<float>& x = reference[0];
  double largest_step = 0;
  for (std::size_t i = 1; i < x.size(); ++i)
    if (i != 3000) largest_step = std::max(largest_step, static_cast<double>(std::abs(x[i] - x[i - 1])));
  CHECK(largest_step < kTwoPi * 3000.0 / 48000.0 * 1.001);  // a click would be larger
  for (std::size_t i = 3000; i < 3500; ++i)
    REQUIRE(x[i] == doctest::Approx(sine_at((i - 3000) * phase_step(250.0, 48000.0))).epsilon(4e-7));
  for (std::size_t i = 3501; i < 4000; ++i)
    REQUIRE(std::abs(x[i] - x[i - 1]) < kTwoPi * 750.0 / 48000.0 * 1.001);  // rolling, too
  // At rest after the ramp: still a sine of exactly that pitch.
  const std::vector<float> rest(x.begin() + 1300, x.begin() + 1300 + 640);
  CHECK(amplitude(rest, 40.0) == doctest::Approx(1.0).epsilon(1e-5));
}

TEST_CASE("a new plan does not disturb an oscillator, nor does a command to another node") {
  OscillatorRig calm(997.0), busy(997.0);
  calm.run(3000);
  rt::Node& output = busy.node(rt::device_output_kind());
  for (const rt::FrameCount f : {100, 101, 640, 2000}) {
    test::PlanBuilder b;
    b.node(output, b.node(busy.oscillator, {}, 2), 0);
    busy.send(b.build(), {}, f);
    busy.set(0, rt::OscillatorParam::gain_db, 0.0, f + 33);
  }
  busy.run(3000, {256});
  CHECK(test::same_bits(calm.out, busy.out));
}

TEST_CASE("triangle, square and saw: harmonics as in the book, and far less alias than without correction") {
  struct Row {
    rt::Waveform form;
    double first, second, third;
  };
  constexpr double kPi = kTwoPi / 2;
  for (const Row& row : {Row{rt::Waveform::triangle, 8 / (kPi * kPi), 0.0, 8 / (9 * kPi * kPi)},
                         Row{rt::Waveform::square, 4 / kPi, 0.0, 4 / (3 * kPi)},
                         Row{rt::Waveform::saw, 2 / kPi, 1 / kPi, 2 / (3 * kPi)}}) {
    OscillatorRig low(480.0, row.form);  // 100 frames a period: 48 periods
    low.run(4800, {512});
    CHECK(amplitude(low.out[0], 48.0) == doctest::Approx(row.first).epsilon(0.01));
    CHECK(amplitude(low.out[0], 96.0) == doctest::Approx(row.second).epsilon(0.02));
    CHECK(amplitude(low.out[0], 144.0) == doctest::Approx(row.third).epsilon(0.02));
    for (const float x : low.out[0]) REQUIRE(std::abs(x) <= 1.01f);

    OscillatorRig high(4990.0,
                       row.form);  // harmonics fold to where none belongs: 48000 - 9 * 4990 = 3090 Hz, and so on
    high.run(48000, {512});
    double alias = 0, worst_naive = 0;
    std::vector<float> naive(48000);
    for (std::size_t i = 0; i < naive.size(); ++i) {
      const double t = std::fmod(static_cast<double>(i) * 4990.0 / 48000.0, 1.0);
      const double q = std::fmod(t + 0.25, 1.0);
      naive[i] = static_cast<float>(row.form == rt::Waveform::saw      ? 2 * t - 1
                                    : row.form == rt::Waveform::square ? (t < 0.5 ? 1 : -1)
                                    : q < 0.5                          ? 4 * q - 1
                                                                       : 3 - 4 * q);
    }
    for (int h = 10; h <= 19; ++h) {
      const double folded =
          std::abs(48000.0 - h * 4990.0) < 24000 ? std::abs(48000.0 - h * 4990.0) : std::abs(96000.0 - h * 4990.0);
      alias = std::max(alias, amplitude(high.out[0], folded));
      worst_naive = std::max(worst_naive, amplitude(naive, folded));
    }
    CHECK(alias < worst_naive * 0.5);
  }
}

TEST_CASE("frequencies at the edges are held, and sound like numbers") {
  for (const rt::Waveform form : {rt::Waveform::sine, rt::Waveform::triangle, rt::Waveform::square, rt::Waveform::saw})
    for (const double hz : {-5.0, 0.0, 1e-9, 24000.0, 96000.0}) {
      OscillatorRig rig(hz, form);
      rig.run(500);
      for (const float x : rig.out[0]) REQUIRE(std::abs(x) <= 1.5f);
      CHECK(rig.counters().non_finite_samples == 0);
    }
}

TEST_CASE("noise: each sample a function of node, channel and frame, and flat, centred, and no two channels alike") {
  test::Channels reference;
  for (const auto& pattern : test::buffer_patterns()) {
    Rig rig(3);
    test::PlanBuilder b;
    auto one = b.node(rig.node(rt::noise_kind(), {0.0}, 77), {}, 2);
    auto two = b.node(rig.node(rt::noise_kind(), {0.0}, 78), {}, 1);
    b.node(rig.node(rt::device_output_kind()), {one[0], one[1], two[0]}, 0);
    rig.send(b.build(), {});
    rig.run(20000, pattern);
    if (reference.empty()) reference = rig.out;
    REQUIRE(test::same_bits(rig.out, reference));
  }
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0, power = 0, cross = 0, next = 0;
    std::vector<int> bins(10);
    for (std::size_t i = 0; i < 20000; ++i) {
      const double x = static_cast<double>(reference[c][i]);
      REQUIRE(std::abs(x) <= 1.0);
      sum += x;
      power += x * x;
      cross += x * static_cast<double>(reference[(c + 1) % 3][i]);
      if (i > 0) next += x * static_cast<double>(reference[c][i - 1]);
      ++bins[std::min<std::size_t>(9, static_cast<std::size_t>((x + 1) * 5))];
    }
    CHECK(std::abs(sum / 20000) < 0.02);
    CHECK(power / 20000 == doctest::Approx(1.0 / 3).epsilon(0.03));
    CHECK(std::abs(cross / 20000) < 0.02);
    CHECK(std::abs(next / 20000) < 0.02);
    for (const int n : bins) CHECK(std::abs(n - 2000) < 250);
  }
}

TEST_CASE("while the timeline rolls, noise is that of the timeline: the same place sounds the same each time") {
  Rig rig(1);
  test::PlanBuilder b;
  b.node(rig.node(rt::device_output_kind()), b.node(rig.node(rt::noise_kind(), {-6.0}, 5), {}, 1), 0);
  rig.send(b.build(), {Rig::locate(5000), Rig::act(Kind::transport_start)});
  rig.send(Rig::locate(5000), 1000);
  rig.run(2000, {300});
  CHECK(std::vector<float>(rig.out[0].begin(), rig.out[0].begin() + 1000) ==
        std::vector<float>(rig.out[0].begin() + 1000, rig.out[0].end()));
}
