// THREAD: control owns it; audio_callback() enters the audio thread - what the house knows of a sound device
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/counters.hpp"
#include "rt/types.hpp"
#include "server/base/result.hpp"

namespace continuo::device {

/// What a device calls on its audio thread. The engine implements it over rt::Renderer.
class AudioCallback {
 public:
  virtual ~AudioCallback() = default;
  virtual void audio_callback(rt::InputBlock in, rt::OutputBlock out, std::uint32_t frames) noexcept RT_NONBLOCKING = 0;
};

/// What is asked of a device.
struct DeviceRequest {
  std::string name{};  // exact name, else a case-insensitive part of it; empty: the best there is; "clock": no hardware
  std::string host_api{};                  // "ALSA", "JACK Audio Connection Kit", ...; empty: any
  double sample_rate_hz = 0.0;             // 0: the device's own
  std::uint32_t buffer_frames = 0;         // 0: unspecified, the device chooses
  std::uint32_t in_channels = UINT32_MAX;  // at most this many; UINT32_MAX: all that it has
  std::uint32_t out_channels = UINT32_MAX;
  int priority = 70;  // SCHED_FIFO priority to ask for
};

/// What was got. Channels count from 1 wherever a person sees them.
struct DeviceInfo {
  std::string name;
  std::string host_api;  // "clock" for the clock device
  std::uint32_t in_channels = 0;
  std::uint32_t out_channels = 0;
  double sample_rate_hz = 0.0;
  std::uint32_t buffer_frames = 0;  // 0: varies or unknown
  double input_latency_s = 0.0;
  double output_latency_s = 0.0;
  bool is_default = false;
  std::vector<std::string> in_names;  // the driver's channel names where it has them, else empty
  std::vector<std::string> out_names;
};

/// Read back from outside the audio thread. Any thread.
struct RealtimeReport {
  bool thread_known = false;  // the audio thread has run at least once
  std::string policy;         // "SCHED_FIFO", "SCHED_OTHER", ...
  int priority = 0;
  bool flush_denormals = false;  // FTZ and DAZ seen set inside the callback
  std::string warning;           // why a right is missing and the remedy; empty when all is well
};

/// Counted by the callback, read by any thread.
struct DeviceCounters {
  std::atomic<std::uint64_t> callbacks{0};
  std::atomic<std::uint64_t> frames{0};
  std::atomic<std::uint64_t> input_overflows{0};
  std::atomic<std::uint64_t> output_underflows{0};  // with the two above: xruns
  std::atomic<std::uint64_t> late_wakeups{0};       // clock device: woke more than a buffer late
  std::atomic<std::uint64_t> skipped_frames{0};     // clock device: a stall's frames that were not caught up
  rt::Histogram callback_ticks;                     // time-stamp counter, entry to exit
};

/// A device that does not call for so long is lost.
inline constexpr double kStallSeconds = 1.0;

/// A running or stopped device. Control thread, but for counters().
class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual const DeviceInfo& info() const noexcept = 0;
  /// Starts calling `callback` on the audio thread. It must outlive stop().
  virtual Result<> start(AudioCallback& callback) = 0;
  /// Returns once the callback is left and will not be entered again; within 2 s also when the device is lost or its
  /// server is frozen: then the dead library is left alone for ever and its late callbacks find a closed gate.
  virtual void stop() noexcept = 0;
  /// False once the device is lost: its server ended, or no callback came for `kStallSeconds`. Never blocks; look at
  /// least twice a second, for a longer pause is taken for the looker's own.
  [[nodiscard]] virtual bool alive() noexcept = 0;
  [[nodiscard]] virtual RealtimeReport realtime() = 0;
  [[nodiscard]] virtual const DeviceCounters& counters() const noexcept = 0;
};

/// Every device of one driver family. Control thread. Slow: run it on a worker, and wait for that with a bound: a
/// frozen audio server holds each call for up to 15 s.
class DeviceFactory {
 public:
  virtual ~DeviceFactory() = default;
  [[nodiscard]] virtual Result<std::vector<DeviceInfo>> list() = 0;
  /// NOT_FOUND names what there is; UNAVAILABLE says why it would not open.
  [[nodiscard]] virtual Result<std::unique_ptr<Device>> open(const DeviceRequest& request) = 0;
};

[[nodiscard]] std::unique_ptr<DeviceFactory> make_portaudio_factory();
/// No hardware: paced by an absolute timer. 2 in, 2 out unless asked; 48 kHz and 256 frames unless asked.
[[nodiscard]] Result<std::unique_ptr<Device>> make_clock_device(const DeviceRequest& request);

}  // namespace continuo::device
