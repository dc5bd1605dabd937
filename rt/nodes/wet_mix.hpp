// THREAD: audio - how kinds with dry_db, wet_db and bypass put the two together
#pragma once

#include "rt/dsp/planar.hpp"
#include "rt/dsp/ramp.hpp"
#include "rt/node.hpp"

namespace continuo::rt {

/// out = x * dry + y * wet, of one node at one slice. Bypassed: out = x.
class WetMix {
 public:
  WetMix(const Param& dry_db, const Param& wet_db, const Param& bypass, const Slice& slice) noexcept RT_NONBLOCKING {
    const FrameCount now = slice.block_frame();
    moving_ = dry_db.moving(now) || wet_db.moving(now) || bypass.moving(now);
    const std::uint32_t count = moving_ ? slice.frames : 1;
    dsp::decibel_ramp(dry_db, slice.engine_frame, count, dry_);
    dsp::decibel_ramp(wet_db, slice.engine_frame, count, wet_);
    alignas(64) double bypassed[kBlockFrames];
    bypass.values(slice.engine_frame, count, bypassed);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto through = static_cast<float>(bypassed[i]);
      dry_[i] = dry_[i] * (1.0f - through) + through;
      wet_[i] *= 1.0f - through;
    }
  }

  /// False: x is heard in no sample of the slice.
  [[nodiscard]] bool hears_dry() const noexcept RT_NONBLOCKING { return moving_ || dry_[0] != 0.0f; }

  /// `count` samples from the slice's sample `first` on. `out` may be `x` or `y`. A factor of 0 is silence, whatever it
  /// is a factor of.
  void apply(float* out, const float* x, const float* y, std::uint32_t first, std::uint32_t count) const noexcept
      RT_NONBLOCKING {
    if (moving_) {
      for (std::uint32_t i = 0; i < count; ++i) out[i] = x[i] * dry_[first + i] + y[i] * wet_[first + i];
      return;
    }
    if (wet_[0] == 0.0f) return dsp::scale(out, x, dry_[0], count);
    if (dry_[0] == 0.0f) return dsp::scale(out, y, wet_[0], count);
    const float dry = dry_[0], wet = wet_[0];
    for (std::uint32_t i = 0; i < count; ++i) out[i] = x[i] * dry + y[i] * wet;
  }

 private:
  bool moving_ = false;
  alignas(64) float dry_[kBlockFrames];
  alignas(64) float wet_[kBlockFrames];
};

}  // namespace continuo::rt
