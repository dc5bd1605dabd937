#include "rt/dsp/fft.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "rt/dsp/kernels.hpp"

namespace {

using namespace continuo::rt;
using namespace continuo::rt::dsp;

constexpr CpuLevel kLevels[] = {CpuLevel::baseline, CpuLevel::v3, CpuLevel::v4};

/// -1 to 1, the same on each machine.
std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> out(count);
  for (float& x : out) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-31f;
  }
  return out;
}

FloatArena cells_of(const std::vector<float>& samples) {
  const std::size_t size = samples.size() / 2;
  FloatArena cells(samples.size());
  for (std::size_t n = 0; n < size; ++n) {
    cells.data()[Fft::place(n)] = samples[n];
    cells.data()[Fft::place(n) + kFftCell] = samples[n + size];
  }
  return cells;
}
std::vector<float> samples_of(const FloatArena& cells) {
  const std::size_t size = cells.size() / 2;
  std::vector<float> samples(cells.size());
  for (std::size_t n = 0; n < size; ++n) {
    samples[n] = cells.data()[Fft::place(n)];
    samples[n + size] = cells.data()[Fft::place(n) + kFftCell];
  }
  return samples;
}
bool same_bits(const FloatArena& a, const FloatArena& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

constexpr double kTurn = 6.283185307179586476925;

}  // namespace

TEST_CASE("fft: every bin is the sum that the header promises, against double") {
  for (std::uint32_t size = Fft::kSmallest; size <= 4096; size *= 2) {
    CAPTURE(size);
    const Fft fft(size);
    const std::vector<float> x = noise(2 * size, size);
    FloatArena cells = cells_of(x);
    fft.forward(kernels_of(CpuLevel::baseline).fft, cells.data());
    std::vector<bool> seen(2 * size);
    double error = 0, power = 0;
    for (std::uint32_t p = 0; p < size; ++p) {
      const double f = fft.frequency(p);
      // An odd multiple of 1 / (4 size), each residue modulo 4 once: with its conjugate, all odd frequencies.
      const double multiple = (f - std::floor(f)) * 4 * size;
      REQUIRE(multiple == std::floor(multiple));
      REQUIRE(static_cast<std::uint32_t>(multiple) % 4 == 1);
      REQUIRE_FALSE(seen[static_cast<std::uint32_t>(multiple) / 2]);
      seen[static_cast<std::uint32_t>(multiple) / 2] = true;
      if (size > 1024 && p % 61 != 0) continue;  // a full table of large ones takes long
      double re = 0, im = 0;
      for (std::uint32_t n = 0; n < 2 * size; ++n) {
        const double turns = std::fmod(f * n, 1.0);
        re += x[n] * std::cos(kTurn * turns);
        im += x[n] * std::sin(kTurn * turns);
      }
      const double e_re = re - cells.data()[Fft::place(p)], e_im = im - cells.data()[Fft::place(p) + kFftCell];
      error += e_re * e_re + e_im * e_im;
      power += re * re + im * im;
    }
    const double level_db = 10 * std::log10(error / power);
    MESSAGE("size " << size << ": error " << level_db << " dB");
    CHECK(level_db < -135.0);
  }
}

TEST_CASE("fft: an impulse has a spectrum of magnitude 1, a shifted one turns by its frequency") {
  for (const std::uint32_t size : {64u, 128u, 8192u, Fft::kLargest}) {
    const Fft fft(size);
    for (const std::uint32_t at : {0u, 1u, size - 1, size, 2 * size - 1}) {
      CAPTURE(size);
      CAPTURE(at);
      std::vector<float> x(2 * size);
      x[at] = 1.0f;
      FloatArena cells = cells_of(x);
      fft.forward(kernels_of(CpuLevel::baseline).fft, cells.data());
      double worst = 0;
      for (std::uint32_t p = 0; p < size; ++p) {
        const double turns = std::fmod(fft.frequency(p) * at, 1.0);
        worst = std::max({worst, std::abs(std::cos(kTurn * turns) - cells.data()[Fft::place(p)]),
                          std::abs(std::sin(kTurn * turns) - cells.data()[Fft::place(p) + kFftCell])});
      }
      CHECK(worst < 1e-6);
    }
  }
}

TEST_CASE("fft: there and back is the size times the same") {
  for (std::uint32_t size = Fft::kSmallest; size <= Fft::kLargest; size *= 2) {
    CAPTURE(size);
    const Fft fft(size);
    const std::vector<float> x = noise(2 * size, 7);
    FloatArena cells = cells_of(x);
    fft.forward(kernels_of(CpuLevel::baseline).fft, cells.data());
    fft.inverse(kernels_of(CpuLevel::baseline).fft, cells.data());
    const std::vector<float> back = samples_of(cells);
    float worst = 0;
    for (std::size_t n = 0; n < x.size(); ++n)
      worst = std::max(worst, std::abs(back[n] / static_cast<float>(size) - x[n]));
    CHECK(worst < 1e-6f);
  }
}

