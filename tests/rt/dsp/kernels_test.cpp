// Every loop of the table against the plain loop that its comment promises, at every CPU level, for every number of
// frames up to more than two registers. (eq, compressor and gate: equalizer_test, dynamics tests; FFT: fft_test.)
#include "rt/dsp/kernels.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numbers>
#include <vector>

using namespace continuo::rt;
using namespace continuo::rt::dsp;

namespace {

constexpr CpuLevel kLevels[] = {CpuLevel::baseline, CpuLevel::v3, CpuLevel::v4};
constexpr std::uint32_t kMost = 70;   // frames
constexpr std::uint32_t kOffset = 5;  // where they begin in a channel: not aligned
constexpr float kUntouched = -7.0f;   // behind the last of them

using Samples = std::vector<float>;

Samples noise(std::size_t count, std::uint32_t seed) {
  Samples out(count);
  for (float& x : out) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-31f;
  }
  return out;
}

bool same_bits(const Samples& a, const Samples& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

/// Channels of noise, and pointers to them.
struct Channels {
  Channels(std::uint32_t count, std::uint32_t seed) {
    for (std::uint32_t c = 0; c < count; ++c) samples.push_back(noise(kOffset + kMost + 1, seed + 977 * c));
    for (Samples& channel : samples) {
      in.push_back(channel.data());
      out.push_back(channel.data());
    }
  }
  std::vector<Samples> samples;
  std::vector<const float*> in;
  std::vector<float*> out;
};

void each_level(const std::function<void(const Kernels&)>& check) {
  for (const CpuLevel level : kLevels) {
    CAPTURE(static_cast<int>(kernels_of(level).level));
    check(kernels_of(level));
  }
}

struct alignas(64) Tile {
  float at[kTileFloats];
};

}  // namespace

TEST_CASE("kernels: scale and scale_two are a product, bits at 1, silence at 0") {
  const float nan = std::nanf("");
  each_level([&](const Kernels& k) {
    for (const float factor : {0.0f, 1.0f, -1.0f, 0.3f}) {
      for (std::uint32_t n = 0; n <= kMost; ++n) {
        Samples in = noise(n, n + 1);
        if (n > 3) in[3] = nan;
        Samples expected = in;
        for (float& x : expected) x = factor == 0.0f ? 0.0f : factor == 1.0f ? x : x * factor;
        Samples out(n + 1, kUntouched);
        k.scale(out.data(), in.data(), factor, n);
        CHECK(out.back() == kUntouched);
        out.pop_back();
        REQUIRE(same_bits(out, expected));

        Samples a(kOffset + n + 1, kUntouched), b = a;
        float* const to[] = {a.data(), b.data()};
        const float factors[] = {0.7f, factor};
        k.scale_two(to, kOffset, in.data(), factors, n);
        CHECK(a.back() == kUntouched);
        CHECK(b.back() == kUntouched);
        for (std::uint32_t i = 0; i < n; ++i) {
          const float left = in[i] * 0.7f;
          REQUIRE(std::memcmp(&a[kOffset + i], &left, 4) == 0);
          if (i != 3) REQUIRE(b[kOffset + i] == expected[i]);
        }
      }
    }
  });
}

TEST_CASE("kernels: multiply, in place, too") {
  each_level([&](const Kernels& k) {
    for (std::uint32_t n = 0; n <= kMost; ++n) {
      Samples x = noise(n + 1, 3);
      const Samples factors = noise(n, 4);
      Samples expected = x;
      for (std::uint32_t i = 0; i < n; ++i) expected[i] *= factors[i];
      k.multiply(x.data(), x.data(), factors.data(), n);
      REQUIRE(same_bits(x, expected));
    }
  });
}

