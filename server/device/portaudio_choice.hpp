// THREAD: any - what PortAudio showed, and what of it is to be tried in which order: pure functions
#pragma once

#include <portaudio.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "server/device/device.hpp"

namespace continuo::device {

/// A device as one start of PortAudio saw it; its indices mean nothing to another start.
struct SeenDevice {
  DeviceInfo info;
  PaDeviceIndex index = paNoDevice;
  PaHostApiTypeId type = paInDevelopment;
  bool api_default_output = false;
  bool api_default_input = false;
};

/// The channels to try, best first. A count that was not asked for may give way to a smaller one; what ALSA reports for
/// a plug-in (everything but "hw:") is what the plug-in could pretend to, so "all" means two of those.
struct ChannelCounts {
  std::uint32_t in = 0;
  std::uint32_t out = 0;
  friend bool operator==(const ChannelCounts&, const ChannelCounts&) = default;
};
[[nodiscard]] std::vector<ChannelCounts> channels_to_try(const SeenDevice& device, const DeviceRequest& request);

/// The rates to try: the one asked for, the device's default, the usual ones.
[[nodiscard]] std::vector<double> rates_to_try(const SeenDevice& device, const DeviceRequest& request);

/// Where the best device is to be looked for, best first: indices into `devices`. JACK where a server runs, then ALSA's
/// default, then the other hosts' defaults; outputs before inputs.
[[nodiscard]] std::vector<std::size_t> best_devices(const std::vector<SeenDevice>& devices,
                                                    const DeviceRequest& request);

}  // namespace continuo::device
