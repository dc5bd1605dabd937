// THREAD: control and its driver threads - one stream and the copy of the library that it lives in
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "server/device/callback_context.hpp"
#include "server/device/device.hpp"
#include "server/device/portaudio_api.hpp"
#include "server/device/portaudio_choice.hpp"

namespace continuo::device {

/// The stream runs from open() on, silent behind its closed gate, so that its pulse tells at any time whether its
/// server lives. Everything here that may block says so and is called on a driver thread only.
class PortAudioStream {
 public:
  PortAudioStream(const PortAudioApi& api, const SeenDevice& device, ChannelCounts channels);

  /// May block. Opens and starts it.
  [[nodiscard]] PaError open(double sample_rate_hz, const DeviceRequest& request);
  /// May block. Orderly end of the stream. True: its copy of the library may be terminated. False: the server went away
  /// meanwhile, and nothing more may be called in this copy.
  [[nodiscard]] bool close();

  /// Does not block. False: the server said goodbye.
  [[nodiscard]] bool active() const { return stream_ != nullptr && api_.is_stream_active(stream_) == 1; }
  [[nodiscard]] bool opened() const noexcept { return stream_ != nullptr; }
  /// Waits for the next callback. False: none came within `bound`.
  [[nodiscard]] bool wait_for_beat(std::chrono::milliseconds bound) const;
  /// False: it asks for sound many times faster than its rate, as ALSA's null and file devices do. At a real-time
  /// priority such a thread would take the machine's processor. Takes 50 ms, but for JACK, which always has a clock.
  [[nodiscard]] bool keeps_time() const;

  /// From outside the audio thread, once it is known: name, priority, stack. JACK's thread keeps the priority that the
  /// server gave it.
  void dress_thread(int priority);
  void undress_thread();
  [[nodiscard]] RealtimeReport realtime() const;

  [[nodiscard]] const PortAudioApi& api() const noexcept { return api_; }
  [[nodiscard]] bool is_jack() const noexcept { return device_.type == paJACK; }
  [[nodiscard]] const std::string& client_name() const noexcept { return client_name_; }  // JACK: ours
  [[nodiscard]] const DeviceInfo& info() const noexcept { return info_; }

  CallbackContext context;

 private:
  const PortAudioApi api_;
  const SeenDevice device_;
  DeviceInfo info_;
  PaStream* stream_ = nullptr;
  std::string client_name_;
  std::string warning_;
};

/// What came of opening a device.
struct OpenedStream {
  std::shared_ptr<PortAudioStream> stream;  // runs, where `fit`; else what must be left alone, if anything
  Error error;
  bool fit = true;  // the copy of the library may be used further
};

/// May block. Tries the channels and rates in order; the copy is started.
[[nodiscard]] OpenedStream open_stream(const PortAudioApi& api, const SeenDevice& device, const DeviceRequest& request);

}  // namespace continuo::device
