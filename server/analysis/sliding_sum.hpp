// THREAD: any - the sum of the last N values, without the errors of taking old ones off again
#pragma once

#include <cstddef>
#include <vector>

namespace continuo::analysis {

/// Values are only ever added: those of the round that is under way from its first on, those of the round before from
/// its last back. So a loud past leaves nothing behind, and months of running change no bit. Two additions a value.
class SlidingSum {
 public:
  /// Allocates. Before `window` values have come, the others count as 0.
  explicit SlidingSum(std::size_t window) : values_(window, 0.0), behind_(window + 1, 0.0) {}

  double push(double value) noexcept {
    values_[at_++] = value;
    ahead_ += value;
    sum_ = ahead_ + behind_[at_];
    if (at_ == values_.size()) {
      for (std::size_t i = values_.size(); i-- > 0;) behind_[i] = behind_[i + 1] + values_[i];
      at_ = 0;
      ahead_ = 0.0;
    }
    return sum_;
  }
  [[nodiscard]] double sum() const noexcept { return sum_; }
  [[nodiscard]] std::size_t window() const noexcept { return values_.size(); }

 private:
  std::vector<double> values_;
  std::vector<double> behind_;  // [i]: of the round before, from value i on
  std::size_t at_ = 0;
  double ahead_ = 0.0;
  double sum_ = 0.0;
};

}  // namespace continuo::analysis
