// THREAD: any - peak and power of a run of samples, the same however it is cut
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "rt/annotations.hpp"
#include "rt/dsp/kernels.hpp"
#include "rt/types.hpp"

namespace continuo::rt::dsp {

/// Power is summed in eight strands by frame number, so that it vectorises and yet does not depend on where slices end.
class alignas(64) LevelSum {
 public:
  /// `frame` is the number of the first sample: it chooses the strand.
  void add(const Kernels& kernels, const float* samples, FrameCount frame, std::uint32_t frames) noexcept
      RT_NONBLOCKING {
    std::uint32_t i = 0;
    for (; i < frames && strand(frame + i) != 0; ++i) add_one(samples[i], strand(frame + i));
    const std::uint32_t whole = (frames - i) & ~(kStrands - 1);
    const LevelRun run = run_of(samples + i);
    if (whole != 0) kernels.levels(&run, 1, whole);
    for (i += whole; i < frames; ++i) add_one(samples[i], strand(frame + i));
  }

  /// The first of `samples` is of the first strand, and they are whole rounds of strands: for many at once.
  [[nodiscard]] LevelRun run_of(const float* samples) noexcept RT_NONBLOCKING { return {strands_, samples}; }
  [[nodiscard]] static bool takes_runs(FrameCount frame, std::uint32_t frames) noexcept RT_NONBLOCKING {
    return strand(frame) == 0 && strand(frames) == 0;
  }

  /// Largest absolute sample; a NaN is none. Never infinite.
  [[nodiscard]] float largest() const noexcept RT_NONBLOCKING {
    const Four most = larger(load(strands_), load(strands_ + 4));
    const float largest = std::max(std::max(most[0], most[1]), std::max(most[2], most[3]));
    return std::min(largest, std::numeric_limits<float>::max());
  }
  /// Sum of the squares. Never NaN nor infinite: sound that is no number reads as the greatest level there is.
  [[nodiscard]] float total() const noexcept RT_NONBLOCKING {
    const Four four = load(strands_ + kStrands) + load(strands_ + kStrands + 4);
    const float sum = (four[0] + four[1]) + (four[2] + four[3]);
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
  static Four larger(Four a, Four b) noexcept RT_NONBLOCKING { return b > a ? b : a; }

  void add_one(float x, std::size_t s) noexcept RT_NONBLOCKING {
    const float a = -x > x ? -x : x;
    strands_[s] = a > strands_[s] ? a : strands_[s];
    strands_[kStrands + s] += x * x;
  }

  float strands_[2 * kStrands] = {};  // peaks, then powers
};

}  // namespace continuo::rt::dsp
