// THREAD: any - dither: what is added before a sample becomes an integer
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/dsp/scatter.hpp"

/// Triangular (TPDF), 2 LSB peak to peak: with it, and only from this width on, neither the mean nor the power of the
/// rounding error depends on the signal (Lipshitz, Wannamaker, Vanderkooy 1992). No state: a value is a function of
/// stream, channel and frame, so it is the same in any block and on any thread, and loops over frames vectorise.
namespace continuo::rt::dsp {

/// One channel's sequence. `seed` tells streams apart.
[[nodiscard]] constexpr std::uint64_t dither_key(std::uint64_t seed, std::uint32_t channel) noexcept RT_NONBLOCKING {
  return scatter(scatter(seed + kScatterStep) + (channel + 1) * kScatterStep);
}

/// In LSB: the sum of two independent values of -1/2 to 1/2 (in steps of 2^-32), hence -1 to 1, mean -2^-32, variance
/// 1/6.
[[nodiscard]] constexpr double tpdf(std::uint64_t key, std::int64_t frame) noexcept RT_NONBLOCKING {
  const std::uint64_t bits = scatter(key + static_cast<std::uint64_t>(frame) * kScatterStep);
  const auto a = static_cast<std::int32_t>(bits >> 32);
  const auto b = static_cast<std::int32_t>(bits & 0xffffffffu);
  return (static_cast<double>(a) + static_cast<double>(b)) * 0x1p-32;
}

}  // namespace continuo::rt::dsp
