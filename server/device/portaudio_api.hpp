// THREAD: control - the one table of every PortAudio call that we make, and how a copy of the library comes to be
#pragma once

#include <portaudio.h>

#include <string>

#include "server/base/result.hpp"

// Declared here, not taken from pa_linux_alsa.h and pa_jack.h: both are optional, and looked up like the rest.
using PaAlsaEnableRealtimeScheduling = void(PaStream*, int);
using PaJackSetClientName = PaError(const char*);
using PaJackGetClientName = PaError(const char**);

namespace continuo::device {

/// Nothing else in the house calls Pa_*: a stream whose audio server died leaves its copy of the library unusable
/// (stopping it blocks for minutes, closing it aborts the process), and then another copy takes over. So no call may be
/// bound by the linker.
struct PortAudioApi {
  decltype(&::Pa_Initialize) initialize = nullptr;
  decltype(&::Pa_Terminate) terminate = nullptr;
  decltype(&::Pa_GetErrorText) get_error_text = nullptr;
  decltype(&::Pa_GetLastHostErrorInfo) get_last_host_error_info = nullptr;
  decltype(&::Pa_GetHostApiCount) get_host_api_count = nullptr;
  decltype(&::Pa_GetHostApiInfo) get_host_api_info = nullptr;
  decltype(&::Pa_GetDeviceCount) get_device_count = nullptr;
  decltype(&::Pa_GetDeviceInfo) get_device_info = nullptr;
  decltype(&::Pa_OpenStream) open_stream = nullptr;
  decltype(&::Pa_SetStreamFinishedCallback) set_stream_finished_callback = nullptr;
  decltype(&::Pa_StartStream) start_stream = nullptr;
  decltype(&::Pa_StopStream) stop_stream = nullptr;
  decltype(&::Pa_CloseStream) close_stream = nullptr;
  decltype(&::Pa_IsStreamActive) is_stream_active = nullptr;
  decltype(&::Pa_GetStreamInfo) get_stream_info = nullptr;
  PaAlsaEnableRealtimeScheduling* alsa_enable_realtime_scheduling = nullptr;  // may be absent
  PaJackSetClientName* jack_set_client_name = nullptr;                        // may be absent
  PaJackGetClientName* jack_get_client_name = nullptr;                        // may be absent
  void* library = nullptr;  // for dlsym; never closed: threads of the driver may still run in it

  /// "Invalid sample rate", with the host's own words where PortAudio only says that the host failed.
  [[nodiscard]] std::string describe(PaError error) const;
};

/// The system's library as it is. UNAVAILABLE where it is not installed.
[[nodiscard]] Result<PortAudioApi> load_portaudio();

/// A copy with variables of its own, made from the same file. It costs about 200 KiB and a descriptor, for ever.
[[nodiscard]] Result<PortAudioApi> load_private_portaudio();

}  // namespace continuo::device
