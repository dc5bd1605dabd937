// THREAD: control - a sound device through PortAudio, whatever its host API
#pragma once

#include <memory>

#include "server/device/device.hpp"
#include "server/device/liveness.hpp"
#include "server/device/portaudio_stream.hpp"

namespace continuo::device {

/// The stream runs, silent, from the opening on; start() opens its gate within one buffer and blocks on nothing.
/// stop: [control] close the gate, wait until the callback is left -> [driver] stop, close, terminate, bounded; or, where the
/// server is lost, [control] leave stream and library alone for ever.
class PortAudioDevice final : public Device {
 public:
  PortAudioDevice(std::shared_ptr<PortAudioStream> stream, DeviceRequest request);
  ~PortAudioDevice() override;
  [[nodiscard]] const DeviceInfo& info() const noexcept override { return info_; }
  /// After a stop() it opens the device anew.
  Result<> start(AudioCallback& callback) override;
  void stop() noexcept override;
  [[nodiscard]] bool alive() noexcept override;
  [[nodiscard]] RealtimeReport realtime() override;
  [[nodiscard]] const DeviceCounters& counters() const noexcept override { return stream_->context.counters; }

 private:
  std::shared_ptr<PortAudioStream> stream_;
  DeviceRequest request_;
  DeviceInfo info_;
  Liveness liveness_;
  RealtimeReport last_report_;
  bool running_ = true;  // the stream, not the engine's callback
  bool lost_ = false;
};

}  // namespace continuo::device
