#include "clients/cli/spectrum_tones.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

using namespace continuo;
using namespace continuo::cli;

namespace {

v1::SpectrumFrame spectrum(std::initializer_list<float> levels) {
  v1::SpectrumFrame frame;
  for (const float level : levels) frame.add_level_db(level);
  frame.set_bin_hz(10.0);
  return frame;
}

struct Window {
  const char* name;
  std::vector<double> weights;  // of cosines, with changing signs
};
const std::array kWindows{Window{"hann", {0.5, 0.5}}, Window{"blackman-harris", {0.35875, 0.48829, 0.14128, 0.01168}},
                          Window{"flat-top", {0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368}}};

// Of a sine at `place` bins, by the definition of the transform; a sine in the middle of a bin reads its peak level.
v1::SpectrumFrame of_sine(const std::vector<double>& weights, double place, double level_db) {
  constexpr int kSize = 128;
  const double turn = 2.0 * std::numbers::pi / kSize;
  const double peak = std::pow(10.0, level_db / 20.0);
  v1::SpectrumFrame frame;
  frame.set_bin_hz(10.0);
  for (int bin = 0; bin <= kSize / 2; ++bin) {
    double real = 0.0;
    double imaginary = 0.0;
    double sum = 0.0;
    for (int i = 0; i < kSize; ++i) {
      double weight = 0.0;
      for (std::size_t k = 0; k < weights.size(); ++k)
        weight += (k % 2 == 0 ? 1.0 : -1.0) * weights[k] * std::cos(turn * static_cast<double>(k) * i);
      const double sample = weight * peak * std::sin(turn * place * i + 0.7);
      real += sample * std::cos(turn * bin * i);
      imaginary -= sample * std::sin(turn * bin * i);
      sum += weight;
    }
    frame.add_level_db(static_cast<float>(20.0 * std::log10(std::max(2.0 * std::hypot(real, imaginary) / sum, 1e-9))));
  }
  return frame;
}

}  // namespace

TEST_CASE("tones: the level does not depend on where between two bins a tone lies") {
  for (const auto& [window, weights] : kWindows) {
    for (const double place : {20.0, 20.1, 20.25, 20.5, 20.75, 33.4, 6.5, 57.5}) {
      const auto tones = loudest_tones(of_sine(weights, place, -20.0), 1, window);
      REQUIRE(tones.size() == 1);
      const std::string here = std::string(window) + " at bin " + std::to_string(place);
      CHECK_MESSAGE(std::abs(tones[0].level_db + 20.0) < 0.1, here, ": ", tones[0].level_db);
      CHECK_MESSAGE(std::abs(tones[0].frequency_hz - place * 10.0) < 2.0, here, ": ", tones[0].frequency_hz);
    }
  }
}

TEST_CASE("tones: at the edges and in a rectangle none reads more than half a bin's loss") {
  for (const double place : {1.5, 2.0, 62.5}) {
    const auto tones = loudest_tones(of_sine(kWindows[0].weights, place, -20.0), 1, "hann");
    REQUIRE(tones.size() == 1);
    CHECK(std::abs(tones[0].level_db + 20.0) < 2.5);
  }
  for (const double place : {20.0, 20.5}) {
    const auto tones = loudest_tones(of_sine({1.0}, place, -20.0), 1, "rectangular");
    REQUIRE(tones.size() == 1);
    CHECK(std::abs(tones[0].level_db + 20.0) < 0.5);
  }
}

TEST_CASE("tones: the loudest first, and none beside a louder one") {
  const auto tones =
      loudest_tones(spectrum({-90, -90, -40, -39.9F, -90, -90, -90, -90, -90, -90, -20, -35, -90, -90, -90, -90}), 9);
  REQUIRE(tones.size() == 2);
  CHECK(tones[0].frequency_hz == doctest::Approx(104.1).epsilon(0.01));
  CHECK(tones[1].frequency_hz == doctest::Approx(25.0).epsilon(0.01));
  CHECK(loudest_tones(spectrum({-90, -20, -90, -90, -90, -90, -90, -30, -90}), 1).size() == 1);
}

TEST_CASE("tones: a parabola between the bins finds the frequency") {
  v1::SpectrumFrame frame;
  frame.set_bin_hz(10.0);
  for (int bin = 0; bin < 40; ++bin) frame.add_level_db(static_cast<float>(-12.0 - 2.0 * std::pow(bin - 17.3, 2)));
  const auto tones = loudest_tones(frame, 5);
  REQUIRE(tones.size() == 1);
  CHECK(tones[0].frequency_hz == doctest::Approx(173.0).epsilon(1e-4));
}

TEST_CASE("tones: silence has none, and neither edges nor equals are too many") {
  CHECK(loudest_tones(v1::SpectrumFrame(), 5).empty());
  CHECK(loudest_tones(spectrum({-150, -150, -150, -150}), 5).empty());
  const auto edges = loudest_tones(spectrum({-10, -60, -60, -60, -60, -60, -60, -12}), 5);
  REQUIRE(edges.size() == 2);
  CHECK(edges[0].frequency_hz == 0.0);
  CHECK(edges[1].frequency_hz == 70.0);
  CHECK(loudest_tones(spectrum({-50, -20, -20, -50}), 5).size() == 1);
  CHECK(loudest_tones(spectrum({-20}), 5).size() == 1);
}
