#include "server/device/portaudio_stream.hpp"

#include <algorithm>
#include <cmath>
#include <thread>
#include <utility>

#include "server/device/driver_noise.hpp"
#include "server/device/jack_ports.hpp"
#include "server/device/realtime.hpp"

namespace continuo::device {
namespace {

// PortAudio's thread enters the house here.
int stream_callback(const void* in, void* out, unsigned long frames, const PaStreamCallbackTimeInfo*,
                    PaStreamCallbackFlags flags, void* user) noexcept RT_NONBLOCKING {
  auto& context = *static_cast<CallbackContext*>(user);
  // A bit mask: one event may set several bits.
  const Xruns xruns{(flags & (paInputOverflow | paInputUnderflow)) != 0,
                                     (flags & (paOutputUnderflow | paOutputOverflow)) != 0};
  context.run({static_cast<const float* const*>(in), in != nullptr ? context.in_channels() : 0},
              {static_cast<float* const*>(out), out != nullptr ? context.out_channels() : 0},
              static_cast<std::uint32_t>(frames), xruns);
  return paContinue;
}

void stream_finished(void* user) noexcept RT_NONBLOCKING { static_cast<CallbackContext*>(user)->finish(); }

// Some hosts subtract more than there is.
double plausible(double latency_s) {
  return std::isfinite(latency_s) && latency_s > 0.0 && latency_s < 10.0 ? latency_s : 0.0;
}

}  // namespace

PortAudioStream::PortAudioStream(const PortAudioApi& api, const SeenDevice& device, ChannelCounts channels)
    : context(channels.in, channels.out), api_(api), device_(device), info_(device.info) {
  info_.in_channels = channels.in;
  info_.out_channels = channels.out;
  if (info_.in_names.size() > channels.in) info_.in_names.resize(channels.in);
  if (info_.out_names.size() > channels.out) info_.out_names.resize(channels.out);
}

PaError PortAudioStream::open(double sample_rate_hz, const DeviceRequest& request) {
  const double asked_s = request.buffer_frames / sample_rate_hz;
  const auto parameters = [&](std::uint32_t channels, double latency_s) {
    PaStreamParameters p{};
    p.device = device_.index;
    p.channelCount = static_cast<int>(channels);
    p.sampleFormat = paFloat32 | paNonInterleaved;
    p.suggestedLatency = std::max(latency_s, asked_s);
    return p;
  };
  const PaStreamParameters in = parameters(info_.in_channels, device_.info.input_latency_s);
  const PaStreamParameters out = parameters(info_.out_channels, device_.info.output_latency_s);
  // Undithered, so that a sample that fits arrives as it is; clipped, for without it an overload wraps around.
  PaError error = api_.open_stream(&stream_, info_.in_channels ? &in : nullptr, info_.out_channels ? &out : nullptr,
                                   sample_rate_hz, request.buffer_frames, paDitherOff, stream_callback, &context);
  if (error != paNoError) {
    stream_ = nullptr;
    return error;
  }
  api_.set_stream_finished_callback(stream_, stream_finished);
  if (device_.type == paALSA && request.priority > 0 && api_.alsa_enable_realtime_scheduling != nullptr) {
    api_.alsa_enable_realtime_scheduling(stream_, 1);
  }
  if (const char* name = nullptr;
      is_jack() && api_.jack_get_client_name && api_.jack_get_client_name(&name) == paNoError) {
    client_name_ = name;
  }
  if (const PaStreamInfo* got = api_.get_stream_info(stream_)) {
    info_.sample_rate_hz = got->sampleRate;
    info_.input_latency_s = plausible(got->inputLatency);
    info_.output_latency_s = plausible(got->outputLatency);
  }
  return api_.start_stream(stream_);
}

bool PortAudioStream::close() {
  if (stream_ == nullptr) return true;
  // A JACK server that dies under PortAudio's hands makes its stop look like a success, and the close then aborts the
  // process. Only an orderly end calls the finished callback; and a stream that never started may be closed while the
  // server still knows our ports.
  bool safe = true;
  if (active()) {
    const PaError error = api_.stop_stream(stream_);
    safe = !is_jack() || (error == paNoError && context.finished());
  } else if (is_jack() && !context.finished()) {
    const auto ports = read_jack_ports(api_.library, {client_name_});
    safe = context.beats() == 0 && !client_name_.empty() && ports.front() &&
           !(ports.front()->in.empty() && ports.front()->out.empty());
  }
  if (!safe) return false;
  api_.close_stream(stream_);
  stream_ = nullptr;
  return true;
}

bool PortAudioStream::wait_for_beat(std::chrono::milliseconds bound) const {
  const std::uint64_t before = context.beats();
  const auto end = std::chrono::steady_clock::now() + bound;
  while (context.beats() == before) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

bool PortAudioStream::keeps_time() const {
  if (is_jack()) return true;
  const auto begin = std::chrono::steady_clock::now();
  const std::uint64_t before = context.beats();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double frames = static_cast<double>(context.beats() - before) * context.last_frames();
  constexpr double kFirstFill = 65'536.0;  // what a device may take at once when it starts
  return frames < kFirstFill + 10.0 * seconds * info_.sample_rate_hz;
}

void PortAudioStream::dress_thread(int priority) {
  if (!context.thread_known()) return;
  const pthread_t thread = context.thread();
  name_audio_thread(thread);
  pin_stack(thread);
  if (is_jack()) {
    info_.buffer_frames = context.last_frames();
  } else {
    warning_ = ask_realtime(thread, priority);
  }
}

void PortAudioStream::undress_thread() {
  if (context.thread_known()) unpin_stack(context.thread());
}

RealtimeReport PortAudioStream::realtime() const {
  RealtimeReport report;
  if (!context.thread_known()) return report;
  read_scheduling(context.thread(), report);
  report.flush_denormals = context.flush_denormals();
  if (!report.warning.empty()) return report;
  report.warning = warning_;
  if (is_jack() && report.policy != "SCHED_FIFO" && report.policy != "SCHED_RR") {
    report.warning = "the JACK server gives its clients no real-time priority: start jackd with -R, and for both " +
                     realtime_remedy();
  }
  return report;
}

namespace {
Error unavailable(std::string reason, std::string message) {
  return make_error(ErrorKind::unavailable, std::move(reason), "device", std::move(message));
}
}  // namespace

OpenedStream open_stream(const PortAudioApi& api, const SeenDevice& device, const DeviceRequest& request) {
  const std::string name = "\"" + device.info.name + "\" (" + device.info.host_api + ")";
  PaError error = paInvalidChannelCount;
  for (const ChannelCounts channels : channels_to_try(device, request)) {
    for (const double rate : rates_to_try(device, request)) {
      auto stream = std::make_shared<PortAudioStream>(api, device, channels);
      error = stream->open(rate, request);
      if (error == paNoError) return {std::move(stream), {}, true};
      if (stream->opened()) {
        auto why = unavailable("DEVICE_DOES_NOT_START", name + " does not start: " + api.describe(error));
        const bool fit = stream->close();
        return {fit ? nullptr : std::move(stream), std::move(why), fit};
      }
      if (error != paInvalidSampleRate) break;
    }
  }
  const std::string said = last_driver_messages(2);
  return {nullptr,
          unavailable("DEVICE_DOES_NOT_OPEN",
                      name + " does not open: " + api.describe(error) + (said.empty() ? "" : " (" + said + ")")),
          true};
}

}  // namespace continuo::device
