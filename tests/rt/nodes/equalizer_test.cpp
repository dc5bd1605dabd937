#include "rt/nodes/equalizer.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <complex>

#include "rt/nodes/gain.hpp"
#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using test::Rig;
using P = rt::EqParam;
using rt::dsp::BandType;
constexpr double kTwoPi = 6.283185307179586476925;

std::uint16_t of_band(std::uint32_t band, std::uint16_t param) {
  return static_cast<std::uint16_t>(band * P::per_band + param);
}

/// Channels of the device, through an equaliser, back. Slots: 0 in, 1 equaliser, 2 a gain of 0 dB.
struct EqRig : Rig {
  EqRig(const std::vector<rt::EqBand>& bands, std::uint32_t channels, std::uint32_t frames, double rate = 48000.0,
        const rt::dsp::Kernels& kernels = rt::dsp::chosen_kernels())
      : Rig(channels, rate, 8192, 8192, kernels), eq(adopt(std::unique_ptr<rt::Node>(rt::make_eq(1, bands)))) {
    in.assign(channels, std::vector<float>(frames, 0.0f));
    for (std::uint32_t b = 0; b < rt::kEqBands; ++b) band(b, 1000.0, 0.0, std::sqrt(0.5));
    test::PlanBuilder b(rate);
    const auto source = b.node(node(rt::device_input_kind()), {}, channels);
    b.batch({{&eq, source, source, rt::eq_sections(bands)}});
    b.node(node(rt::device_output_kind()), b.in_place(node(rt::gain_kind(), {0.0}), source), 0);
    send(b.build(), {});
  }
  void band(std::uint32_t b, double hz, double db, double q, bool enabled = true) {
    const double values[] = {hz, db, q, enabled ? 1.0 : 0.0};
    for (std::uint16_t k = 0; k < P::per_band; ++k) eq.params[of_band(b, k)] = rt::Param(values[k]);
  }
  void play_probe() {
    for (std::uint32_t c = 0; c < in.size(); ++c)
      for (std::size_t i = 0; i < in[c].size(); ++i) in[c][i] = test::probe(static_cast<std::int64_t>(i), c);
  }
  rt::Node& eq;
};

/// The cookbook, straight from its page, with libm. W3C Audio EQ Cookbook, 2021.
std::complex<double> cookbook(BandType type, double f0, double db, double q, double rate, double hz) {
  const double a = std::pow(10.0, db / 40.0), w = kTwoPi * f0 / rate, c = std::cos(w), alpha = std::sin(w) / (2.0 * q);
  const double r = 2.0 * std::sqrt(a) * alpha;
  double b0 = 1, b1 = 0, b2 = 0, a0 = 1, a1 = 0, a2 = 0;
  switch (type) {
    case BandType::off:
      break;
    case BandType::low_pass:
      b0 = b2 = (1 - c) / 2, b1 = 1 - c, a0 = 1 + alpha, a1 = -2 * c, a2 = 1 - alpha;
      break;
    case BandType::high_pass:
      b0 = b2 = (1 + c) / 2, b1 = -(1 + c), a0 = 1 + alpha, a1 = -2 * c, a2 = 1 - alpha;
      break;
    case BandType::band_pass:
      b0 = alpha, b2 = -alpha, a0 = 1 + alpha, a1 = -2 * c, a2 = 1 - alpha;
      break;
    case BandType::notch:
      b0 = b2 = 1, b1 = -2 * c, a0 = 1 + alpha, a1 = -2 * c, a2 = 1 - alpha;
      break;
    case BandType::peak:
      b0 = 1 + alpha * a, b1 = -2 * c, b2 = 1 - alpha * a, a0 = 1 + alpha / a, a1 = -2 * c, a2 = 1 - alpha / a;
      break;
    case BandType::low_shelf:
      b0 = a * ((a + 1) - (a - 1) * c + r), b1 = 2 * a * ((a - 1) - (a + 1) * c), b2 = a * ((a + 1) - (a - 1) * c - r);
      a0 = (a + 1) + (a - 1) * c + r, a1 = -2 * ((a - 1) + (a + 1) * c), a2 = (a + 1) + (a - 1) * c - r;
      break;
    case BandType::high_shelf:
      b0 = a * ((a + 1) + (a - 1) * c + r), b1 = -2 * a * ((a - 1) + (a + 1) * c), b2 = a * ((a + 1) + (a - 1) * c - r);
      a0 = (a + 1) - (a - 1) * c + r, a1 = 2 * ((a - 1) - (a + 1) * c), a2 = (a + 1) - (a - 1) * c - r;
      break;
  }
  const std::complex<double> z = std::polar(1.0, -kTwoPi * hz / rate);
  return (b0 + z * (b1 + z * b2)) / (a0 + z * (a1 + z * a2));
}

