// THREAD: audio - the loops of dsp/fft and dsp/convolution, built once a CPU level with the other kernels
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"

namespace continuo::rt::dsp {

/// Complex values are kept in cells: 16 real parts, then their 16 imaginary parts; 64-byte aligned.
inline constexpr std::uint32_t kFftCell = 16;

/// Transforms are worked on in chunks of so many complex values; a shorter one is a single chunk.
inline constexpr std::uint32_t kFftChunk = 256;

/// What dsp/fft.cpp works out for one size.
struct FftTables {
  static constexpr std::uint32_t kMostPasses = 8;
  std::uint32_t size = 0;                   // complex values
  std::uint32_t passes = 0;                 // the last is the tile's
  std::uint32_t quarter[kMostPasses] = {};  // cells in a quarter of a block; 0: this pass splits in halves
  const float* twiddles[kMostPasses] = {};
};

struct FftKernels {
  /// Chunks `first` to `first + count` of one pass; the chunks of a pass may run in any order. Forward takes the passes
  /// upwards, inverse downwards.
  void (*forward)(float* cells, const FftTables& tables, std::uint32_t pass, std::uint32_t first,
                  std::uint32_t count) noexcept RT_NONBLOCKING;
  void (*inverse)(float* cells, const FftTables& tables, std::uint32_t pass, std::uint32_t first,
                  std::uint32_t count) noexcept RT_NONBLOCKING;
  /// sum = (fresh ? 0 : sum) + x[0] h[0] + ... from the left; 1 to 4 pairs. Bits don't depend on how pairs are grouped.
  void (*multiply_add)(float* sum, const float* const* x, const float* const* h, std::uint32_t pairs,
                       std::uint32_t cells, bool fresh) noexcept RT_NONBLOCKING;
  /// out[i] += (h[0] x[i] + h[1] x[i - 1] + ...), from the left: the products are summed first, so that a large out[i]
  /// doesn't round each of them. `frames` is a multiple of 16.
  void (*fir)(float* out, const float* x, const float* h, std::uint32_t taps, std::uint32_t frames) noexcept
      RT_NONBLOCKING;
};

}  // namespace continuo::rt::dsp
