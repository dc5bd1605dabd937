#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "server/device/portaudio_pool.hpp"
#include "tests/device/jack_server.hpp"

using namespace continuo;
using namespace continuo::device;

namespace {

constexpr std::uint32_t kChannels = 8;
constexpr std::size_t kFrames = 96'000;

// A different noise on every channel, never the same twice in a row.
float noise(std::uint32_t channel, std::uint64_t frame) {
  std::uint64_t x = frame * 0x9e3779b97f4a7c15u + channel * 0xd1b54a32d192ed03u + 1;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return static_cast<float>(static_cast<std::int64_t>(x >> 40) - (1 << 23)) / static_cast<float>(1 << 23);
}

// Plays prepared noise and keeps what comes in.
struct Echo final : AudioCallback {
  std::vector<std::vector<float>> played{kChannels}, heard{kChannels};
  std::size_t at = 0;
  std::atomic<bool> done{false};
  Echo() {
    for (std::uint32_t c = 0; c < kChannels; ++c) {
      heard[c].assign(kFrames, 0.0f);
      for (std::size_t i = 0; i < kFrames; ++i) played[c].push_back(noise(c, i));
    }
  }
  void audio_callback(rt::InputBlock in, rt::OutputBlock out, std::uint32_t frames) noexcept RT_NONBLOCKING override {
    const std::size_t n = std::min<std::size_t>(frames, kFrames - at);
    for (std::uint32_t c = 0; c < out.channel_count && c < kChannels; ++c) {
      std::memcpy(out.channels[c], played[c].data() + at, n * sizeof(float));
      std::fill(out.channels[c] + n, out.channels[c] + frames, 0.0f);
    }
    for (std::uint32_t c = 0; c < in.channel_count && c < kChannels; ++c) {
      std::memcpy(heard[c].data() + at, in.channels[c], n * sizeof(float));
    }
    at += n;
    if (at == kFrames) done.store(true, std::memory_order_release);
  }
};

std::vector<std::string> thread_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(entry.path() / "comm"), name);
    names.push_back(name);
  }
  return names;
}

}  // namespace

TEST_CASE("loopback: eight channels come back sample-exact, one period later, on every channel") {
  const JackServer server;
  auto device = make_portaudio_factory()->open({.name = "loopback"});
  REQUIRE(device);
  REQUIRE((*device)->info().in_channels == kChannels);
  REQUIRE((*device)->info().out_channels == kChannels);
  const std::size_t period = (*device)->info().buffer_frames;
  REQUIRE(period > 0);
  Echo echo;
  REQUIRE((*device)->start(echo));
  REQUIRE(eventually([&] { return echo.done.load(std::memory_order_acquire); }));
  (*device)->stop();
  for (std::uint32_t c = 0; c < kChannels; ++c) {
    CAPTURE(c);
    const auto begin = echo.heard[c].begin();
    REQUIRE(std::all_of(begin, begin + static_cast<std::ptrdiff_t>(period), [](float x) { return x == 0.0f; }));
    const auto [here, there] =
        std::mismatch(begin + static_cast<std::ptrdiff_t>(period), echo.heard[c].end(), echo.played[c].begin());
    CHECK(here - begin == static_cast<std::ptrdiff_t>(kFrames));  // else: the first frame that differs
  }
  const auto& counters = (*device)->counters();
  CHECK(counters.frames >= kFrames);
  CHECK(counters.callback_ticks.worst_ticks() > 0);
  MESSAGE("xruns: ", counters.input_overflows.load() + counters.output_underflows.load());
}

