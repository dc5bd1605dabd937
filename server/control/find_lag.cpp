#include "server/control/find_lag.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <numbers>
#include <vector>

namespace continuo::control {
namespace {

constexpr double kLeastCorrelation = 0.1;
constexpr double kStandsOut = 8.0;   // the peak, over the mean of all
constexpr std::size_t kBeside = 64;  // frames about the peak that belong to it
constexpr double kSecondPeak = 0.7;  // another one above this part of the first leaves doubt
constexpr int kReach = 24;           // frames to either side that a value between two is made of
constexpr int kSteps = 64;           // of a frame

double dot(const float* a, const float* b, std::size_t count) {
  // Eight sums, so that the compiler may keep them side by side without changing any.
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8)
    for (std::size_t k = 0; k < 8; ++k) sums[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
  for (; i < count; ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

/// What the correlation is between its frames: both signals hold nothing above half the rate, so neither does it.
double between(const std::vector<double>& all, double at) {
  double sum = 0.0;
  const auto first = static_cast<std::int64_t>(std::floor(at)) - kReach + 1;
  for (std::int64_t i = std::max<std::int64_t>(0, first);
       i < std::min<std::int64_t>(std::ssize(all), first + 2 * kReach); ++i) {
    const double x = at - static_cast<double>(i);
    const double window = 0.5 + 0.5 * std::cos(std::numbers::pi * x / kReach);
    const double sinc = std::abs(x) < 1e-9 ? 1.0 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
    sum += all[static_cast<std::size_t>(i)] * sinc * window;
  }
  return sum;
}

}  // namespace

std::optional<Lag> find_lag(std::span<const float> out, std::span<const float> back, std::size_t most_frames) {
  if (out.empty() || back.empty()) return std::nullopt;
  const std::size_t lags = std::min(most_frames + 1, back.size());
  std::vector<double> all(lags);
  double sum = 0.0;
  for (std::size_t lag = 0; lag < lags; ++lag) {
    all[lag] = dot(out.data(), back.data() + lag, std::min(out.size(), back.size() - lag));
    sum += std::abs(all[lag]);
  }
  const auto size = [](double value) { return std::abs(value); };
  const auto peak = static_cast<std::size_t>(std::ranges::max_element(all, {}, size) - all.begin());
  if (all[peak] < 0.0) {
    for (double& value : all) value = -value;
  }
  const std::size_t count = std::min(out.size(), back.size() - peak);
  const double energy =
      std::sqrt(dot(out.data(), out.data(), count) * dot(back.data() + peak, back.data() + peak, count));
  if (!(energy > 0.0)) return std::nullopt;
  Lag found{static_cast<double>(peak), all[peak] / energy};
  double second = 0.0;
  for (std::size_t lag = 0; lag < lags; ++lag) {
    if (lag + kBeside < peak || lag > peak + kBeside) second = std::max(second, std::abs(all[lag]));
  }
  const double mean = sum / static_cast<double>(lags);
  if (found.correlation < kLeastCorrelation || second > kSecondPeak * all[peak] ||
      (lags > 16 * kBeside && all[peak] < kStandsOut * mean))
    return std::nullopt;
  double best = all[peak];
  for (int step = -kSteps / 2; step <= kSteps / 2; ++step) {
    const double at = static_cast<double>(peak) + static_cast<double>(step) / kSteps;
    const double value = between(all, at);
    if (at < 0.0 || value <= best) continue;
    best = value;
    found.frames = at;
  }
  return found;
}

}  // namespace continuo::control
