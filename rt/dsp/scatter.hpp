// THREAD: any - numbers that look random and follow from their arguments alone
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"

namespace continuo::rt::dsp {

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input reaches every bit of the output.
[[nodiscard]] constexpr std::uint64_t scatter(std::uint64_t x) noexcept RT_NONBLOCKING {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}
/// What its argument goes up by from one number of a sequence to the next.
inline constexpr std::uint64_t kScatterStep = 0x9e3779b97f4a7c15ull;

}  // namespace continuo::rt::dsp
