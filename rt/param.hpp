// THREAD: audio - a parameter's target and its ramp
#pragma once

#include "rt/annotations.hpp"
#include "rt/dsp/math.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// In what a ramp is a straight line: in the value itself (decibels for a gain), or in its logarithm (a frequency; both
/// ends must be above 0, else it is a line in the value).
enum class Curve : std::uint8_t { linear, exponential };

/// A value that moves on a curve from one frame to another. It is a closed form of the engine frame, so it does not
/// depend on how time was cut into slices.
class Param {
 public:
  Param() = default;
  explicit Param(double value, Curve curve = Curve::linear) noexcept : from_(value), to_(value), curve_(curve) {}

  /// From `frame` on, hold for `wait_frames`, then move to `target` over `ramp_frames` (0: at once). A move under way
  /// starts again from where it is.
  void set(double target, FrameCount frame, std::uint32_t ramp_frames, std::uint32_t wait_frames = 0) noexcept
      RT_NONBLOCKING {
    from_ = ramp_frames == 0 && wait_frames == 0 ? target : at(frame);
    to_ = target;
    begin_ = frame + static_cast<FrameCount>(wait_frames);
    frames_ = ramp_frames;
    shape_as(curve_);
  }

  /// On its way since `begin`, which may lie far back: the same values at the same frames, whenever this is said. What
  /// was under way ends here.
  void aim(double from, double to, FrameCount begin, FrameCount frames, Curve curve) noexcept RT_NONBLOCKING {
    from_ = from;
    to_ = to;
    begin_ = begin;
    frames_ = frames;
    shape_as(curve);
  }

  /// The value at an engine frame.
  [[nodiscard]] double at(FrameCount frame) const noexcept RT_NONBLOCKING {
    if (!moving(frame)) return to_;
    if (frame <= begin_) return from_;
    return shape(static_cast<double>(frame - begin_) / static_cast<double>(frames_));
  }

  /// at() of `count` frames from `frame` on, bit for bit, in a loop that vectorises.
  void values(FrameCount frame, std::uint32_t count, double* out) const noexcept RT_NONBLOCKING {
    const std::uint32_t still = part(begin_ + 1 - frame, count);  // held at the beginning
    const std::uint32_t moving_count = part(begin_ + frames_ - frame, count);
    const auto position = static_cast<double>(frame - begin_);
    const auto frames = static_cast<double>(frames_);
    std::uint32_t i = 0;
    for (; i < still && i < moving_count; ++i) out[i] = from_;
    if (log_span_ == 0.0) {
      const double span = to_ - from_;
      for (; i < moving_count; ++i)
        out[i] = from_ + span * ((position + static_cast<double>(static_cast<std::int32_t>(i))) / frames);
    } else {
      for (; i < moving_count; ++i)
        out[i] = shape((position + static_cast<double>(static_cast<std::int32_t>(i))) / frames);
    }
    for (; i < count; ++i) out[i] = to_;
  }

  [[nodiscard]] bool moving(FrameCount frame) const noexcept RT_NONBLOCKING { return frame - begin_ < frames_; }
  [[nodiscard]] double target() const noexcept RT_NONBLOCKING { return to_; }
  /// Where the last set() or aim() begins; a ramp with a future start waits until then.
  [[nodiscard]] FrameCount begin() const noexcept RT_NONBLOCKING { return begin_; }
  /// First frame at which it stands still.
  [[nodiscard]] FrameCount end() const noexcept RT_NONBLOCKING { return begin_ + frames_; }

 private:
  void shape_as(Curve curve) noexcept RT_NONBLOCKING {
    log_span_ = curve == Curve::exponential && from_ > 0.0 && to_ > 0.0 ? dsp::log2(to_ / from_) : 0.0;
  }
  [[nodiscard]] double shape(double x) const noexcept RT_NONBLOCKING {
    return log_span_ == 0.0 ? from_ + (to_ - from_) * x : from_ * dsp::exp2(log_span_ * x);
  }
  static std::uint32_t part(FrameCount frames, std::uint32_t of) noexcept RT_NONBLOCKING {
    return frames < 0 ? 0 : frames < static_cast<FrameCount>(of) ? static_cast<std::uint32_t>(frames) : of;
  }

  double from_ = 0.0;
  double to_ = 0.0;
  double log_span_ = 0.0;  // of an exponential ramp: log2 of the ratio of its ends
  FrameCount begin_ = 0;
  FrameCount frames_ = 0;
  Curve curve_ = Curve::linear;
};

}  // namespace continuo::rt
