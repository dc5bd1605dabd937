#include "server/device/portaudio_probe.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "server/device/driver_noise.hpp"
#include "server/device/jack_ports.hpp"

namespace continuo::device {
namespace {

std::uint32_t count(int channels) { return channels > 0 ? static_cast<std::uint32_t>(channels) : 0; }

// JACK's clients: names for the channels, and MIDI ports are no channels.
void name_jack_channels(const PortAudioApi& api, std::vector<SeenDevice>& devices) {
  std::vector<std::string> clients;
  for (const auto& d : devices)
    if (d.type == paJACK) clients.push_back(d.info.name);
  const auto ports = read_jack_ports(api.library, clients);
  std::size_t i = 0;
  for (auto& d : devices) {
    if (d.type != paJACK) continue;
    if (const auto& p = ports[i++]) {
      d.info.in_channels = std::min(d.info.in_channels, static_cast<std::uint32_t>(p->in.size()));
      d.info.out_channels = std::min(d.info.out_channels, static_cast<std::uint32_t>(p->out.size()));
      d.info.in_names.assign(p->in.begin(), p->in.begin() + d.info.in_channels);
      d.info.out_names.assign(p->out.begin(), p->out.begin() + d.info.out_channels);
    }
  }
}

}  // namespace

Result<std::vector<SeenDevice>> start_and_list(const PortAudioApi& api) {
  if (api.jack_set_client_name != nullptr) api.jack_set_client_name("continuo");
  if (const PaError error = api.initialize(); error != paNoError) {
    return make_error(ErrorKind::unavailable, "NO_PORTAUDIO", "device",
                      "PortAudio does not start: " + api.describe(error) + " (" + last_driver_messages(3) + ")");
  }
  catch_driver_messages(api.library);  // PortAudio gives JACK a hook of its own while it starts
  std::vector<SeenDevice> devices;
  for (PaDeviceIndex i = 0; i < api.get_device_count(); ++i) {
    const PaDeviceInfo* device = api.get_device_info(i);
    const PaHostApiInfo* host = device ? api.get_host_api_info(device->hostApi) : nullptr;
    if (host == nullptr || device->name == nullptr) continue;
    SeenDevice seen;
    seen.index = i;
    seen.type = host->type;
    seen.api_default_output = host->defaultOutputDevice == i;
    seen.api_default_input = host->defaultInputDevice == i;
    seen.info.name = device->name;
    seen.info.host_api = host->name;
    seen.info.in_channels = count(device->maxInputChannels);
    seen.info.out_channels = count(device->maxOutputChannels);
    seen.info.sample_rate_hz = device->defaultSampleRate;
    seen.info.input_latency_s = std::max(0.0, device->defaultLowInputLatency);
    seen.info.output_latency_s = std::max(0.0, device->defaultLowOutputLatency);
    devices.push_back(std::move(seen));
  }
  name_jack_channels(api, devices);
  std::erase_if(devices, [](const SeenDevice& d) { return d.info.in_channels + d.info.out_channels == 0; });
  return devices;
}

}  // namespace continuo::device
