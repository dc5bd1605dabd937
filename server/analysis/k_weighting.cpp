#include "server/analysis/k_weighting.hpp"

#include <algorithm>
#include <cstring>

#include "rt/dsp/math.hpp"
#include "server/analysis/decibel.hpp"

namespace continuo::analysis {
namespace {

// The analogue prototypes of BS.1770-4, Tables 1 and 2, solved from their coefficients.
constexpr double kShelfHz = 1681.974450955533, kShelfGainDb = 3.999843853973347, kShelfQ = 0.7071752369554196;
constexpr double kShelfMiddle = 0.4996667741545416;  // the exponent of the gain in the shelf's linear term
constexpr double kHighPassHz = 38.13547087602444, kHighPassQ = 0.5003270373238773;
constexpr double kTableRate = 48000.0;

/// tan(pi f / rate): the bilinear transform's frequency.
double warped(double hz, double rate) noexcept {
  const double turns = 0.5 * hz / rate;
  return rt::dsp::sin_turns(turns) / rt::dsp::cos_turns(turns);
}

double high_pass_scale(double rate) noexcept {
  const double k = warped(kHighPassHz, rate);
  return 1.0 + k / kHighPassQ + k * k;
}

using Pair = double __attribute__((vector_size(16)));
using PairOfFloats = float __attribute__((vector_size(8)));

/// Of a pair: the last two inputs, what is between the sections, outputs; the sum.
enum Row : std::uint32_t { kX1, kX2, kY1, kY2, kZ1, kZ2, kSum, kRows };

constexpr std::uint32_t kWidth = 2;
constexpr std::uint32_t kAtOnce = 128;

}  // namespace

KWeighting KWeighting::at(double rate) noexcept {
  KWeighting w;
  {
    const double k = warped(kShelfHz, rate), gain = db_level(kShelfGainDb);
    const double middle = rt::dsp::exp2(kShelfMiddle * kShelfGainDb * rt::dsp::kLog2PerDb);
    const double a0 = 1.0 + k / kShelfQ + k * k;
    w.shelf = {.b0 = (gain + middle * k / kShelfQ + k * k) / a0,
               .b1 = 2.0 * (k * k - gain) / a0,
               .b2 = (gain - middle * k / kShelfQ + k * k) / a0,
               .a1 = 2.0 * (k * k - 1.0) / a0,
               .a2 = (1.0 - k / kShelfQ + k * k) / a0};
  }
  const double k = warped(kHighPassHz, rate), a0 = high_pass_scale(rate);
  const double b = high_pass_scale(kTableRate) / a0;
  w.high_pass = {
      .b0 = b, .b1 = -2.0 * b, .b2 = b, .a1 = 2.0 * (k * k - 1.0) / a0, .a2 = (1.0 - k / kHighPassQ + k * k) / a0};
  return w;
}

WeightedPower::WeightedPower(double sample_rate_hz, std::uint32_t channels)
    : filter_(KWeighting::at(sample_rate_hz)),
      channels_(channels),
      states_(std::size_t{(channels + kWidth - 1) / kWidth} * kRows * kWidth, 0.0) {}

void WeightedPower::add_pair(double* state, std::uint32_t first, const Frames& frames, std::size_t at,
                             std::size_t count) noexcept {
  // The high-pass's numerator is b (1 -2 1): b goes into the shelf.
  const double b = filter_.high_pass.b0;
  const Pair b0 = Pair{} + filter_.shelf.b0 * b, b1 = Pair{} + filter_.shelf.b1 * b, b2 = Pair{} + filter_.shelf.b2 * b;
  const Pair a1 = Pair{} + filter_.shelf.a1, a2 = Pair{} + filter_.shelf.a2;
  const Pair c1 = Pair{} + filter_.high_pass.a1, c2 = Pair{} + filter_.high_pass.a2;
  Pair s[kRows];
  std::memcpy(s, state, sizeof s);
  Pair x1 = s[kX1], x2 = s[kX2], y1 = s[kY1], y2 = s[kY2], z1 = s[kZ1], z2 = s[kZ2], sum = s[kSum];
  alignas(64) float samples[kAtOnce * kWidth];
  while (count > 0) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(count, kAtOnce));
    frames.copy_lanes(first, kWidth, at, n, samples);
    for (std::uint32_t i = 0; i < n; ++i) {
      PairOfFloats in;
      std::memcpy(&in, samples + i * kWidth, sizeof in);
      const Pair x = __builtin_convertvector(in, Pair);
      // What the newest output is needed for comes last: it is what the next frame waits for.
      const Pair y = (b0 * x + b1 * x1 + b2 * x2 - a2 * y2) - a1 * y1;
      const Pair z = ((y + y2) - (y1 + y1) - c2 * z2) - c1 * z1;
      sum += z * z;
      x2 = x1, x1 = x, y2 = y1, y1 = y, z2 = z1, z1 = z;
    }
    at += n, count -= n;
  }
  const Pair left[kRows] = {x1, x2, y1, y2, z1, z2, sum};
  std::memcpy(state, left, sizeof left);
}

void WeightedPower::add(const Frames& frames, std::size_t at, std::size_t count) noexcept {
  double* state = states_.data();
  for (std::uint32_t first = 0; first < channels_; first += kWidth, state += kRows * kWidth)
    add_pair(state, first, frames, at, count);
}

void WeightedPower::take(double* into) noexcept {
  double* state = states_.data();
  for (std::uint32_t first = 0; first < channels_; first += kWidth, state += kRows * kWidth) {
    for (std::uint32_t lane = 0; lane < kWidth; ++lane) {
      double* const sum = state + kSum * kWidth + lane;
      if (first + lane < channels_) into[first + lane] = *sum;
      *sum = 0.0;
    }
    for (std::uint32_t i = 0; i < kSum * kWidth; ++i)
      if (state[i] < 1e-40 && state[i] > -1e-40) state[i] = 0.0;
  }
}

}  // namespace continuo::analysis
