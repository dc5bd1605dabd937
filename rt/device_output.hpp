// THREAD: audio - behind the graph, on the device alone: no NaN, the output level, the ceiling
#pragma once

#include <limits>

#include "rt/annotations.hpp"
#include "rt/counters.hpp"
#include "rt/node.hpp"
#include "rt/param.hpp"

namespace continuo::rt {

/// Recorders and renders hear nothing of this. In this order: what is no number becomes silence and is counted; the
/// level, which fades a device in and out; the ceiling, above which no sample leaves.
class DeviceOutput {
 public:
  /// Control thread, while no device drives the renderer. A guard of loudspeakers and ears, not a limiter: samples
  /// below pass bit by bit, each one beyond is cut off there and counted. Infinity (the default): none.
  void set_ceiling(float ceiling) noexcept { ceiling_ = ceiling; }

  /// Audio thread. From `frame` on to `factor`, on a straight line over `ramp_frames`.
  void set_level(double factor, FrameCount frame, std::uint32_t ramp_frames) noexcept RT_NONBLOCKING {
    level_.set(factor, frame, ramp_frames);
  }

  /// Audio thread. What the graph left in the slice's device outputs.
  void finish(const Slice& slice) noexcept RT_NONBLOCKING;

 private:
  Param level_{1.0};
  float ceiling_ = std::numeric_limits<float>::infinity();
};

}  // namespace continuo::rt
