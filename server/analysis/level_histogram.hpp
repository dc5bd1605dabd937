// THREAD: any - how often which loudness was, in bounded memory
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace continuo::analysis {

/// Powers by their loudness: 0.01 LU a bin from -70 to +30 LUFS; what is louder falls into the last one, what is not
/// above -70 (the absolute gate of BS.1770-4) is left out. Each bin also has the sum of its powers, so that means are
/// exact. A gate falls inside one bin, which is then taken or left as a whole, as its own mean decides: the result is
/// the exact one of a gate that lies at most 0.01 LU off. Percentiles are at most 0.01 LU off. 160 KB; counts of 64
/// bits.
class LevelHistogram {
 public:
  static constexpr double kLowest = -70.0;
  static constexpr double kBinLu = 0.01;
  static constexpr std::size_t kBins = 10'000;

  /// Allocates.
  LevelHistogram() : bins_(kBins) {}
  void clear() noexcept;
  /// `power` is the weighted mean square over a block: its loudness is loudness_of(power).
  void add(double power) noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// The mean power of all; 0 where there are none.
  [[nodiscard]] double mean() const noexcept { return count_ == 0 ? 0.0 : sum_ / static_cast<double>(count_); }
  /// The mean power of those not below `gate` (a power); 0 where there are none.
  [[nodiscard]] double mean_from(double gate) const noexcept;
  /// Of those not below `gate`: the power at `low` and at `high` of their order, 0 to 1 each (EBU Tech 3342: the
  /// nearest of the n values, the first is 0 and the last is 1). Powers are means of their bins. False where there are
  /// none.
  [[nodiscard]] bool percentiles(double gate, double low, double high, double& low_power,
                                 double& high_power) const noexcept;

 private:
  struct Bin {
    std::uint64_t count = 0;
    double sum = 0.0;
    [[nodiscard]] double mean() const noexcept { return sum / static_cast<double>(count); }
  };
  /// The first bin that counts.
  [[nodiscard]] std::size_t first_from(double gate) const noexcept;

  std::vector<Bin> bins_;
  std::uint64_t count_ = 0;
  double sum_ = 0.0;
};

/// BS.1770-4, Annex 1, equation (2): -0.691 + 10 log10(power).
[[nodiscard]] double loudness_of(double power) noexcept;
/// The other way round.
[[nodiscard]] double power_of(double lufs) noexcept;

}  // namespace continuo::analysis
