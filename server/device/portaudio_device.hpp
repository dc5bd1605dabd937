// THREAD: control - a sound device through PortAudio, whatever its host API
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "server/device/device.hpp"
#include "server/device/liveness.hpp"
#include "server/device/portaudio_stream.hpp"

namespace continuo::device {

/// The stream runs, silent, from the opening on; start() opens its gate within one buffer and blocks on nothing.
/// stop: [control] close the gate, wait until the callback is left -> [driver] stop, close, terminate, bounded; or,
/// where the server is lost, [control] leave stream and library alone for ever. start() and stop() may run on a worker
/// while another thread looks at alive(), realtime() and counters().
class PortAudioDevice final : public Device {
 public:
  PortAudioDevice(std::shared_ptr<PortAudioStream> stream, DeviceRequest request);
  ~PortAudioDevice() override;
  [[nodiscard]] const DeviceInfo& info() const noexcept override { return info_; }
  /// After a stop() it opens the device anew; UNAVAILABLE where that gives another rate or other channels.
  Result<> start(AudioCallback& callback) override;
  void stop() noexcept override;
  [[nodiscard]] bool alive() noexcept override;
  [[nodiscard]] RealtimeReport realtime() override;
  [[nodiscard]] const DeviceCounters& counters() const noexcept override { return counters_; }

 private:
  [[nodiscard]] static Error lost(const std::string& name);

  const DeviceInfo info_;
  DeviceRequest request_;  // that opens the same again
  DeviceCounters counters_;
  std::mutex mutex_;  // what is below; never held over a call that blocks
  std::shared_ptr<PortAudioStream> stream_;
  Liveness liveness_;
  RealtimeReport last_report_;
  bool running_ = true;  // the stream, not the engine's callback
  bool lost_ = false;
};

}  // namespace continuo::device