TEST_CASE("kernels: a mix is summed leaf by leaf, each from its first input on") {
  each_level([&](const Kernels& k) {
    for (const std::uint32_t count : {1u, 2u, kMixLeaf - 1, kMixLeaf, kMixLeaf + 1, 2 * kMixLeaf + 3}) {
      const Channels channels(count, 5);
      for (const std::uint32_t n : {0u, 1u, 3u, 4u, 15u, 16u, 33u, 63u, 64u, kMost}) {
        Samples out(n + 1, kUntouched);
        k.mix(out.data(), channels.in.data(), count, kOffset, n);
        CHECK(out.back() == kUntouched);
        for (std::uint32_t i = 0; i < n; ++i) {
          float total = 0.0f;
          for (std::uint32_t first = 0; first < count; first += kMixLeaf) {
            float leaf = channels.in[first][kOffset + i];
            for (std::uint32_t c = first + 1; c < std::min(count, first + kMixLeaf); ++c)
              leaf += channels.in[c][kOffset + i];
            total = first == 0 ? leaf : total + leaf;
          }
          REQUIRE(out[i] == total);
        }
      }
    }
  });
}

TEST_CASE("kernels: a tile holds what was packed, scaled by lane, and gives it back") {
  each_level([&](const Kernels& k) {
    for (std::uint32_t lanes = 1; lanes <= kMaxLanes; ++lanes) {
      for (const std::uint32_t n : {0u, 1u, 3u, 4u, 7u, 63u, kBlockFrames}) {
        const Channels in(lanes, 6);
        Channels out(lanes, 7);
        const Channels before = out;
        alignas(64) float factors[kMaxLanes]{};
        for (std::uint32_t lane = 0; lane < lanes; ++lane) factors[lane] = static_cast<float>(lane % 3) - 1.0f;
        Tile tile{};
        k.pack(tile.at, in.in.data(), lanes, kOffset, n);
        for (std::uint32_t i = 0; i < n; ++i)
          for (std::uint32_t lane = 0; lane < lanes; ++lane)
            REQUIRE(tile.at[i * kMaxLanes + lane] == in.in[lane][kOffset + i]);
        k.tile_gain(tile.at, factors, lanes, n);
        k.unpack(out.out.data(), lanes, kOffset, tile.at, n);
        for (std::uint32_t lane = 0; lane < lanes; ++lane) {
          for (std::uint32_t i = 0; i < n; ++i) {
            const float expected = factors[lane] == 0.0f ? 0.0f : in.in[lane][kOffset + i] * factors[lane];
            REQUIRE(out.samples[lane][kOffset + i] == expected);
          }
          REQUIRE(out.samples[lane][kOffset + n] == before.samples[lane][kOffset + n]);
        }
      }
    }
  });
}

TEST_CASE("kernels: deinterleave takes the first channels of a frame") {
  each_level([&](const Kernels& k) {
    for (const std::uint32_t channels : {1u, 2u, 3u, 8u}) {
      for (const std::uint32_t n : {0u, 1u, 17u, 64u}) {
        const Samples from = noise(std::size_t{n} * channels, 8);
        for (std::uint32_t taken = 0; taken <= channels; ++taken) {
          Channels to(channels, 9);
          k.deinterleave(to.out.data(), taken, kOffset, from.data(), channels, n);
          for (std::uint32_t c = 0; c < taken; ++c)
            for (std::uint32_t i = 0; i < n; ++i)
              REQUIRE(to.samples[c][kOffset + i] == from[std::size_t{i} * channels + c]);
        }
      }
    }
  });
}

TEST_CASE("kernels: pcm24 is exact, from any byte on, and reads not one beyond") {
  each_level([&](const Kernels& k) {
    for (std::uint32_t n = 0; n <= kMost; ++n) {
      std::vector<unsigned char> bytes(3 * std::size_t{n});  // ends where it ends: ASan looks
      Samples expected(n);
      std::uint32_t seed = n;
      for (std::uint32_t i = 0; i < n; ++i) {
        seed = seed * 1664525u + 1013904223u;
        const auto value = static_cast<std::int32_t>(seed) >> 8;
        std::memcpy(bytes.data() + 3 * std::size_t{i}, &value, 3);
        expected[i] = static_cast<float>(value) * 0x1p-23f;
      }
      Samples out(n + 1, kUntouched);
      k.pcm24(out.data(), bytes.data(), n);
      CHECK(out.back() == kUntouched);
      out.pop_back();
      REQUIRE(same_bits(out, expected));
    }
  });
}

