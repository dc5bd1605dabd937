// THREAD: control makes, audio reads - how a convolution is cut into partitions, and impulse responses cut that way
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/dsp/fft.hpp"
#include "rt/dsp/kernels.hpp"
#include "rt/types.hpp"

namespace continuo::rt::dsp {

/// A stretch of the impulse response that is cut into equal partitions. With the latency counted in, it begins `first`
/// frames after an input: either at 2 * size, so that a block's work may take as long as the next block lasts, or
/// (immediate) at size, so that it is all done where a block ends.
struct ConvolutionLevel {
  std::uint32_t size = 0;  // frames of a partition; complex values of its spectrum
  std::uint32_t first = 0;
  std::uint32_t partitions = 0;  // of the longest impulse response
  [[nodiscard]] bool immediate() const noexcept RT_NONBLOCKING { return first == size; }
};

/// The layout: a function of its two settings and of nothing else. Immutable; shared by the impulses that are cut by
/// it.
class ConvolutionPlan {
 public:
  static constexpr std::uint32_t kMostFrames = 1u << 22;  // 10 s at 384 kHz, and some
  static constexpr std::uint32_t kMostLatency = 16384;
  static constexpr std::uint32_t kHeadTaps = 64;  // of the direct form, where there is no latency
  static constexpr std::uint32_t kMostLevels = 6;

  /// Control thread; allocates. `latency_frames`: 0, or a power of two from 64 to kMostLatency. `max_frames`: the
  /// longest impulse response, 1 to kMostFrames. Null where either is not.
  [[nodiscard]] static std::shared_ptr<const ConvolutionPlan> make(std::uint32_t latency_frames,
                                                                   std::uint32_t max_frames);

  /// How much later than the input an impulse's first sample is heard.
  [[nodiscard]] std::uint32_t latency_frames() const noexcept RT_NONBLOCKING { return latency_; }
  [[nodiscard]] std::uint32_t max_frames() const noexcept RT_NONBLOCKING { return max_frames_; }
  [[nodiscard]] bool has_head() const noexcept RT_NONBLOCKING { return latency_ == 0; }
  [[nodiscard]] std::span<const ConvolutionLevel> levels() const noexcept RT_NONBLOCKING {
    return {levels_, level_count_};
  }
  [[nodiscard]] const Fft& fft(std::size_t level) const noexcept RT_NONBLOCKING { return ffts_[level]; }

  /// From one spectrum to the next: a cell more than it holds, lest all of them share the cache's sets.
  [[nodiscard]] static constexpr std::size_t stride(std::uint32_t size) noexcept RT_NONBLOCKING {
    return std::size_t{2} * size + 2 * kFftCell;
  }

 private:
  ConvolutionPlan(std::uint32_t latency_frames, std::uint32_t max_frames);

  std::uint32_t latency_;
  std::uint32_t max_frames_;
  ConvolutionLevel levels_[kMostLevels];
  std::size_t level_count_ = 0;
  std::vector<Fft> ffts_;
};

enum class ImpulseFault : std::uint8_t { none, no_channels, too_many_channels, empty, too_long, not_finite };

/// An impulse response as spectra of its partitions. Immutable: any number of convolvers may use it.
/// Memory: 8 bytes a frame and channel, rounded up to whole partitions (10 s of stereo at 192 kHz: 31 MB).
class Impulse {
 public:
  static constexpr std::uint32_t kMostChannels = 8;

  /// Control thread, or a worker: allocates and takes its time (3 s of stereo: some milliseconds). Null where the data
  /// are not an impulse response for this plan; `fault` (if given) says why.
  [[nodiscard]] static std::unique_ptr<const Impulse> make(std::shared_ptr<const ConvolutionPlan> plan,
                                                           std::span<const float* const> channels, std::size_t frames,
                                                           ImpulseFault* fault = nullptr,
                                                           const Kernels& kernels = chosen_kernels());

  [[nodiscard]] const ConvolutionPlan& plan() const noexcept RT_NONBLOCKING { return *plan_; }
  [[nodiscard]] std::uint32_t channels() const noexcept RT_NONBLOCKING { return channels_; }
  [[nodiscard]] std::uint32_t frames() const noexcept RT_NONBLOCKING { return frames_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return spectra_.size() * sizeof(float); }

  /// How many partitions of a level this one has; none beyond its end.
  [[nodiscard]] std::uint32_t partitions(std::size_t level) const noexcept RT_NONBLOCKING { return partitions_[level]; }
  [[nodiscard]] const float* spectrum(std::size_t level, std::uint32_t channel, std::uint32_t partition) const noexcept
      RT_NONBLOCKING {
    return level_spectra_[level] + (std::size_t{channel} * partitions_[level] + partition) *
                                       ConvolutionPlan::stride(plan_->levels()[level].size);
  }
  /// The first kHeadTaps samples, if the plan has a head.
  [[nodiscard]] const float* head(std::uint32_t channel) const noexcept RT_NONBLOCKING {
    return spectra_.data() + std::size_t{channel} * ConvolutionPlan::kHeadTaps;
  }

 private:
  Impulse(std::shared_ptr<const ConvolutionPlan> plan, std::span<const float* const> channels, std::uint32_t frames,
          const FftKernels& kernels);

  std::shared_ptr<const ConvolutionPlan> plan_;
  std::uint32_t channels_;
  std::uint32_t frames_;
  std::uint32_t partitions_[ConvolutionPlan::kMostLevels] = {};
  float* level_spectra_[ConvolutionPlan::kMostLevels] = {};
  FloatArena spectra_;
};

}  // namespace continuo::rt::dsp
