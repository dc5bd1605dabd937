#include "server/device/portaudio_choice.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "server/device/device_match.hpp"

namespace continuo::device {
namespace {

bool is_plugin(const SeenDevice& device) {
  return device.type == paALSA && device.info.name.find("(hw:") == std::string::npos;
}

}  // namespace

std::vector<ChannelCounts> channels_to_try(const SeenDevice& device, const DeviceRequest& request) {
  const bool all_in = request.in_channels == UINT32_MAX, all_out = request.out_channels == UINT32_MAX;
  ChannelCounts best{std::min(device.info.in_channels, request.in_channels),
                     std::min(device.info.out_channels, request.out_channels)};
  if (is_plugin(device)) {
    if (all_in) best.in = std::min(best.in, 2u);
    if (all_out) best.out = std::min(best.out, 2u);
  }
  std::vector<ChannelCounts> counts;
  const auto add = [&](ChannelCounts c) {
    if (c.in + c.out > 0 && std::find(counts.begin(), counts.end(), c) == counts.end()) counts.push_back(c);
  };
  add(best);
  const std::uint32_t less_in = all_in ? std::min(best.in, 2u) : best.in;
  const std::uint32_t less_out = all_out ? std::min(best.out, 2u) : best.out;
  add({less_in, less_out});
  if (best.out > 0) add({all_in ? 0 : best.in, less_out});  // an input that does not open with the output is let go
  return counts;
}

std::vector<double> rates_to_try(const SeenDevice& device, const DeviceRequest& request) {
  std::vector<double> rates;
  for (const double rate : {request.sample_rate_hz, device.info.sample_rate_hz, 48'000.0, 44'100.0, 96'000.0}) {
    if (rate > 0.0 && std::find(rates.begin(), rates.end(), rate) == rates.end()) rates.push_back(rate);
  }
  return rates;
}

std::vector<std::size_t> best_devices(const std::vector<SeenDevice>& devices, const DeviceRequest& request) {
  const auto rank = [](const SeenDevice& d) {
    const bool card = d.type == paJACK && d.info.name == "system";  // whichever client came first
    const int use = card || d.api_default_output ? 0 : d.api_default_input ? 10 : 100;
    return use + (d.type == paJACK ? 0 : d.type == paALSA ? 1 : 2);
  };
  const bool system = std::any_of(devices.begin(), devices.end(),
                                  [](const SeenDevice& d) { return d.type == paJACK && d.info.name == "system"; });
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    if (rank(devices[i]) >= 100 || !host_api_matches(devices[i].info.host_api, request.host_api)) continue;
    if (system && devices[i].type == paJACK && devices[i].info.name != "system") continue;
    order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::pair(rank(devices[a]), a) < std::pair(rank(devices[b]), b);
  });
  return order;
}

}  // namespace continuo::device
