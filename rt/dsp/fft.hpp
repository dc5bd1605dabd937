// THREAD: control makes, any runs - the Fourier transform behind convolution
#pragma once

#include <cstdint>
#include <memory>
#include <new>

#include "rt/annotations.hpp"
#include "rt/dsp/fft_kernels.hpp"

namespace continuo::rt::dsp {

/// 64-byte aligned floats, zeroed, hence touched. Made and destroyed on the control thread.
class FloatArena {
 public:
  FloatArena() = default;
  explicit FloatArena(std::size_t count);
  [[nodiscard]] float* data() const noexcept RT_NONBLOCKING { return floats_; }
  [[nodiscard]] std::size_t size() const noexcept RT_NONBLOCKING { return count_; }

 private:
  struct Free {
    void operator()(float* p) const noexcept { ::operator delete[](p, std::align_val_t{64}); }
  };
  std::unique_ptr<float[], Free> owner_;
  float* floats_ = nullptr;
  std::size_t count_ = 0;
};

/// The discrete Fourier transform of 2 * size real samples at the odd frequencies: bin j is
///   sum over n of x[n] e^(2 pi i n f_j),  f_j an odd multiple of 1 / (4 size).
/// Products of two such spectra are the skew-circular convolution: what would wrap around comes back negated, so a
/// linear convolution that fits is exact, as with the usual transform. In exchange there is nothing special about any
/// bin and no step that pairs bins up: sample n is the real part and sample n + size the imaginary part of complex
/// value n, that is all. (The polynomial X^2m + 1 is (X^m - i)(X^m + i); for real samples one factor's residues say
/// all.)
///
/// Cells (dsp/fft_kernels.hpp) hold the values, in place; the spectrum's order is what is cheapest, see frequency().
///
/// Why not a library: the same bits on every CPU level (factors are worked out in double by dsp/math.hpp, the order of
/// arithmetic is fixed), work that can be stopped after any chunk, and speed. There and back, times as fast as
/// kissfft's real transform (Debian's build, Zen 4; bench_convolution.cpp): baseline 5.3 to 6.8, v3 6.3 to 11.9, v4 6.3
/// to 15; 8192 values in 17 us (v3).
class Fft {
 public:
  static constexpr std::uint32_t kSmallest = 64;
  static constexpr std::uint32_t kLargest = 65536;

  /// Control thread; allocates. `size` complex values: a power of two, kSmallest to kLargest (else it aborts).
  explicit Fft(std::uint32_t size);

  [[nodiscard]] std::uint32_t size() const noexcept RT_NONBLOCKING { return tables_.size; }
  [[nodiscard]] const FftTables& tables() const noexcept RT_NONBLOCKING { return tables_; }
  [[nodiscard]] std::uint32_t passes() const noexcept RT_NONBLOCKING { return tables_.passes; }
  [[nodiscard]] std::uint32_t chunks() const noexcept RT_NONBLOCKING {
    return tables_.size < kFftChunk ? 1 : tables_.size / kFftChunk;
  }

  /// All passes. `cells`: 2 * size floats. inverse(forward(x)) is size * x.
  void forward(const FftKernels& kernels, float* cells) const noexcept RT_NONBLOCKING;
  void inverse(const FftKernels& kernels, float* cells) const noexcept RT_NONBLOCKING;

  /// The frequency of the bin at a position of the spectrum, in turns a sample. For tests; slow.
  [[nodiscard]] double frequency(std::uint32_t position) const noexcept;

  /// Where value n sits in cells (its real part; the imaginary part kFftCell later).
  [[nodiscard]] static constexpr std::size_t place(std::size_t n) noexcept RT_NONBLOCKING {
    return n / kFftCell * (2 * kFftCell) + n % kFftCell;
  }

 private:
  FftTables tables_;
  FloatArena factors_;
};

}  // namespace continuo::rt::dsp