/// Of a cascade whose whole is a Butterworth where q is sqrt(1/2).
std::complex<double> cascade(const rt::EqBand& band, double f0, double db, double q, double rate, double hz) {
  std::complex<double> h = 1.0;
  for (std::uint32_t k = 0; k < band.sections; ++k) {
    const double factor =
        band.sections == 1 ? 1.0 : std::sqrt(2.0) * 0.5 / std::cos(kTwoPi * (2.0 * k + 1.0) / (8.0 * band.sections));
    h *= cookbook(band.type, f0, db, q * factor, rate, hz);
  }
  return h;
}

std::complex<double> measured(const std::vector<float>& impulse, double rate, double hz) {
  std::complex<double> sum, z = 1.0;
  const std::complex<double> step = std::polar(1.0, -kTwoPi * hz / rate);
  for (std::size_t i = 0; i < impulse.size(); ++i) {
    if (i % 256 == 0) z = std::polar(1.0, -kTwoPi * std::fmod(hz / rate * static_cast<double>(i), 1.0));
    sum += static_cast<double>(impulse[i]) * z;
    z *= step;
  }
  return sum;
}

double decibel(std::complex<double> h) { return 20.0 * std::log10(std::abs(h)); }

/// -120 dB of what went in: what the roundings of an impulse response in float add up to, deep in a stop band.
constexpr double kFloor = 1e-6;

/// The largest error in dB over 20 Hz to 20 kHz.
double error_db(const rt::EqBand& band, double f0, double db, double q, double rate) {
  // Until it has rung out: 14 time constants of the slowest pole there may be.
  const double a = std::pow(10.0, std::abs(db) / 40.0), highest = q * a * (band.sections > 1 ? 3.7 : 1.0),
               lowest = q / a;
  const double slowest = std::max(2.0 * highest, 1.0 / lowest) / (kTwoPi * f0);
  const auto frames = static_cast<std::uint32_t>(14.0 * slowest * rate) + 2000;
  EqRig rig({band}, 1, frames, rate);
  rig.band(0, f0, db, q);
  rig.in[0][0] = 1.0f;
  rig.run(frames, {512});
  double worst = 0.0;
  for (double hz = 20.0; hz <= std::min(20000.0, 0.499 * rate); hz *= 1.54) {
    const std::complex<double> expected = cascade(band, f0, db, q, rate, hz), got = measured(rig.out[0], rate, hz);
    const bool zero = std::abs(expected) < kFloor;  // a notch's middle: -94 dB will do
    if (std::abs(std::abs(got) - std::abs(expected)) < (zero ? 20.0 : 1.0) * kFloor) continue;
    worst = std::max(worst, std::abs(decibel(got) - decibel(expected)));
  }
  return worst;
}

}  // namespace

TEST_CASE("every band is the cookbook's within 0.01 dB: types, gains, Q, 20 Hz to 20 kHz, four rates") {
  double worst = 0.0;
  for (const double rate : {44100.0, 48000.0, 96000.0, 192000.0})
    for (const BandType type : {BandType::low_shelf, BandType::high_shelf, BandType::peak, BandType::low_pass,
                                BandType::high_pass, BandType::notch, BandType::band_pass})
      for (const double f0 : {20.0, 100.0, 1000.0, 20000.0})
        for (const double q : {0.3, 0.70710678, 8.0})
          for (const double db : {-12.0, 24.0}) {
            const bool has_gain = type == BandType::peak || type == BandType::low_shelf || type == BandType::high_shelf;
            if (!has_gain && db > 0.0) continue;
            if (f0 < 50.0 && q > 1.0 && rate > 50000.0) continue;  // a long ringing
            const double error = error_db({type, 1}, f0, has_gain ? db : 0.0, q, rate);
            CAPTURE(rate);
            CAPTURE(static_cast<int>(type));
            CAPTURE(f0);
            CAPTURE(q);
            CAPTURE(db);
            CHECK(error < 0.01);
            worst = std::max(worst, error);
          }
  MESSAGE("largest error, dB: " << worst);
}

