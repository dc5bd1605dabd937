// THREAD: audio runs it, control opens and closes it - the only code between a driver's thread and the engine
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/types.hpp"
#include "server/device/callback_gate.hpp"
#include "server/device/device.hpp"

namespace continuo::device {

/// What the driver says went wrong before a buffer.
struct Xruns {
  bool input = false;
  bool output = false;
};

/// What a driver's callback is given as its user data. It outlives every thread that may call it: where an audio server
/// died or froze, the context of its stream is kept for ever (see portaudio_pool.hpp), and late callbacks find the gate
/// closed.
class CallbackContext {
 public:
  CallbackContext(std::uint32_t in_channels, std::uint32_t out_channels) noexcept
      : in_channels_(in_channels), out_channels_(out_channels) {}

  /// Audio thread: one buffer. Closed: silence, nothing counted. Sets FTZ and DAZ for its duration.
  void run(rt::InputBlock in, rt::OutputBlock out, std::uint32_t frames, Xruns xruns = {}) noexcept RT_NONBLOCKING;
  /// Audio thread: the driver has called for the last time, in an orderly end.
  void finish() noexcept RT_NONBLOCKING { finished_.store(true, std::memory_order_release); }

  /// Control thread: `callback` is called and `counters` count from the next buffer on; both must live until close()
  /// has returned.
  void open(AudioCallback& callback, DeviceCounters& counters) noexcept;
  /// Control thread. `callback` is left and will not be entered again.
  void close() noexcept;

  /// Any thread. Counts every call, also behind a closed gate: the stream's pulse.
  [[nodiscard]] std::uint64_t beats() const noexcept { return beats_.load(std::memory_order_acquire); }
  [[nodiscard]] bool finished() const noexcept { return finished_.load(std::memory_order_acquire); }
  [[nodiscard]] std::uint32_t last_frames() const noexcept { return last_frames_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool thread_known() const noexcept { return thread_.load(std::memory_order_acquire) != 0; }
  [[nodiscard]] pthread_t thread() const noexcept { return thread_.load(std::memory_order_acquire); }
  [[nodiscard]] bool flush_denormals() const noexcept { return flush_denormals_.load(std::memory_order_relaxed); }

  [[nodiscard]] std::uint32_t in_channels() const noexcept RT_NONBLOCKING { return in_channels_; }
  [[nodiscard]] std::uint32_t out_channels() const noexcept RT_NONBLOCKING { return out_channels_; }

 private:
  const std::uint32_t in_channels_;
  const std::uint32_t out_channels_;
  CallbackGate gate_;
  AudioCallback* callback_ = nullptr;  // these two are written while the gate is closed, and read behind it
  DeviceCounters* counters_ = nullptr;
  std::atomic<std::uint64_t> beats_{0};
  std::atomic<pthread_t> thread_{0};
  std::atomic<std::uint32_t> last_frames_{0};
  std::atomic<bool> flush_denormals_{false};
  std::atomic<bool> finished_{false};
};

}  // namespace continuo::device
