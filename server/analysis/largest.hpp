// THREAD: any - the peak of a run of samples
#pragma once

#include <algorithm>
#include <cstdint>

namespace continuo::analysis {

/// The greatest absolute value. In eight strands, so that it vectorises; finite numbers only (frames.hpp).
[[nodiscard]] inline float largest(const float* samples, std::uint32_t count) noexcept {
  using Four = float __attribute__((vector_size(16)));
  Four low{}, high{};
  std::uint32_t i = 0;
  for (; i + 8 <= count; i += 8) {
    Four a, b;
    __builtin_memcpy(&a, samples + i, sizeof a);
    __builtin_memcpy(&b, samples + i + 4, sizeof b);
    a = a > -a ? a : -a;
    b = b > -b ? b : -b;
    low = a > low ? a : low;
    high = b > high ? b : high;
  }
  float most = 0.0f;
  for (int k = 0; k < 4; ++k) most = std::max({most, low[k], high[k]});
  for (; i < count; ++i) most = std::max(most, samples[i] < 0.0f ? -samples[i] : samples[i]);
  return most;
}

}  // namespace continuo::analysis
