// THREAD: control owns it; its own thread is the audio thread - no hardware, real pacing
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "rt/render_plan.hpp"
#include "server/device/callback_context.hpp"
#include "server/device/device.hpp"
#include "server/device/liveness.hpp"

namespace continuo::device {

/// When buffers are due: a pure function of what was rendered. No drift: every deadline is counted from the anchor.
///
/// A stall is caught up in a burst of at most kMaxCatchUp buffers; what it cost beyond that is skipped: the engine
/// clock stands still for it, as it does on hardware that lost time, and the frames are counted.
class Pacer {
 public:
  static constexpr std::uint32_t kMaxCatchUp = 4;

  Pacer(double sample_rate_hz, std::uint32_t buffer_frames, std::int64_t now_ns)
      : ns_per_frame_(1e9 / sample_rate_hz), buffer_(buffer_frames), anchor_ns_(now_ns) {}

  /// When the next buffer is due.
  [[nodiscard]] std::int64_t deadline_ns() const noexcept { return at(frames_ + buffer_); }

  struct Step {
    bool late = false;                 // woke more than a buffer late
    std::uint64_t skipped_frames = 0;  // given up
  };
  /// Woken at `now_ns` for the buffer at deadline_ns().
  [[nodiscard]] Step advance(std::int64_t now_ns) noexcept;

 private:
  [[nodiscard]] std::int64_t at(std::uint64_t frames) const noexcept {
    return anchor_ns_ + static_cast<std::int64_t>(static_cast<double>(frames) * ns_per_frame_);
  }
  const double ns_per_frame_;
  const std::uint64_t buffer_;
  std::int64_t anchor_ns_;
  std::uint64_t frames_ = 0;  // since the anchor, skipped ones included
};

/// Its thread's life: [control] start: make the thread, name it, ask for priority, pin its stack -> [audio] wait for
/// the deadline, run the callback, again -> [control] stop: say so, join within one buffer.
class ClockDevice final : public Device {
 public:
  ClockDevice(DeviceInfo info, int priority);
  ~ClockDevice() override;
  [[nodiscard]] const DeviceInfo& info() const noexcept override { return info_; }
  Result<> start(AudioCallback& callback) override;
  void stop() noexcept override;
  [[nodiscard]] bool alive() noexcept override;
  [[nodiscard]] RealtimeReport realtime() override;
  [[nodiscard]] const DeviceCounters& counters() const noexcept override { return counters_; }

 private:
  void play();

  const DeviceInfo info_;
  const int priority_;
  DeviceCounters counters_;
  CallbackContext context_;
  std::size_t slab_floats_ = 0;
  rt::AlignedFloats slab_;
  std::vector<const float*> in_;
  std::vector<float*> out_;
  std::atomic<bool> stopping_{false};
  std::binary_semaphore ready_{0};
  std::mutex mutex_;  // what is below: start() and stop() may run on a worker while another thread looks
  Liveness liveness_;
  std::string warning_;
  std::thread thread_;
};

}  // namespace continuo::device