TEST_CASE("low and high pass of 12 to 48 dB per octave are Butterworth cascades within 0.01 dB") {
  for (const double rate : {44100.0, 48000.0, 96000.0, 192000.0})
    for (const BandType type : {BandType::low_pass, BandType::high_pass})
      for (const std::uint32_t sections : {1u, 2u, 3u, 4u})
        for (const double f0 : {20.0, 300.0, 18000.0}) {
          CAPTURE(rate);
          CAPTURE(sections);
          CAPTURE(f0);
          CHECK(error_db({type, sections}, f0, 0.0, std::sqrt(0.5), rate) < 0.01);
        }
}

TEST_CASE("eight bands at once are the product of their responses") {
  const std::vector<rt::EqBand> bands = {{BandType::high_pass, 4},  {BandType::low_shelf, 1}, {BandType::peak, 1},
                                         {BandType::peak, 1},       {BandType::notch, 1},     {BandType::peak, 1},
                                         {BandType::high_shelf, 1}, {BandType::low_pass, 2}};
  EqRig rig(bands, 1, 48000);
  const double f[8] = {40, 120, 300, 900, 2500, 5000, 9000, 15000};
  const double db[8] = {0, 5, -7, 4, 0, -3, 6, 0};
  for (std::uint32_t b = 0; b < 8; ++b) rig.band(b, f[b], db[b], 0.70710678);
  rig.in[0][0] = 1.0f;
  rig.run(48000, {512});
  for (double hz = 25.0; hz < 20000.0; hz *= 1.21) {
    std::complex<double> expected = 1.0;
    for (std::uint32_t b = 0; b < 8; ++b) expected *= cascade(bands[b], f[b], db[b], 0.70710678, 48000.0, hz);
    CAPTURE(hz);
    CHECK(std::abs(decibel(measured(rig.out[0], 48000.0, hz)) - decibel(expected)) < 0.01);
  }
}

TEST_CASE("a band that is not enabled, and a bypass, let every sample pass") {
  EqRig rig({{BandType::peak, 1}, {BandType::low_pass, 4}}, 2, 6000);
  rig.play_probe();
  rig.band(0, 1000.0, 20.0, 3.0, false);
  rig.band(1, 500.0, 0.0, 0.7, false);
  rig.set(1, of_band(1, P::enabled), 1.0, 2000, 100);
  rig.set(1, P::bypass, 1.0, 4000, 480);
  rig.run(6000, {256});
  for (std::uint32_t c = 0; c < 2; ++c) {
    for (std::size_t i = 0; i < 2000; ++i) REQUIRE(rig.out[c][i] == rig.in[c][i]);
    CHECK(rig.out[c][3000] != rig.in[c][3000]);
    for (std::size_t i = 4544; i < 6000; ++i) REQUIRE(rig.out[c][i] == rig.in[c][i]);
  }
}

TEST_CASE("ramps of frequency, gain, Q, enabled and bypass do not click") {
  EqRig rig({{BandType::peak, 1}, {BandType::high_shelf, 1}}, 1, 30000);
  for (std::size_t i = 0; i < 30000; ++i)
    rig.in[0][i] = static_cast<float>(0.5 * std::sin(kTwoPi * 200.0 / 48000.0 * static_cast<double>(i)));
  rig.set(1, of_band(0, P::gain_db), 12.0, 3005, 960);
  rig.set(1, of_band(0, P::freq_hz), 100.0, 6000, 960);
  rig.set(1, of_band(0, P::q), 4.0, 9017, 960);
  rig.set(1, of_band(0, P::enabled), 0.0, 12000, 960);
  rig.set(1, of_band(0, P::enabled), 1.0, 15000, 960);
  rig.set(1, of_band(1, P::gain_db), -20.0, 18000, 960);
  rig.set(1, P::bypass, 1.0, 21000, 960);
  rig.set(1, P::bypass, 0.0, 24000, 960);
  rig.run(30000, {512});
  // A second difference of a sine of 200 Hz is small; a click's is its height.
  const double smooth = std::pow(kTwoPi * 200.0 / 48000.0, 2.0) * 0.5 * 4.0;
  double worst = 0.0;
  for (std::size_t i = 2; i < 30000; ++i) {
    const auto y = [&](std::size_t k) { return static_cast<double>(rig.out[0][k]); };
    worst = std::max(worst, std::abs(y(i) - 2.0 * y(i - 1) + y(i - 2)));
  }
  CAPTURE(smooth);
  CHECK(worst < 3.0 * smooth);
}

