// THREAD: audio - the transport: where the timeline stands and whether it rolls
#pragma once

#include "rt/annotations.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// The second of the two clocks. The engine clock never stops; this one starts, stops and is located.
class Timeline {
 public:
  void start() noexcept RT_NONBLOCKING { rolling_ = true; }
  void stop() noexcept RT_NONBLOCKING { rolling_ = false; }
  void locate(FrameCount position) noexcept RT_NONBLOCKING { position_ = position; }
  void advance(std::uint32_t frames) noexcept RT_NONBLOCKING {
    if (rolling_) position_ += frames;
  }
  friend bool operator==(const Timeline&, const Timeline&) noexcept = default;
  [[nodiscard]] bool rolling() const noexcept RT_NONBLOCKING { return rolling_; }
  [[nodiscard]] FrameCount position() const noexcept RT_NONBLOCKING { return position_; }

  /// Frames from here to the next point of the control-rate grid: on the timeline while it rolls, else on the engine
  /// clock. 1 to kBlockFrames.
  [[nodiscard]] std::uint32_t frames_to_grid(FrameCount engine_frame) const noexcept RT_NONBLOCKING {
    constexpr auto kMask = static_cast<FrameCount>(kBlockFrames) - 1;
    return kBlockFrames - static_cast<std::uint32_t>((rolling_ ? position_ : engine_frame) & kMask);
  }

 private:
  FrameCount position_ = 0;  // engine-rate frames; may be negative (pre-roll)
  bool rolling_ = false;
};

}  // namespace continuo::rt
