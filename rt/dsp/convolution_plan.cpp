#include "rt/dsp/convolution_plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "rt/dsp/float_mode.hpp"

namespace continuo::rt::dsp {

namespace {

// Chosen by measurement (tests/bench/bench_convolution.cpp): growth by 4, 8 or 16 and largest sizes of 4096 to 16384
// are within 15 % of each other for 3 s. The largest size bounds how long a swap takes to begin.
constexpr std::uint32_t kGrowth = 8;
constexpr std::uint32_t kLargest = 8192;
constexpr std::uint32_t kWorth = 8;  // partitions: what a level's transforms cost

}  // namespace

std::shared_ptr<const ConvolutionPlan> ConvolutionPlan::make(std::uint32_t latency_frames, std::uint32_t max_frames) {
  if (latency_frames != 0 &&
      (latency_frames < kBlockFrames || latency_frames > kMostLatency || !std::has_single_bit(latency_frames)))
    return nullptr;
  if (max_frames == 0 || max_frames > kMostFrames) return nullptr;
  return std::shared_ptr<const ConvolutionPlan>(new ConvolutionPlan(latency_frames, max_frames));
}

ConvolutionPlan::ConvolutionPlan(std::uint32_t latency_frames, std::uint32_t max_frames)
    : latency_(latency_frames), max_frames_(max_frames) {
  const std::uint32_t end = latency_ + max_frames_;
  std::uint32_t first = std::max(latency_, kHeadTaps);
  std::uint32_t size = std::max(first / 2, kBlockFrames);
  while (first < end) {
    const std::uint32_t next = std::min(size * kGrowth, kLargest);
    const bool last = next <= size || end <= 2 * next || (end - 2 * next) / size <= kWorth;
    const std::uint32_t until = last ? end : 2 * next;
    levels_[level_count_++] = {.size = size, .first = first, .partitions = (until - first + size - 1) / size};
    ffts_.emplace_back(size);
    if (last) break;
    first = until;
    size = next;
  }
}

std::unique_ptr<const Impulse> Impulse::make(std::shared_ptr<const ConvolutionPlan> plan,
                                             std::span<const float* const> channels, std::size_t frames,
                                             ImpulseFault* fault, const Kernels& kernels) {
  const auto judge = [&] {
    if (channels.empty()) return ImpulseFault::no_channels;
    if (channels.size() > kMostChannels) return ImpulseFault::too_many_channels;
    if (frames == 0) return ImpulseFault::empty;
    if (frames > plan->max_frames()) return ImpulseFault::too_long;
    for (const float* channel : channels)
      if (!std::all_of(channel, channel + frames, [](float x) { return std::isfinite(x); }))
        return ImpulseFault::not_finite;
    return ImpulseFault::none;
  };
  const ImpulseFault found = judge();
  if (fault) *fault = found;
  if (found != ImpulseFault::none) return nullptr;
  return std::unique_ptr<const Impulse>(
      new Impulse(std::move(plan), channels, static_cast<std::uint32_t>(frames), kernels.fft));
}

Impulse::Impulse(std::shared_ptr<const ConvolutionPlan> plan, std::span<const float* const> channels,
                 std::uint32_t frames, const FftKernels& kernels)
    : plan_(std::move(plan)), channels_(static_cast<std::uint32_t>(channels.size())), frames_(frames) {
  const FloatMode mode;
  const std::uint32_t end = plan_->latency_frames() + frames_;
  std::size_t floats = std::size_t{channels_} * ConvolutionPlan::kHeadTaps;
  const auto levels = plan_->levels();
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const std::uint32_t beyond = end > levels[l].first ? end - levels[l].first : 0;
    partitions_[l] = std::min(levels[l].partitions, (beyond + levels[l].size - 1) / levels[l].size);
    floats += std::size_t{channels_} * partitions_[l] * ConvolutionPlan::stride(levels[l].size);
  }
  spectra_ = FloatArena(floats);
  float* at = spectra_.data();
  for (const float* channel : channels) {
    if (plan_->has_head()) std::copy_n(channel, std::min(frames_, ConvolutionPlan::kHeadTaps), at);
    at += ConvolutionPlan::kHeadTaps;
  }
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const std::uint32_t size = levels[l].size;
    const float scale = 1.0f / static_cast<float>(size);  // the inverse transform's; a power of two
    level_spectra_[l] = at;
    for (const float* channel : channels) {
      for (std::uint32_t p = 0; p < partitions_[l]; ++p, at += ConvolutionPlan::stride(size)) {
        const std::uint32_t from = levels[l].first - plan_->latency_frames() + p * size;
        for (std::uint32_t i = 0; i < std::min(size, frames_ - from); ++i)
          at[Fft::place(i)] = channel[from + i] * scale;
        plan_->fft(l).forward(kernels, at);
      }
    }
  }
}

}  // namespace continuo::rt::dsp