TEST_CASE("fft: linear") {
  const std::uint32_t size = 512;
  const Fft fft(size);
  const FftKernels& kernels = kernels_of(CpuLevel::baseline).fft;
  const std::vector<float> a = noise(2 * size, 1), b = noise(2 * size, 2);
  std::vector<float> sum(2 * size);
  for (std::size_t n = 0; n < sum.size(); ++n) sum[n] = 0.5f * a[n] - 0.25f * b[n];
  FloatArena x = cells_of(a), y = cells_of(b), z = cells_of(sum);
  for (FloatArena* cells : {&x, &y, &z}) fft.forward(kernels, cells->data());
  float worst = 0;
  for (std::size_t n = 0; n < sum.size(); ++n)
    worst = std::max(worst, std::abs(0.5f * x.data()[n] - 0.25f * y.data()[n] - z.data()[n]));
  CHECK(worst < 2e-5f);
}

TEST_CASE("fft: a product of spectra is the skew-circular convolution: what wraps comes back negated") {
  const std::uint32_t size = 64;
  const Fft fft(size);
  const FftKernels& kernels = kernels_of(CpuLevel::baseline).fft;
  const std::vector<float> a = noise(2 * size, 3), b = noise(2 * size, 4);
  FloatArena x = cells_of(a), y = cells_of(b), sum(2 * size);
  fft.forward(kernels, x.data());
  fft.forward(kernels, y.data());
  const float* xs[1] = {x.data()};
  const float* ys[1] = {y.data()};
  kernels.multiply_add(sum.data(), xs, ys, 1, size / kFftCell, true);
  fft.inverse(kernels, sum.data());
  const std::vector<float> got = samples_of(sum);
  double worst = 0;
  for (std::size_t n = 0; n < a.size(); ++n) {
    double expected = 0;
    for (std::size_t k = 0; k < a.size(); ++k)
      expected += k <= n ? double{a[k]} * b[n - k] : -double{a[k]} * b[n + a.size() - k];
    worst = std::max(worst, std::abs(expected - double{got[n]} / size));
  }
  CHECK(worst < 1e-5);
}

TEST_CASE("fft: the same bits at every CPU level, whole or chunk by chunk in any order") {
  for (std::uint32_t size = Fft::kSmallest; size <= Fft::kLargest; size *= 2) {
    CAPTURE(size);
    const Fft fft(size);
    const std::vector<float> x = noise(2 * size, 11);
    FloatArena reference = cells_of(x);
    fft.forward(kernels_of(CpuLevel::baseline).fft, reference.data());
    FloatArena back = cells_of(samples_of(reference));
    fft.inverse(kernels_of(CpuLevel::baseline).fft, back.data());
    for (const CpuLevel level : kLevels) {
      const FftKernels& kernels = kernels_of(level).fft;
      FloatArena cells = cells_of(x);
      for (std::uint32_t pass = 0; pass < fft.passes(); ++pass)
        for (std::uint32_t c = fft.chunks(); c-- > 0;) kernels.forward(cells.data(), fft.tables(), pass, c, 1);
      CHECK(same_bits(cells, reference));
      for (std::uint32_t pass = fft.passes(); pass-- > 0;) {
        const std::uint32_t middle = fft.chunks() / 3;
        kernels.inverse(cells.data(), fft.tables(), pass, middle, fft.chunks() - middle);
        kernels.inverse(cells.data(), fft.tables(), pass, 0, middle);
      }
      CHECK(same_bits(cells, back));
    }
  }
}

TEST_CASE("fft kernels: products and the short filter have the same bits at every level, however they are grouped") {
  constexpr std::uint32_t kCells = 16, kFloats = kCells * 2 * kFftCell;
  FloatArena x(4 * kFloats), h(4 * kFloats);
  std::copy_n(noise(4 * kFloats, 21).data(), 4 * kFloats, x.data());
  std::copy_n(noise(4 * kFloats, 22).data(), 4 * kFloats, h.data());
  const float* xs[4];
  const float* hs[4];
  for (std::size_t k = 0; k < 4; ++k) {
    xs[k] = x.data() + k * kFloats;
    hs[k] = h.data() + k * kFloats;
  }
  FloatArena together(kFloats), filtered(128);
  kernels_of(CpuLevel::baseline).fft.multiply_add(together.data(), xs, hs, 4, kCells, true);
  kernels_of(CpuLevel::baseline).fft.fir(filtered.data(), x.data() + 64, h.data(), 64, 128);
  double worst = 0;
  for (std::uint32_t i = 0; i < 128; ++i) {
    double expected = 0;
    for (std::uint32_t m = 0; m < 64; ++m) expected += double{h.data()[m]} * x.data()[64 + i - m];
    worst = std::max(worst, std::abs(expected - double{filtered.data()[i]}));
  }
  CHECK(worst < 1e-5);
  for (const CpuLevel level : kLevels) {
    const FftKernels& kernels = kernels_of(level).fft;
    FloatArena sum(kFloats);
    std::fill_n(sum.data(), kFloats, 1e9f);  // `fresh` must not see it
    kernels.multiply_add(sum.data(), xs, hs, 1, kCells, true);
    kernels.multiply_add(sum.data(), xs + 1, hs + 1, 3, kCells, false);
    CHECK(same_bits(sum, together));
    kernels.multiply_add(sum.data(), xs, hs, 2, kCells, true);
    kernels.multiply_add(sum.data(), xs + 2, hs + 2, 2, kCells, false);
    CHECK(same_bits(sum, together));
    FloatArena out(128);
    for (std::uint32_t i = 0; i < 128; i += 16) kernels.fir(out.data() + i, x.data() + 64 + i, h.data(), 64, 16);
    CHECK(same_bits(out, filtered));
  }
}
