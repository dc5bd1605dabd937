// What holds on every machine, with or without sound. Audio servers: tests/device.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "server/device/device.hpp"
#include "server/device/portaudio_api.hpp"
#include "server/device/portaudio_pool.hpp"

using namespace continuo;
using namespace continuo::device;

TEST_CASE("the list ends with the clock device, one is the default, and nothing is printed on stderr") {
  const int caught = memfd_create("stderr", 0);
  const int real = dup(2);
  REQUIRE(dup2(caught, 2) == 2);
  const auto factory = make_portaudio_factory();
  const auto list = factory->list();
  const auto unknown = factory->open({.name = "no such device, surely"});
  dup2(real, 2);
  close(real);
  CHECK(lseek(caught, 0, SEEK_END) == 0);
  close(caught);

  REQUIRE(list);
  REQUIRE_FALSE(list->empty());
  CHECK(list->back().name == "clock");
  CHECK(std::count_if(list->begin(), list->end(), [](const DeviceInfo& d) { return d.is_default; }) == 1);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::not_found);
}

TEST_CASE("looking again and again takes no further copy of the library") {
  const auto factory = make_portaudio_factory();
  REQUIRE(factory->list());
  const auto copies = PortAudioPool::get().counts().copies;
  for (int i = 0; i < 3; ++i) REQUIRE(factory->list());
  CHECK(PortAudioPool::get().counts().copies == copies);
  CHECK(PortAudioPool::get().counts().idle == copies);
}

TEST_CASE("\"clock\" opens the clock device") {
  const auto device = make_portaudio_factory()->open({.name = "clock", .sample_rate_hz = 44'100.0, .out_channels = 6});
  REQUIRE(device);
  CHECK((*device)->info().host_api == "clock");
  CHECK((*device)->info().out_channels == 6);
  CHECK((*device)->info().sample_rate_hz == 44'100.0);
}

TEST_CASE("a private copy of PortAudio has variables of its own") {
  const auto normal = load_portaudio();
  const auto one = load_private_portaudio();
  const auto two = load_private_portaudio();
  REQUIRE(normal);
  REQUIRE(one);
  REQUIRE(two);
  CHECK((one->initialize != normal->initialize));
  CHECK((one->initialize != two->initialize));
  CHECK(one->get_device_count() == paNotInitialized);
  REQUIRE(one->initialize() == paNoError);
  CHECK(one->get_device_count() >= 0);
  CHECK(two->get_device_count() == paNotInitialized);
  CHECK(one->terminate() == paNoError);
}

TEST_CASE("a device without a clock is refused, and what it ran in serves again") {
  // ALSA's null device takes what it is given as fast as it is given.
  const int config = memfd_create("alsa.conf", 0);
  const std::string text = "pcm.!default { type null }\nctl.!default { type null }\n";
  REQUIRE(write(config, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  const char* old = std::getenv("ALSA_CONFIG_PATH");
  const std::string before = old ? old : "";
  setenv("ALSA_CONFIG_PATH", ("/proc/self/fd/" + std::to_string(config)).c_str(), 1);
  const auto device = make_portaudio_factory()->open({.name = "default", .host_api = "ALSA"});
  old ? setenv("ALSA_CONFIG_PATH", before.c_str(), 1) : unsetenv("ALSA_CONFIG_PATH");
  close(config);
  REQUIRE_FALSE(device);
  CHECK(device.error().reason == "DEVICE_WITHOUT_CLOCK");
  CHECK(device.error().kind == ErrorKind::unavailable);
  CHECK(PortAudioPool::get().counts().idle == PortAudioPool::get().counts().copies);
}