TEST_CASE("an equaliser has the same bits for any buffers, at every CPU level") {
  test::Channels reference;
  for (const rt::CpuLevel level : {rt::CpuLevel::baseline, rt::CpuLevel::v3, rt::CpuLevel::v4})
    for (const auto& pattern : test::buffer_patterns()) {
      EqRig rig({{BandType::low_shelf, 1}, {BandType::peak, 1}, {BandType::low_pass, 3}}, 3, 5000, 48000.0,
                rt::dsp::kernels_of(level));
      rig.play_probe();
      rig.band(1, 700.0, 9.0, 2.0);
      rig.set(1, of_band(1, P::freq_hz), 5000.0, 777, 1111);
      rig.set(1, of_band(0, P::gain_db), -9.0, 1500);
      rig.set(1, P::bypass, 1.0, 3000, 480);
      if (pattern.front() == 17)
        for (int k = 0; k < 130; ++k) rig.set(2, 0, 0.0, 700 + 23 * k);  // another's, which begins blocks
      rig.run(5000, pattern);
      if (reference.empty()) reference = rig.out;
      REQUIRE(test::same_bits(reference, rig.out));
    }
}

TEST_CASE(
    "an equaliser's bits do not depend on the company in its batch: 1 to 16 lanes, different numbers of sections") {
  constexpr std::uint32_t kFrames = 2000;
  const auto bands_of = [](std::uint32_t k) {
    std::vector<rt::EqBand> bands;
    for (std::uint32_t b = 0; b <= k % 5; ++b)
      bands.push_back({b % 2 == 0 ? BandType::peak : BandType::high_pass, b % 2 == 0 ? 1 : 1 + (k + b) % 4});
    return bands;
  };
  const auto set_up = [](rt::Node& eq, std::uint32_t k) {
    for (std::uint32_t b = 0; b < rt::kEqBands; ++b) {
      const double values[] = {100.0 * (k + 1) + 400.0 * b, 6.0 - k, 0.7, 1.0};
      for (std::uint16_t n = 0; n < P::per_band; ++n) eq.params[of_band(b, n)] = rt::Param(values[n]);
    }
  };
  test::Channels alone(16);
  for (std::uint32_t k = 0; k < 16; ++k) {
    EqRig rig(bands_of(k), 1, kFrames);
    set_up(rig.eq, k);
    for (std::size_t i = 0; i < kFrames; ++i) rig.in[0][i] = test::probe(static_cast<std::int64_t>(i), k);
    rig.set(1, of_band(0, P::gain_db), -6.0, 500, 300);
    rig.run(kFrames);
    alone[k] = rig.out[0];
  }
  for (std::uint32_t lanes = 1; lanes <= 16; ++lanes) {
    Rig rig(lanes);
    rig.in.resize(lanes);
    test::PlanBuilder b;
    std::vector<test::PlanBuilder::Place> places;
    const auto source = b.node(rig.node(rt::device_input_kind()), {}, lanes);
    for (std::uint32_t k = 0; k < lanes; ++k) {
      for (std::uint32_t i = 0; i < kFrames; ++i) rig.in[k].push_back(test::probe(i, k));
      rt::Node& eq = rig.adopt(std::unique_ptr<rt::Node>(rt::make_eq(k + 1, bands_of(k))));
      set_up(eq, k);
      places.push_back({&eq, {source[k]}, {source[k]}, rt::eq_sections(bands_of(k))});
    }
    b.batch(std::move(places));
    b.node(rig.node(rt::device_output_kind()), source, 0);
    rig.send(b.build(), {});
    for (std::uint32_t k = 0; k < lanes; ++k) rig.set(1 + k, of_band(0, P::gain_db), -6.0, 500, 300);
    rig.run(kFrames, {65, 17});
    for (std::uint32_t k = 0; k < lanes; ++k) REQUIRE(test::same_bits({alone[k]}, {rig.out[k]}));
  }
}
