#include "server/device/portaudio_choice.hpp"

#include <doctest/doctest.h>

#include "server/device/jack_ports.hpp"

using namespace continuo;
using namespace continuo::device;

namespace {
SeenDevice seen(std::string name, PaHostApiTypeId type, std::uint32_t in, std::uint32_t out, bool default_out = false,
                bool default_in = false) {
  SeenDevice d;
  d.info.name = std::move(name);
  d.info.host_api = type == paJACK ? "JACK Audio Connection Kit" : type == paALSA ? "ALSA" : "OSS";
  d.info.in_channels = in;
  d.info.out_channels = out;
  d.info.sample_rate_hz = 44'100.0;
  d.type = type;
  d.api_default_output = default_out;
  d.api_default_input = default_in;
  return d;
}
using Counts = std::vector<ChannelCounts>;
}  // namespace

TEST_CASE("a device is opened with all channels that it has, up to what was asked") {
  const auto jack = seen("system", paJACK, 64, 64);
  CHECK(channels_to_try(jack, {}).front() == ChannelCounts{64, 64});
  CHECK(channels_to_try(jack, {.in_channels = 8, .out_channels = 100}).front() == ChannelCounts{8, 64});
  CHECK(channels_to_try(jack, {.in_channels = 0}).front() == ChannelCounts{0, 64});
  CHECK(channels_to_try(jack, {.out_channels = 0}) == Counts{{64, 0}, {2, 0}});
}

TEST_CASE("a count that was asked for never gives way to a smaller one, others do") {
  const auto card = seen("USB (hw:1,0)", paALSA, 10, 4);
  CHECK(channels_to_try(card, {.in_channels = 10, .out_channels = 4}) == Counts{{10, 4}});
  CHECK(channels_to_try(card, {}) == Counts{{10, 4}, {2, 2}, {0, 2}});
  CHECK(channels_to_try(seen("mono", paALSA, 1, 1), {}) == Counts{{1, 1}, {0, 1}});
}

TEST_CASE("an ALSA plug-in that claims 128 channels is opened with two, unless more are asked for") {
  const auto plugin = seen("default", paALSA, 128, 128);
  CHECK(channels_to_try(plugin, {}).front() == ChannelCounts{2, 2});
  CHECK(channels_to_try(plugin, {.in_channels = 0, .out_channels = 6}) == Counts{{0, 6}});
}

TEST_CASE("a request that leaves no channel has nothing to try") {
  CHECK(channels_to_try(seen("out", paALSA, 0, 2), {.out_channels = 0}).empty());
  CHECK(channels_to_try(seen("io", paALSA, 2, 2), {.in_channels = 0, .out_channels = 0}).empty());
}

TEST_CASE("the rate that was asked for comes first, then the device's own") {
  const auto card = seen("card", paALSA, 2, 2);
  CHECK(rates_to_try(card, {.sample_rate_hz = 96'000.0}) == std::vector<double>{96'000.0, 44'100.0, 48'000.0});
  CHECK(rates_to_try(card, {}).front() == 44'100.0);
}

TEST_CASE("the best device: a running JACK server's card, then ALSA's default, then other outputs, then inputs") {
  const std::vector<SeenDevice> devices = {seen("hw", paALSA, 2, 2),
                                           seen("default", paALSA, 2, 2, true, true),
                                           seen("some player", paJACK, 2, 2, true, true),
                                           seen("system", paJACK, 2, 2),
                                           seen("dsp", paOSS, 0, 2, true),
                                           seen("mic", paOSS, 1, 0, false, true)};
  CHECK(best_devices(devices, {}) == std::vector<std::size_t>{3, 1, 4, 5});
  CHECK(best_devices(devices, {.host_api = "alsa"}) == std::vector<std::size_t>{1});
  CHECK(best_devices(devices, {.host_api = "WASAPI"}).empty());
  CHECK(best_devices({}, {}).empty());
}

TEST_CASE("a JACK client's name is matched as it is, whatever its letters mean to an expression") {
  CHECK(jack_port_pattern("system") == "^system:");
  CHECK(jack_port_pattern("Built-in (2.0) [a+b]") == "^Built-in \\(2\\.0\\) \\[a\\+b\\]:");
}
