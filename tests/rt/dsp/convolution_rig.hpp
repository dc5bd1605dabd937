// THREAD: test - noise through a convolver, and the truth beside it
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "rt/dsp/convolution.hpp"
#include "rt/dsp/float_mode.hpp"

namespace continuo::test::convolution {

using Channels = std::vector<std::vector<float>>;

inline constexpr std::uint32_t kLatencies[] = {0, 64, 128, 256, 1024, 8192, 16384};

inline std::vector<float> noise(std::size_t count, std::uint32_t seed) {
  std::vector<float> out(count);
  for (float& x : out) {
    seed = seed * 1664525u + 1013904223u;
    x = static_cast<float>(static_cast<std::int32_t>(seed)) * 0x1p-31f;
  }
  return out;
}
inline Channels noises(std::size_t channels, std::size_t count, std::uint32_t seed) {
  Channels out;
  for (std::size_t c = 0; c < channels; ++c) out.push_back(noise(count, seed + 100u * static_cast<std::uint32_t>(c)));
  return out;
}

inline std::unique_ptr<const rt::dsp::Impulse> impulse_of(const std::shared_ptr<const rt::dsp::ConvolutionPlan>& plan,
                                                          const Channels& channels,
                                                          rt::CpuLevel level = rt::CpuLevel::v4) {
  std::vector<const float*> pointers;
  for (const auto& channel : channels) pointers.push_back(channel.data());
  auto impulse = rt::dsp::Impulse::make(plan, pointers, channels[0].size(), nullptr, rt::dsp::kernels_of(level));
  REQUIRE(impulse);
  return impulse;
}

/// Frames a call. 0: ragged.
inline std::uint32_t cut(std::uint32_t block, std::uint32_t& state) {
  if (block != 0) return block;
  state = state * 1664525u + 1013904223u;
  return 1 + (state >> 20) % 97;
}

/// `frames` of every input, in calls of `block` frames.
inline Channels run(rt::dsp::Convolver& convolver, const Channels& in, std::size_t frames, std::uint32_t block) {
  const rt::dsp::FloatMode mode;
  Channels out(convolver.outputs(), std::vector<float>(frames, 1e9f));
  std::vector<const float*> from;
  std::vector<float*> to;
  for (const auto& channel : in) from.push_back(channel.data());
  for (auto& channel : out) to.push_back(channel.data());
  std::uint32_t ragged = 5;
  for (std::size_t done = 0; done < frames;) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(cut(block, ragged), frames - done));
    convolver.process({from.data(), convolver.inputs()}, {to.data(), convolver.outputs()},
                      static_cast<std::uint32_t>(done), n);
    done += n;
  }
  return out;
}

/// The truth, at one frame.
inline double direct(const std::vector<float>& x, const std::vector<float>& h, std::size_t n) {
  double sum = 0;
  const std::size_t taps = std::min(h.size(), n + 1);
  for (std::size_t k = 0; k < taps; ++k) sum += double{h[k]} * x[n - k];
  return sum;
}

}  // namespace continuo::test::convolution
