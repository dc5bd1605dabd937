#include "server/analysis/level_histogram.hpp"

#include <algorithm>
#include <cmath>

#include "server/analysis/decibel.hpp"

namespace continuo::analysis {
namespace {

constexpr double kOffset = -0.691;  // so that 997 Hz at full scale in one channel reads -3.01

std::size_t bin_of(double power) noexcept {
  const double lu = (loudness_of(power) - LevelHistogram::kLowest) * (1.0 / LevelHistogram::kBinLu);
  return static_cast<std::size_t>(std::clamp(lu, 0.0, static_cast<double>(LevelHistogram::kBins - 1)));
}

}  // namespace

double loudness_of(double power) noexcept { return std::max(power_db(power) + kOffset, kSilenceDb); }
double power_of(double lufs) noexcept { return db_power(lufs - kOffset); }

void LevelHistogram::clear() noexcept {
  std::ranges::fill(bins_, Bin{});
  count_ = 0;
  sum_ = 0.0;
}

void LevelHistogram::add(double power) noexcept {
  if (!(loudness_of(power) > kLowest)) return;
  Bin& bin = bins_[bin_of(power)];
  ++bin.count, ++count_;
  bin.sum += power, sum_ += power;
}

std::size_t LevelHistogram::first_from(double gate) const noexcept {
  if (!(loudness_of(gate) > kLowest)) return 0;
  const std::size_t bin = bin_of(gate);
  return bins_[bin].count > 0 && bins_[bin].mean() >= gate ? bin : bin + 1;
}

double LevelHistogram::mean_from(double gate) const noexcept {
  std::uint64_t count = 0;
  double sum = 0.0;
  for (std::size_t i = first_from(gate); i < kBins; ++i) count += bins_[i].count, sum += bins_[i].sum;
  return count == 0 ? 0.0 : sum / static_cast<double>(count);
}

bool LevelHistogram::percentiles(double gate, double low, double high, double& low_power,
                                 double& high_power) const noexcept {
  const std::size_t first = first_from(gate);
  std::uint64_t count = 0;
  for (std::size_t i = first; i < kBins; ++i) count += bins_[i].count;
  if (count == 0) return false;
  const auto place = [&](double part) {
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(count - 1) * part));
  };
  const std::uint64_t low_place = place(low), high_place = place(high);
  std::uint64_t seen = 0;
  for (std::size_t i = first; i < kBins; ++i) {
    if (bins_[i].count == 0) continue;
    const std::uint64_t next = seen + bins_[i].count;
    if (low_place >= seen && low_place < next) low_power = bins_[i].mean();
    if (high_place >= seen && high_place < next) high_power = bins_[i].mean();
    seen = next;
  }
  return true;
}

}  // namespace continuo::analysis
