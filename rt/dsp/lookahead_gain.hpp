// THREAD: control makes, audio runs - the gain of a limiter that sees ahead
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rt/annotations.hpp"

namespace continuo::rt::dsp {

/// What a frame requires is held for a while, let go slowly, and rounded by a mean over the last frames: so the gain
/// gets to every requirement in a straight line, in time. The mean is summed in integers: it never drifts, and is
/// exactly 1 again when nothing was required for long.
class LookaheadGain {
 public:
  /// Control thread; allocates. From smooth_frames - 1 frames after a requirement until hold_frames - smooth_frames
  /// frames later the gain does not exceed it. 1 <= smooth_frames <= hold_frames.
  LookaheadGain(std::uint32_t smooth_frames, std::uint32_t hold_frames)
      : smooth_(smooth_frames), hold_(hold_frames), held_(hold_frames), recent_(smooth_frames, kOne) {
    sum_ = kOne * smooth_frames;
  }

  /// Audio thread; once a frame. `required`: 0 to 1. `release`: how much of the way back is gone after one frame.
  /// Steps backwards through what a smaller requirement makes void: at most hold_frames, one a frame in the mean.
  [[nodiscard]] float next(float required, double release) noexcept RT_NONBLOCKING {
    ++frame_;
    if (count_ != 0 && held_[first_].until <= frame_) {
      first_ = first_ + 1 == hold_ ? 0 : first_ + 1;
      --count_;
    }
    if (required < 1.0f) {
      while (count_ != 0 && held_[place(count_ - 1)].gain >= required) --count_;
      held_[place(count_++)] = {frame_ + hold_, required};
    }
    const double low = count_ != 0 ? static_cast<double>(held_[first_].gain) : 1.0;
    gain_ = low < gain_ ? low : gain_ + release * (low - gain_);
    const auto now = static_cast<std::uint64_t>(gain_ * static_cast<double>(kOne) + 0.5);
    sum_ += now - recent_[at_];
    recent_[at_] = now;
    at_ = at_ + 1 == smooth_ ? 0 : at_ + 1;
    return static_cast<float>(static_cast<double>(sum_) / static_cast<double>(kOne * smooth_));
  }

 private:
  struct Held {
    std::uint64_t until = 0;
    float gain = 1.0f;
  };
  static constexpr std::uint64_t kOne = std::uint64_t{1} << 30;

  [[nodiscard]] std::uint32_t place(std::uint32_t k) const noexcept RT_NONBLOCKING {
    return first_ + k < hold_ ? first_ + k : first_ + k - hold_;
  }

  std::uint32_t smooth_;
  std::uint32_t hold_;
  std::vector<Held> held_;  // a queue, later and larger: the first is the smallest of the last hold_ frames
  std::vector<std::uint64_t> recent_;
  std::uint64_t sum_ = 0;
  std::uint64_t frame_ = 0;
  double gain_ = 1.0;
  std::uint32_t first_ = 0, count_ = 0, at_ = 0;
};

}  // namespace continuo::rt::dsp
