// THREAD: audio - what was sounding when it was cut off: fades out beside what came in its place
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// The next frames of a sound that ends, already faded: taken when it is cut off, so that its source may go home at
/// once. Cuts in quick succession add up; none cuts another's fade off. Control makes it, with all its memory.
class FadeTail {
 public:
  static constexpr std::uint32_t kMostFrames = 512;

  explicit FadeTail(std::uint32_t channels)
      : channels_(channels), samples_(std::size_t{channels} * (kMostFrames + kBlockFrames)) {}

  [[nodiscard]] std::uint32_t channels() const noexcept RT_NONBLOCKING { return channels_; }
  [[nodiscard]] bool empty() const noexcept RT_NONBLOCKING { return left_ == 0; }

  /// Room for `frames` frames from the next one on (at most kMostFrames + kBlockFrames), to be added to.
  void open(std::uint32_t frames) noexcept RT_NONBLOCKING {
    for (std::uint32_t c = 0; c < channels_; ++c) {
      float* const to = channel(c);
      std::copy_n(to + at_, left_, to);  // towards the front
      if (frames > left_) std::fill_n(to + left_, frames - left_, 0.0f);
    }
    at_ = 0;
    left_ = std::max(left_, frames);
  }
  /// After open().
  [[nodiscard]] float* channel(std::uint32_t c) noexcept RT_NONBLOCKING {
    return samples_.data() + std::size_t{c} * (kMostFrames + kBlockFrames);
  }

  /// Adds its next `frames` frames to out[c][offset...] and is that much shorter.
  void sound(float* const* out, std::uint32_t out_count, std::uint32_t offset, std::uint32_t frames) noexcept
      RT_NONBLOCKING {
    const std::uint32_t n = std::min(frames, left_);
    for (std::uint32_t c = 0; c < std::min(channels_, out_count); ++c) {
      float* const to = out[c] + offset;
      const float* const from = channel(c) + at_;
      for (std::uint32_t i = 0; i < n; ++i) to[i] += from[i];
    }
    at_ += n;
    left_ -= n;
  }

 private:
  std::uint32_t channels_;
  std::uint32_t at_ = 0;
  std::uint32_t left_ = 0;
  std::vector<float> samples_;  // channel after channel
};

}  // namespace continuo::rt
