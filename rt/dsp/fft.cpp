#include "rt/dsp/fft.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "rt/dsp/math.hpp"

// A block of the tree holds residues modulo X^m - e^(2 pi i a); `a` in turns is its angle. The root is X^size - i: a
// quarter of a turn. Splitting into r gives the angles (a + k) / r. Angles are dyadic: exact in double.
namespace continuo::rt::dsp {

namespace {

/// The angle of block `index` of `count` (a power of two), where all splits but perhaps the first were into four.
double angle_of(std::uint32_t index, std::uint32_t count) noexcept {
  if (count == 1) return 0.25;
  if (count == 2) return (0.25 + index) / 2.0;
  return (angle_of(index / 4, count / 4) + index % 4) / 4.0;
}

/// d, d^2, d^3 of a block that is split in four: six values, `step` floats apart.
void put_factors(float* to, std::size_t step, std::uint32_t block, std::uint32_t count) noexcept {
  const double d = angle_of(block, count) / 4.0;
  for (int k = 0; k < 3; ++k) {
    to[static_cast<std::size_t>(2 * k) * step] = static_cast<float>(cos_turns(d * (k + 1)));
    to[static_cast<std::size_t>(2 * k + 1) * step] = static_cast<float>(sin_turns(d * (k + 1)));
  }
}

}  // namespace

FloatArena::FloatArena(std::size_t count)
    : owner_(new (std::align_val_t{64}) float[std::max<std::size_t>(count, 1)]), floats_(owner_.get()), count_(count) {
  std::fill_n(floats_, count, 0.0f);
}

Fft::Fft(std::uint32_t size) {
  if (!std::has_single_bit(size) || size < kSmallest || size > kLargest) std::abort();
  tables_.size = size;
  const std::uint32_t blocks_of_16 = size / 16;
  const bool halves = std::countr_zero(blocks_of_16) % 2 != 0;

  std::size_t floats = halves ? 16 : 0;
  for (std::uint32_t blocks = halves ? 2 : 1; blocks < blocks_of_16; blocks *= 4) floats += (blocks * 6 + 15) / 16 * 16;
  factors_ = FloatArena(floats + std::size_t{blocks_of_16} * 30);

  float* at = factors_.data();
  const auto add_pass = [this](const float* twiddles, std::uint32_t quarter) {
    tables_.twiddles[tables_.passes] = twiddles;
    tables_.quarter[tables_.passes++] = quarter;
  };
  if (halves) {
    at[0] = static_cast<float>(cos_turns(0.125));
    at[1] = static_cast<float>(sin_turns(0.125));
    add_pass(at, 0);
    at += 16;
  }
  for (std::uint32_t blocks = halves ? 2 : 1; blocks < blocks_of_16; blocks *= 4) {
    for (std::uint32_t b = 0; b < blocks; ++b) put_factors(at + std::size_t{b} * 6, 1, b, blocks);
    add_pass(at, blocks_of_16 / (blocks * 4));
    at += (blocks * 6 + 15) / 16 * 16;
  }
  // The tile: for each column, its block of 16, then the block's four children.
  const std::uint32_t columns = std::min(blocks_of_16, 16u);
  for (std::uint32_t b = 0; b < blocks_of_16; ++b) {
    float* const tile = at + std::size_t{b / columns} * 30 * columns + b % columns;
    put_factors(tile, columns, b, blocks_of_16);
    for (std::uint32_t q = 0; q < 4; ++q)
      put_factors(tile + std::size_t{q + 1} * 6 * columns, columns, b * 4 + q, blocks_of_16 * 4);
  }
  add_pass(at, 0);
}

void Fft::forward(const FftKernels& kernels, float* cells) const noexcept RT_NONBLOCKING {
  for (std::uint32_t pass = 0; pass < tables_.passes; ++pass) kernels.forward(cells, tables_, pass, 0, chunks());
}

void Fft::inverse(const FftKernels& kernels, float* cells) const noexcept RT_NONBLOCKING {
  for (std::uint32_t pass = tables_.passes; pass-- > 0;) kernels.inverse(cells, tables_, pass, 0, chunks());
}

double Fft::frequency(std::uint32_t position) const noexcept {
  const std::uint32_t blocks = tables_.size / 16, columns = std::min(blocks, 16u), tile = position / (16 * columns);
  const std::uint32_t e = position / columns % 16, b = tile * columns + position % columns;
  return angle_of(b * 16 + e, tables_.size);
}

}  // namespace continuo::rt::dsp
