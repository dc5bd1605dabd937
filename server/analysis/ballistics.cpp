#include "server/analysis/ballistics.hpp"

#include <algorithm>
#include <cmath>

#include "rt/dsp/math.hpp"
#include "server/analysis/decibel.hpp"
#include "server/base/check.hpp"

namespace continuo::analysis {
namespace {

constexpr std::uint32_t kAtOnce = 256;
constexpr double kNothing = 1e-15;  // below it a needle rests
constexpr double kLowest = 1e-20;   // and never quite, so that nothing becomes subnormal

// A needle of this damping overshoots by 1.25 %; at this frequency (radians a second) it is at 99 % after 0.3 s.
constexpr double kVuDamping = 0.8127, kVuRadians = 13.511;
constexpr double kSineOfMean = 0.25 * rt::dsp::kTwoPi;  // a sine's peak over the mean of its rectified self

struct PpmTable {
  double first_s, second_s, part_first, sine_factor, fall_db_per_s;
};
constexpr PpmTable kPpm[] = {
    {36e-3, 1.35e-3, 0.03, 1.0249, 20.0 / 1.7},
    {1.176e-3, 6.652e-3, 0.5514, 1.0302, 24.0 / 2.8},
};

/// 1 - e^(-1 / (seconds rate))
double part_of_way(double seconds, double rate) noexcept {
  return 1.0 - rt::dsp::exp2(-1.0 / (seconds * rate * rt::dsp::kLn2));
}

template <class Each>
void each_magnitude(const Frames& frames, std::uint32_t channels, Each&& each) noexcept {
  float samples[kAtOnce];
  for (std::size_t at = 0; at < frames.count(); at += kAtOnce) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(frames.count() - at, kAtOnce));
    for (std::uint32_t c = 0; c < channels; ++c) {
      frames.copy(c, at, n, samples);
      each(c, samples, n);
    }
  }
}
double magnitude(float x) noexcept { return static_cast<double>(std::abs(x)); }

}  // namespace

VuMeter::VuMeter(double sample_rate_hz, std::uint32_t channels)
    : spring_((kVuRadians / sample_rate_hz) * (kVuRadians / sample_rate_hz)),
      keep_(1.0 - 2.0 * kVuDamping * kVuRadians / sample_rate_hz),
      needles_(channels) {
  CONTINUO_CHECK(sample_rate_hz >= 8000.0 && channels > 0, "the needle is slow beside a frame");
}

void VuMeter::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(frames.channels() == needles_.size(), "as many channels as it was made for");
  const auto turn = [this](std::uint32_t c, const float* samples, std::uint32_t n) noexcept {
    double place = needles_[c].place, speed = needles_[c].speed;
    for (std::uint32_t i = 0; i < n; ++i) {
      // What a frame waits for of the one before is short: the force of the spring comes last, twice.
      const double force = spring_ * place, free = keep_ * speed + spring_ * (magnitude(samples[i]) + kLowest);
      place = (place + free) - force;
      speed = free - force;
    }
    needles_[c] = {place, speed};
  };
  each_magnitude(frames, static_cast<std::uint32_t>(needles_.size()), turn);
}

double VuMeter::level(std::uint32_t channel) const noexcept {
  return needles_[channel].place > kNothing ? needles_[channel].place * kSineOfMean : 0.0;
}

PpmMeter::PpmMeter(double sample_rate_hz, std::uint32_t channels, PpmType type) : needles_(channels) {
  CONTINUO_CHECK(sample_rate_hz >= 8000.0 && channels > 0, "the needle is slow beside a frame");
  const PpmTable& t = kPpm[type == PpmType::type_1 ? 0 : 1];
  rise_first_ = part_of_way(t.first_s, sample_rate_hz);
  rise_second_ = part_of_way(t.second_s, sample_rate_hz);
  part_first_ = t.part_first * t.sine_factor;
  part_second_ = (1.0 - t.part_first) * t.sine_factor;
  fall_ = db_level(-t.fall_db_per_s / sample_rate_hz);
  keep_first_ = fall_ * (1.0 - rise_first_);
  keep_second_ = fall_ * (1.0 - rise_second_);
}

void PpmMeter::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(frames.channels() == needles_.size(), "as many channels as it was made for");
  const auto turn = [this](std::uint32_t c, const float* samples, std::uint32_t n) noexcept {
    double first = needles_[c].first, second = needles_[c].second, most = needles_[c].max;
    for (std::uint32_t i = 0; i < n; ++i) {
      const double size = magnitude(samples[i]);
      // It falls, and then goes a part of the way up, if the way is up.
      const auto step = [&](double place, double rise, double keep) noexcept {
        const double fallen = std::max(place * fall_, kLowest), risen = place * keep + rise * size;
        return risen > fallen ? risen : fallen;
      };
      first = step(first, rise_first_, keep_first_);
      second = step(second, rise_second_, keep_second_);
      const double level = part_first_ * first + part_second_ * second;
      most = level > most ? level : most;
    }
    needles_[c] = {first, second, part_first_ * first + part_second_ * second, most};
  };
  each_magnitude(frames, static_cast<std::uint32_t>(needles_.size()), turn);
}

double PpmMeter::level(std::uint32_t channel) const noexcept {
  return needles_[channel].level > kNothing ? needles_[channel].level : 0.0;
}
double PpmMeter::max(std::uint32_t channel) const noexcept {
  return needles_[channel].max > kNothing ? needles_[channel].max : 0.0;
}

void PpmMeter::restart() noexcept {
  for (Needle& needle : needles_) needle.max = 0.0;
}

}  // namespace continuo::analysis
