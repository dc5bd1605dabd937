// Every node type that a session can name against what it should sound like, worked out in double: a type without a row
// here fails.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "rt/dsp/convolution_plan.hpp"
#include "server/session/node_registry.hpp"
#include "tests/server/session/offline_rig.hpp"

using namespace continuo;
using namespace continuo::session;
using test::document;
using test::Rig;
using test::Sound;

namespace {

using Input = std::function<double(std::uint32_t, double)>;  // channel, frame

constexpr double kRate = 48000.0;
constexpr double kHalfTurn = 3.14159265358979323846;

double db(double level) { return 20.0 * std::log10(std::max(std::abs(level), 1e-12)); }
double gain(double level_db) { return std::pow(10.0, level_db / 20.0); }
double noise(std::uint32_t channel, double frame) {
  return static_cast<double>(test::test_sample("in", channel, static_cast<rt::FrameCount>(frame)));
}
double sine(double hz, double frame) { return std::sin(2.0 * kHalfTurn * hz / kRate * frame); }

/// in -> a track of two channels with this in it -> out.
std::string chain(const std::string& inner) {
  return "{'nodes': [{'id': 't', 'type': 'track', 'params': {'channels': 2}, 'children': [" + inner +
         "]}], 'connections': [{'from': 'in', 'to': 't'}, {'from': 't', 'to': 'out'}]}";
}
std::string processor(const std::string& type, const std::string& params) {
  return chain("{'id': 'p', 'type': '" + type + "', 'params': {" + params + "}}");
}
/// A source alone, on channel 1.
std::string source(const std::string& type, const std::string& params) {
  return "{'nodes': [{'id': 's', 'type': '" + type + "', 'params': {" + params +
         "}}], 'connections': [{'from': 's', 'to': 'out', 'channels': [{'from': 1, 'to': 1}]}]}";
}

struct Play {
  Rig rig{2, 2};
  std::vector<rt::MeterLook> looks;
  Sound out;
  Play(const std::string& text, std::uint32_t frames, const Input& input = noise) {
    rig.input = [&](std::uint32_t channel, rt::FrameCount frame) {
      return static_cast<float>(input(channel, static_cast<double>(frame)));
    };
    rig.media["p.wav"] = {.channels = 1, .sample_rate_hz = 48000, .frames = 8192};
    rig.start_timeline();
    rig.take(document(text));
    for (const CompiledMeter& meter : rig.last.meters) looks.emplace_back(meter.slots);
    out = rig.render(frames, 100);
  }
  [[nodiscard]] double at(std::size_t channel, std::size_t frame) const {
    return static_cast<double>(out[channel][frame]);
  }
  /// Every frame of both channels within `bound` of wanted(channel, frame).
  void is(const Input& wanted, double bound) const {
    double worst = 0.0;
    for (std::uint32_t c = 0; c < 2; ++c) {
      for (std::size_t i = 0; i < out[c].size(); ++i)
        worst = std::max(worst, std::abs(at(c, i) - wanted(c, static_cast<double>(i))));
    }
    CHECK(worst <= bound);
  }
  [[nodiscard]] double peak(std::size_t from) const {
    double most = 0.0;
    for (std::size_t i = from; i < out[0].size(); ++i) most = std::max(most, std::abs(at(0, i)));
    return most;
  }
};

void passes_through() { Play(chain(""), 1000).is(noise, 0.0); }

void pans_a_mono_track() {
  // Constant power: cos and sin of a quarter turn at the ends, -3 dB in the middle.
  for (const double pan : {-1.0, -0.25, 0.0, 0.6, 1.0}) {
    const std::string track =
        "{'nodes': [{'id': 't', 'type': 'track', 'params': {'channels': 1, 'gain_db': -6, 'pan': " +
        std::to_string(pan) + "}}], 'connections': [{'from': 'in:1', 'to': 't'}, {'from': 't', 'to': 'out'}]}";
    const double angle = (pan + 1.0) * kHalfTurn / 4.0;
    Play(track, 500)
        .is([&](std::uint32_t c,
                double i) { return gain(-6) * (c == 0 ? std::cos(angle) : std::sin(angle)) * noise(0, i); },
            3e-7);
  }
}

void sums_a_bus() {
  Play(
      "{'nodes': [{'id': 'b', 'type': 'bus', 'params': {'gain_db': 3}}], 'connections': [{'from': 'in', 'to': 'b'}, "
      "{'from': 'in:1', 'to': 'b', 'gain_db': -6, 'channels': [{'from': 1, 'to': 2}]}, {'from': 'b', 'to': 'out'}]}",
      500)
      .is([](std::uint32_t c, double i) { return gain(3) * (noise(c, i) + (c == 1 ? gain(-6) * noise(0, i) : 0.0)); },
          5e-7);
}

void holds_a_container() {
  Play(
      "{'nodes': [{'id': 'c', 'type': 'container', 'children': [{'id': 't', 'type': 'track', 'params': {'channels': "
      "2}}]}], 'connections': [{'from': 'in', 'to': 'c/t'}, {'from': 'c/t', 'to': 'out'}]}",
      500)
      .is(noise, 0.0);
}

void plays_a_file() {
  const auto sample = [](std::uint32_t c, double i) {
    return c == 0 ? static_cast<double>(test::test_sample("p.wav", 0, static_cast<rt::FrameCount>(i))) : 0.0;
  };
  Play(source("player", "'file': 'p.wav'"), 1000).is(sample, 0.0);
}

void oscillates() {
  Play(source("oscillator", "'frequency_hz': 1234.5, 'gain_db': 0"), 48000)
      .is([](std::uint32_t c, double i) { return c == 0 ? sine(1234.5, i) : 0.0; }, 2e-6);
}

void makes_noise() {
  const Play played(source("noise", "'gain_db': 0"), 48000);
  double sum = 0.0, power = 0.0, product = 0.0;
  for (std::size_t i = 1; i < 48000; ++i) {
    sum += played.at(0, i);
    power += played.at(0, i) * played.at(0, i);
    product += played.at(0, i) * played.at(0, i - 1);
  }
  // Even between -1 and 1, each sample on its own.
  CHECK(std::abs(sum / 48000.0) < 0.01);
  CHECK(power / 48000.0 == doctest::Approx(1.0 / 3.0).epsilon(0.02));
  CHECK(std::abs(product / power) < 0.02);
}

void sweeps() {
  // Farina 2000.
  const double l = std::log(200.0);
  Play(source("sweep", "'start_hz': 50, 'end_hz': 10000, 'duration_s': 1, 'gain_db': 0"), 4800)
      .is(
          [&](std::uint32_t c, double i) {
            const double turns = 50.0 / l * (std::exp(i / kRate * l) - 1.0);
            return c == 0 ? std::sin(2.0 * kHalfTurn * turns) : 0.0;
          },
          2e-6);
}

void gains() {
  Play(processor("gain", "'gain_db': -7.5"), 500)
      .is([](std::uint32_t c, double i) { return gain(-7.5) * noise(c, i); }, 2e-7);
}

void balances() {
  // The side that it turns away from falls by the constant-power law times the root of 2; the other stays.
  const double left = std::cos(1.5 * kHalfTurn / 4.0) * std::sqrt(2.0);
  Play(processor("pan", "'pan': 0.5"), 500)
      .is([&](std::uint32_t c, double i) { return (c == 0 ? left : 1.0) * noise(c, i); }, 3e-7);
  Play(processor("pan", "'pan': 0"), 500).is(noise, 0.0);
}

void mixes_a_matrix() {
  Play(processor("matrix", "'gain.1_1': 0.5, 'gain.1_2': -0.25, 'gain.2_1': 2, 'gain.2_2': 0"), 500)
      .is([](std::uint32_t c, double i) { return c == 0 ? 0.5 * noise(0, i) - 0.25 * noise(1, i) : 2.0 * noise(0, i); },
          3e-7);
}

void equalises() {
  // The cookbook's peak has its gain at its frequency, and none an octave below the edge of what it touches.
  for (const auto& [hz, wanted] : {std::pair{1000.0, 6.0}, {20.0, 0.0}}) {
    const Play played(processor("eq", "'band1.type': 'peak', 'band1.freq_hz': 1000, 'band1.gain_db': 6, 'band1.q': 4"),
                      48000, [hz = hz](std::uint32_t, double i) { return 0.25 * sine(hz, i); });
    double s = 0.0, c = 0.0;
    for (std::size_t i = 24000; i < 48000; ++i) {
      s += played.at(0, i) * sine(hz, static_cast<double>(i)) / 12000.0;
      c += played.at(0, i) * std::cos(2.0 * kHalfTurn * hz / kRate * static_cast<double>(i)) / 12000.0;
    }
    CHECK(std::abs(db(std::hypot(s, c) / 0.25) - wanted) < 0.01);
  }
}

void compresses() {
  const Play played(processor("compressor", "'threshold_db': -20, 'ratio': 4, 'knee_db': 0, 'makeup_db': 2"), 48000,
                    [](std::uint32_t, double) { return gain(-4); });
  CHECK(std::abs(db(played.at(0, 47999)) - (-20.0 + 16.0 / 4.0 + 2.0)) < 0.1);
}

void gates() {
  const Play played(processor("gate", "'threshold_db': -20, 'ratio': 2, 'range_db': 80, 'hysteresis_db': 0"), 96000,
                    [](std::uint32_t, double) { return gain(-35); });
  CHECK(std::abs(db(played.at(0, 95999)) - (-20.0 - 2.0 * 15.0)) < 0.1);
}

void limits() {
  // A quarter of the rate, an eighth turn off: its samples lie 3 dB below its true peak.
  const auto loud = [](std::uint32_t, double i) { return gain(6) * std::sin(kHalfTurn * (0.5 * i + 0.25)); };
  const Play played(processor("limiter", "'ceiling_db': -6"), 48000, loud);
  const double true_peak = played.peak(24000) * std::sqrt(2.0);
  CHECK(db(true_peak) < -6.0 + 0.1);
  CHECK(db(true_peak) > -7.0);
}

void delays() {
  Play(processor("delay", "'time_ms': 10, 'feedback': 0.5, 'dry_db': 0, 'wet_db': 0, 'max_ms': 100"), 1400)
      .is(
          [](std::uint32_t c, double i) {
            double sum = noise(c, i), factor = 1.0;
            for (double late = 480.0; late <= i; late += 480.0, factor *= 0.5) sum += factor * noise(c, i - late);
            return sum;
          },
          1e-6);
}

void feeds_back() {
  // A comb: each round 960 frames later, and half as loud.
  Play(
      "{'nodes': [{'id': 'b', 'type': 'bus'}, {'id': 'f', 'type': 'feedback', 'params': {'time_ms': 20}}], "
      "'connections': [{'from': 'in', 'to': 'b'}, {'from': 'b', 'to': 'out'}, {'from': 'b', 'to': 'f', 'gain_db': "
      "-6}, {'from': 'f', 'to': 'b'}]}",
      4000)
      .is(
          [](std::uint32_t c, double i) {
            double sum = 0.0, factor = 1.0;
            for (double late = 0.0; late <= i; late += 960.0, factor *= gain(-6)) sum += factor * noise(c, i - late);
            return sum;
          },
          1e-6);
}

void reverberates() {
  const Play played(processor("reverb", "'decay_s': 1, 'hf_ratio': 1, 'dry_db': -150, 'wet_db': 0"), 72000,
                    [](std::uint32_t, double i) { return i < 1.0 ? 1.0 : 0.0; });
  // Schroeder 1965: the energy that is still to come falls on a line; here between -5 and -35 dB.
  std::vector<double> left(played.out[0].size() + 1, 0.0);
  for (std::size_t i = played.out[0].size(); i-- != 0;) left[i] = left[i + 1] + played.at(0, i) * played.at(0, i);
  const auto falls = [&](double level_db) {
    std::size_t i = 0;
    while (10.0 * std::log10(left[i] / left[0]) > level_db) ++i;
    return static_cast<double>(i);
  };
  const double decay_s = (falls(-35.0) - falls(-5.0)) * 2.0 / kRate;
  CHECK(std::abs(decay_s - 1.0) < 0.05);
}

void convolves() {
  constexpr std::size_t kTaps = 300;
  std::vector<float> taps(kTaps);
  for (std::size_t i = 0; i < kTaps; ++i) taps[i] = test::test_sample("room", 0, static_cast<rt::FrameCount>(i)) * 0.1f;
  Rig rig(2, 2);
  rig.media["room.wav"] = {.channels = 1, .sample_rate_hz = 48000, .frames = kTaps};
  const Document text = document(processor("convolution", "'file': 'room.wav'"));
  rig.request.document = &text;
  const std::vector<ImpulseKey> keys = impulses_of(rig.request);
  REQUIRE(keys.size() == 1);
  const float* const channels[] = {taps.data()};
  ImpulseTable impulses;
  impulses[keys[0]] = rt::dsp::Impulse::make(rt::dsp::ConvolutionPlan::make(0, kTaps), channels, kTaps);
  rig.request.impulses = &impulses;
  rig.take(text);
  const Sound out = rig.render(2000, 100);
  double worst = 0.0;
  for (std::size_t i = 0; i < 2000; ++i) {
    double sum = 0.0;
    for (std::size_t k = 0; k <= std::min(i, kTaps - 1); ++k)
      sum += static_cast<double>(taps[k]) * noise(1, static_cast<double>(i - k));
    worst = std::max(worst, std::abs(static_cast<double>(out[1][i]) - sum));
  }
  CHECK(db(worst) < -120.0);
}

void meters() {
  Play played(chain("{'id': 'm', 'type': 'meter'}"), 1024, [](std::uint32_t c, double i) {
    return (c == 0 ? 0.5 : 0.25) * sine(375.0, i);  // four turns a window
  });
  const auto found = std::find_if(played.rig.last.meters.begin(), played.rig.last.meters.end(),
                                  [](const CompiledMeter& meter) { return meter.path == "t/m"; });
  REQUIRE(found != played.rig.last.meters.end());
  rt::MeterWindow window;
  REQUIRE((*found->slots)[1].try_read(0, window));
  CHECK(db(static_cast<double>(window.peak)) == doctest::Approx(db(0.25)).epsilon(1e-4));
  CHECK(static_cast<double>(window.mean_square) == doctest::Approx(0.25 * 0.25 / 2.0).epsilon(1e-4));
}

void records() {
  Play played(chain("{'id': 'r', 'type': 'recorder'}"), 700);
  CHECK(played.rig.recorded("t/r") == played.out);
}

const std::map<std::string_view, void (*)()> kRows = {
    {"bus", sums_a_bus},
    {"compressor", compresses},
    {"container", holds_a_container},
    {"convolution", convolves},
    {"delay", delays},
    {"eq", equalises},
    {"feedback", feeds_back},
    {"gain", gains},
    {"gate", gates},
    {"in", passes_through},
    {"limiter", limits},
    {"matrix", mixes_a_matrix},
    {"meter", meters},
    {"noise", makes_noise},
    {"oscillator", oscillates},
    {"out", passes_through},
    {"pan", balances},
    {"player", plays_a_file},
    {"recorder", records},
    {"reverb", reverberates},
    {"sweep", sweeps},
    {"track", pans_a_mono_track},
};

}  // namespace

TEST_CASE("every type of the registry against its reference") {
  for (const TypeSpec& type : node_types()) {
    CAPTURE(std::string(type.name));
    const auto row = kRows.find(type.name);
    CHECK_MESSAGE(row != kRows.end(), "a type without a reference");
    if (row != kRows.end()) row->second();
  }
  for (const auto& [name, row] : kRows) CHECK_MESSAGE(find_type(name) != nullptr, std::string(name));
}