TEST_CASE("devices: the list has both with their ports' names, not ourselves, and the card is the default") {
  const JackServer server;
  const auto factory = make_portaudio_factory();
  auto open = factory->open({});
  REQUIRE(open);
  CHECK((*open)->info().name == "system");
  const auto list = factory->list();
  REQUIRE(list);
  REQUIRE(list->size() == 3);
  CHECK((*list)[0].name == "system");
  CHECK((*list)[0].is_default);
  CHECK((*list)[0].sample_rate_hz == 48'000.0);
  CHECK((*list)[0].in_names.at(7) == "capture_8");
  CHECK((*list)[0].out_names.at(0) == "playback_1");
  CHECK((*list)[1].name == "loopback");
  CHECK((*list)[1].out_channels == kChannels);
  CHECK((*list)[2].name == "clock");
  const auto part = factory->open({.name = "LOOP", .host_api = "jack"});
  REQUIRE(part);
  CHECK((*part)->info().name == "loopback");
  const auto none = factory->open({.name = "Scarlett"});
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::not_found);
  CHECK(none.error().message.find("loopback") != std::string::npos);
}

TEST_CASE("channels: output alone, input alone, fewer, a rate that the server has not becomes the server's") {
  const JackServer server;
  const auto factory = make_portaudio_factory();
  const auto shape = [&](DeviceRequest request, std::uint32_t in, std::uint32_t out) {
    request.name = "loopback";
    auto device = factory->open(request);
    REQUIRE(device);
    CHECK((*device)->info().in_channels == in);
    CHECK((*device)->info().out_channels == out);
    CHECK((*device)->info().in_names.size() == in);
    CHECK((*device)->info().sample_rate_hz == 48'000.0);
    Counter counter;
    REQUIRE((*device)->start(counter));
    REQUIRE(eventually([&] { return counter.calls > 2; }));
    (*device)->stop();
    CHECK(counter.in == in);
    CHECK(counter.out == out);
  };
  shape({.in_channels = 0}, 0, 8);
  shape({.out_channels = 0}, 8, 0);
  shape({.sample_rate_hz = 44'100.0, .in_channels = 1, .out_channels = 5}, 1, 5);
  shape({.buffer_frames = 64, .in_channels = 100}, 8, 8);
  const auto none = factory->open({.name = "loopback", .in_channels = 0, .out_channels = 0});
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::invalid_argument);
  CHECK(PortAudioPool::get().counts().copies == 1);  // one after another they need no second copy
  CHECK(PortAudioPool::get().counts().lost == 0);
}

TEST_CASE("thread: one audio thread, named, its priority read from outside, denormals flushed") {
  const JackServer server;
  auto device = make_portaudio_factory()->open({.name = "loopback"});
  REQUIRE(device);
  Counter counter;
  REQUIRE((*device)->start(counter));
  REQUIRE(eventually([&] { return counter.calls > 2; }));
  const auto names = thread_names();
  CHECK(std::count(names.begin(), names.end(), "continuo-audio") == 1);
  const auto report = (*device)->realtime();
  CHECK(report.thread_known);
  CHECK(report.flush_denormals);
  CHECK((report.policy == "SCHED_FIFO") == report.warning.empty());
  if (report.policy == "SCHED_FIFO") CHECK(report.priority > 0);
}

TEST_CASE("hand-over: a second device opens while the first plays, each may be stopped and started again") {
  const JackServer server;
  const auto factory = make_portaudio_factory();
  auto first = factory->open({.name = "loopback"});
  REQUIRE(first);
  Counter a, b;
  REQUIRE((*first)->start(a));
  auto second = factory->open({.name = "system"});
  REQUIRE(second);
  REQUIRE((*second)->start(b));
  REQUIRE(eventually([&] { return a.calls > 3 && b.calls > 3; }));
  (*first)->stop();
  const auto calls = a.calls.load();
  const auto later = b.calls.load() + 5;
  REQUIRE(eventually([&] { return b.calls > later; }));
  CHECK(a.calls == calls);
  CHECK((*second)->alive());
  REQUIRE((*first)->start(a));
  REQUIRE(eventually([&] { return a.calls > calls + 3; }));
  first->reset();
  second->reset();
  CHECK(PortAudioPool::get().counts().copies == 2);
  CHECK(PortAudioPool::get().counts().idle == 2);
}
