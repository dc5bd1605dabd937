// THREAD: audio - a parameter's target and its ramp
#pragma once

#include "rt/annotations.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// A value that moves in a straight line, in the parameter's own scale (decibels for a gain), from one frame to
/// another. It is a closed form of the engine frame, so it does not depend on how time was cut into slices.
class Param {
 public:
  Param() = default;
  explicit Param(double value) noexcept : from_(value), to_(value) {}

  /// From `frame` on, move to `target` over `ramp_frames` (0: at once). A move under way starts again from where it is.
  void set(double target, FrameCount frame, std::uint32_t ramp_frames) noexcept RT_NONBLOCKING {
    from_ = ramp_frames == 0 ? target : at(frame);
    to_ = target;
    begin_ = frame;
    frames_ = ramp_frames;
  }

  /// The value at an engine frame at or after the last set().
  [[nodiscard]] double at(FrameCount frame) const noexcept RT_NONBLOCKING {
    if (!moving(frame)) return to_;
    return from_ + (to_ - from_) * (static_cast<double>(frame - begin_) / static_cast<double>(frames_));
  }

  /// at() of `count` frames from `frame` on, bit for bit, in a loop that vectorises.
  void values(FrameCount frame, std::uint32_t count, double* out) const noexcept RT_NONBLOCKING {
    const FrameCount left = begin_ + static_cast<FrameCount>(frames_) - frame;
    const std::uint32_t moving_count = left < 0 ? 0 : left < count ? static_cast<std::uint32_t>(left) : count;
    const auto position = static_cast<double>(frame - begin_);
    const auto frames = static_cast<double>(frames_);
    const double span = to_ - from_;
    for (std::uint32_t i = 0; i < moving_count; ++i)
      out[i] = from_ + span * ((position + static_cast<double>(static_cast<std::int32_t>(i))) / frames);
    for (std::uint32_t i = moving_count; i < count; ++i) out[i] = to_;
  }

  [[nodiscard]] bool moving(FrameCount frame) const noexcept RT_NONBLOCKING {
    return frame - begin_ < static_cast<FrameCount>(frames_);
  }
  [[nodiscard]] double target() const noexcept RT_NONBLOCKING { return to_; }

 private:
  double from_ = 0.0;
  double to_ = 0.0;
  FrameCount begin_ = 0;
  std::uint32_t frames_ = 0;
};

}  // namespace continuo::rt
