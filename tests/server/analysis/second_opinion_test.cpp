// libebur128 measures the same sounds. It forms the range from a short-term value a second (ours: ten), so that is
// compared with an exact computation on our own values, a second apart.
#include <doctest/doctest.h>

#ifdef CONTINUO_TEST_EBUR128
#include <ebur128.h>

#include <memory>

#include "server/analysis/decibel.hpp"
#include "server/analysis/layout.hpp"
#include "server/analysis/loudness.hpp"
#include "server/analysis/true_peak.hpp"
#include "tests/server/analysis/signals.hpp"

using namespace continuo::analysis;
using namespace continuo::analysis::test;

namespace {

struct Other {
  explicit Other(const Sound& sound)
      : state(ebur128_init(
            sound.channels, static_cast<unsigned long>(sound.rate),
            EBUR128_MODE_I | EBUR128_MODE_LRA | EBUR128_MODE_M | EBUR128_MODE_S | EBUR128_MODE_TRUE_PEAK)) {}
  ~Other() { ebur128_destroy(&state); }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  double get(int (*what)(ebur128_state*, double*)) {
    double value = 0.0;
    REQUIRE(what(state, &value) == EBUR128_SUCCESS);
    return value;
  }
  ebur128_state* state;
};

double range_of(std::vector<double> shorts) {
  const auto mean_above = [&](double gate) {
    double sum = 0.0;
    std::size_t n = 0;
    for (const double l : shorts)
      if (l >= gate) sum += power_of(l), ++n;
    return n == 0 ? -150.0 : loudness_of(sum / static_cast<double>(n));
  };
  const double gate = std::max(-70.0, mean_above(-70.0) - 20.0);
  std::erase_if(shorts, [&](double l) { return l < gate; });
  if (shorts.empty()) return 0.0;
  std::ranges::sort(shorts);
  const auto at = [&](double part) {
    return shorts[static_cast<std::size_t>(static_cast<double>(shorts.size() - 1) * part + 0.5)];
  };
  return at(0.95) - at(0.10);
}

}  // namespace

TEST_CASE("second opinion: libebur128 agrees on random sounds, 1 to 6 channels, several rates") {
  for (std::uint64_t seed = 0; seed < 15; ++seed) {
    const auto channels = static_cast<std::uint32_t>(1 + seed % 6);
    const double rate = std::vector{48000.0, 44100.0, 96000.0, 32000.0, 22050.0}[seed % 5];
    CAPTURE(rate);
    CAPTURE(channels);
    const Sound sound = random_sound(channels, rate, 12.0, 100 + seed);
    Other other(sound);
    // Its order of channels where it has none of its own for three.
    if (channels == 3) ebur128_set_channel(other.state, 2, EBUR128_CENTER);
    if (channels == 6) {
      constexpr channel kOrder[] = {EBUR128_LEFT,   EBUR128_RIGHT,         EBUR128_CENTER,
                                    EBUR128_UNUSED, EBUR128_LEFT_SURROUND, EBUR128_RIGHT_SURROUND};
      for (unsigned c = 0; c < 6; ++c) ebur128_set_channel(other.state, c, kOrder[c]);
    }
    Loudness ours(rate, *channel_weights(usual_layout(channels), channels));
    TruePeakMeter peak(rate, channels);
    const auto step = static_cast<std::size_t>(rate / 10.0);
    // Its high-pass has the table's numerator at every rate, so that it reads higher where the rate is low.
    const double offset = -level_db(KWeighting::at(rate).high_pass.b0);
    const auto level = [&](double theirs) { return std::max(theirs - offset, -150.0); };
    double momentary = 0.0, short_term = 0.0;
    std::vector<double> shorts;
    for (std::size_t n = 1; n * step <= sound.frames(); ++n) {
      const Frames view = sound.view((n - 1) * step, step);
      ours.feed(view);
      peak.feed(view);
      ebur128_add_frames_float(other.state, sound.samples.data() + (n - 1) * step * channels, step);
      if (n >= 4)
        momentary = std::max(momentary, std::abs(ours.momentary() - level(other.get(ebur128_loudness_momentary))));
      if (n >= 30) {
        short_term = std::max(short_term, std::abs(ours.short_term() - level(other.get(ebur128_loudness_shortterm))));
        if (n % 10 == 0) shorts.push_back(ours.short_term());
      }
    }
    CHECK(momentary < 0.03);
    CHECK(short_term < 0.03);
    CHECK(std::abs(ours.integrated() - level(other.get(ebur128_loudness_global))) < 0.03);
    CHECK(std::abs(range_of(shorts) - other.get(ebur128_loudness_range)) < 0.05);
    double their_peak = 0.0;
    for (unsigned c = 0; c < channels; ++c) {
      double one = 0.0;
      REQUIRE(ebur128_true_peak(other.state, c, &one) == EBUR128_SUCCESS);
      their_peak = std::max(their_peak, one);
    }
    // It looks at half as many places, through a filter that loses what lies near half the rate, where this noise goes.
    const double more = level_db(static_cast<double>(peak.max())) - level_db(their_peak);
    CAPTURE(more);
    CHECK(more > -0.2);
    CHECK(more < 2.0);
  }
}
#endif