TEST_CASE("kernels: sines of phases and of a wave are sines, the same at each level") {
  constexpr std::uint32_t kCount = 64;
  std::vector<std::uint32_t> phases(kCount);
  for (std::uint32_t i = 0; i < kCount; ++i) phases[i] = i * 0x9e3779b9u;
  constexpr std::uint64_t kStep = 0x0345'6789'abcd'ef01;  // of 2^64 a turn
  alignas(64) std::uint32_t groups[16]{};
  for (std::uint32_t g = 0; g < 8; ++g) {
    groups[g] = static_cast<std::uint32_t>((16 * g * kStep) >> 32);
    groups[8 + g] = groups[g] + 0x40000000u;
  }
  Samples first, first_wave;
  each_level([&](const Kernels& k) {
    Samples values(kCount);
    k.sines_of(values.data(), phases.data(), kCount);
    for (std::uint32_t i = 0; i < kCount; ++i)
      REQUIRE(std::fabs(values[i] - std::sin(phases[i] * 0x1p-31 * std::numbers::pi)) < 3e-7);
    if (first.empty()) first = values;
    CHECK(same_bits(values, first));

    alignas(64) float starts[16], table[32];
    k.sines_of(starts, groups, 16);
    k.sine_table(table, kStep);
    Samples wave(kBlockFrames);
    k.sine_wave(wave.data(), table, starts, 0, kBlockFrames);
    for (std::uint32_t i = 0; i < kBlockFrames; ++i)
      REQUIRE(std::fabs(wave[i] - std::sin(static_cast<double>(i * kStep) * 0x1p-63 * std::numbers::pi)) < 1e-6);
    if (first_wave.empty()) first_wave = wave;
    CHECK(same_bits(wave, first_wave));
    for (std::uint32_t skipped = 0; skipped < 16; ++skipped) {  // cut anywhere: the same samples
      for (const std::uint32_t n : {1u, 16u, 33u, kBlockFrames - skipped}) {
        Samples part(n + 1, kUntouched);
        k.sine_wave(part.data(), table, starts, skipped, n);
        CHECK(part.back() == kUntouched);
        part.pop_back();
        const auto from = wave.begin() + skipped;
        const auto all = std::min<std::uint32_t>(n, kBlockFrames - skipped);
        REQUIRE(same_bits({part.begin(), part.begin() + all}, {from, from + all}));
      }
    }
  });
}

TEST_CASE("kernels: levels are peaks and sums of squares in eight strands, of any number of runs, bit for bit") {
  for (const float odd : {0.25f, std::nanf(""), -INFINITY, 3e38f, -0.0f, 1e-40f}) {
    each_level([&](const Kernels& k) {
      for (std::uint32_t count = 0; count <= kMaxLanes; ++count) {
        for (std::uint32_t n = 0; n <= kBlockFrames; n += 8) {
          std::vector<Samples> in(count), strands(count), expected(count);
          std::vector<LevelRun> runs;
          for (std::uint32_t r = 0; r < count; ++r) {
            in[r] = noise(kOffset + n, 31 * r + n);
            if (n != 0) in[r][kOffset + (r * 5) % n] = odd;
            strands[r] = noise(17, r);
            for (float& x : strands[r]) x = std::abs(x) * 0.5f;  // peaks and sums so far
            expected[r] = strands[r];
            for (std::uint32_t i = 0; i < n; ++i) {
              const float x = in[r][kOffset + i];
              float& peak = expected[r][i % 8];
              peak = std::abs(x) > peak ? std::abs(x) : peak;
              expected[r][8 + i % 8] += x * x;
            }
            runs.push_back({strands[r].data(), in[r].data() + kOffset});
          }
          k.levels(runs.data(), count, n);
          for (std::uint32_t r = 0; r < count; ++r) {
            for (std::uint32_t s = 0; s < 17; ++s) {
              CAPTURE(s);
              if (std::isnan(expected[r][s]))
                REQUIRE(std::isnan(strands[r][s]));
              else
                REQUIRE(std::memcmp(&strands[r][s], &expected[r][s], sizeof(float)) == 0);
            }
          }
        }
      }
    });
  }
}
