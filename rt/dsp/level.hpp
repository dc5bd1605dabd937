// THREAD: any - peak and power of a run of samples, the same however it is cut
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "rt/annotations.hpp"
#include "rt/types.hpp"

namespace continuo::rt::dsp {

/// Power is summed in eight strands by frame number, so that it vectorises and yet does not depend on where slices end.
class alignas(64) LevelSum {
 public:
  /// `frame` is the number of the first sample: it chooses the strand.
  void add(const float* samples, FrameCount frame, std::uint32_t frames) noexcept RT_NONBLOCKING {
    std::uint32_t i = 0;
    for (; i < frames && strand(frame + i) != 0; ++i) add_one(samples[i], strand(frame + i));
    Four peak_low = load(peak_), peak_high = load(peak_ + 4), power_low = load(power_), power_high = load(power_ + 4);
    for (; i + kStrands <= frames; i += kStrands) {
      const Four low = load(samples + i), high = load(samples + i + 4);
      peak_low = larger(peak_low, larger(low, -low));
      peak_high = larger(peak_high, larger(high, -high));
      power_low += low * low;
      power_high += high * high;
    }
    store(peak_, peak_low);
    store(peak_ + 4, peak_high);
    store(power_, power_low);
    store(power_ + 4, power_high);
    for (; i < frames; ++i) add_one(samples[i], strand(frame + i));
  }

  /// Largest absolute sample; a NaN is none. Never infinite.
  [[nodiscard]] float largest() const noexcept RT_NONBLOCKING {
    return std::min(*std::max_element(peak_, peak_ + kStrands), std::numeric_limits<float>::max());
  }
  /// Sum of the squares. Never NaN nor infinite: sound that is no number reads as the greatest level there is.
  [[nodiscard]] float total() const noexcept RT_NONBLOCKING {
    const float sum =
        ((power_[0] + power_[4]) + (power_[1] + power_[5])) + ((power_[2] + power_[6]) + (power_[3] + power_[7]));
    return sum <= std::numeric_limits<float>::max() ? sum : std::numeric_limits<float>::max();
  }

 private:
  static constexpr std::uint32_t kStrands = 8;
  // Vector types of the baseline's width: plain loops of 4 and 8 stay scalar in g++ 12.
  using Four = float __attribute__((vector_size(16)));

  static std::size_t strand(FrameCount frame) noexcept RT_NONBLOCKING {
    return static_cast<std::size_t>(frame) & (kStrands - 1);
  }
  static Four load(const float* from) noexcept RT_NONBLOCKING {
    Four four;
    std::memcpy(&four, from, sizeof(four));
    return four;
  }
  static void store(float* to, Four four) noexcept RT_NONBLOCKING { std::memcpy(to, &four, sizeof(four)); }
  static Four larger(Four a, Four b) noexcept RT_NONBLOCKING { return b > a ? b : a; }

  void add_one(float x, std::size_t s) noexcept RT_NONBLOCKING {
    const float a = -x > x ? -x : x;
    peak_[s] = a > peak_[s] ? a : peak_[s];
    power_[s] += x * x;
  }

  float peak_[kStrands] = {};
  float power_[kStrands] = {};
};

}  // namespace continuo::rt::dsp
