#include <doctest/doctest.h>

#include <memory>

#include "server/device/portaudio_pool.hpp"
#include "tests/device/jack_server.hpp"

using namespace continuo;
using namespace continuo::device;

namespace {

constexpr double kPromise = 2.0;  // seconds: what device.hpp says of stop()

// An open device that is being called.
struct Playing {
  std::unique_ptr<DeviceFactory> factory = make_portaudio_factory();
  std::unique_ptr<Device> device;
  std::unique_ptr<Counter> counter = std::make_unique<Counter>();
  Playing() {
    auto opened = factory->open({.name = "loopback"});
    REQUIRE(opened);
    device = std::move(*opened);
    REQUIRE(device->start(*counter));
    REQUIRE(eventually([&] { return counter->calls > 5; }));
    REQUIRE(device->alive());
  }
  void plays_again() {
    auto opened = factory->open({.name = "loopback"});
    REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
    Counter fresh;
    REQUIRE((*opened)->start(fresh));
    REQUIRE(eventually([&] { return fresh.calls > 20; }));
    CHECK((*opened)->alive());
    (*opened)->stop();
  }
};

PortAudioPool::Counts counts() { return PortAudioPool::get().counts(); }

}  // namespace

TEST_CASE("killed: the loss is seen, stop() keeps its promise, and a new server's device opens in the same process") {
  JackServer server;
  Playing playing;
  for (int round = 1; round <= 3; ++round) {
    CAPTURE(round);
    server.kill();
    REQUIRE(eventually([&] { return !playing.device->alive(); }));
    CHECK(seconds_of([&] { playing.device->stop(); }) < kPromise);
    CHECK_FALSE(playing.device->alive());
    CHECK_FALSE(playing.device->start(*playing.counter));
    CHECK(counts().lost == static_cast<std::size_t>(round));
    const auto gone = playing.factory->open({.name = "loopback"});
    REQUIRE_FALSE(gone);
    CHECK(gone.error().kind == ErrorKind::not_found);
    server.start_again();
    playing.plays_again();
    auto opened = playing.factory->open({.name = "loopback"});
    REQUIRE(opened);
    playing.device = std::move(*opened);
    REQUIRE(playing.device->start(*playing.counter));
  }
}

TEST_CASE("killed: stop() before anybody looked") {
  JackServer server;
  Playing playing;
  server.kill();
  CHECK(seconds_of([&] { playing.device->stop(); }) < kPromise);
  playing.counter.reset();  // a late call would find it gone
  playing.device.reset();
  server.start_again();
  playing.plays_again();
}

TEST_CASE("frozen: the watch sees it, stop() keeps its promise, opening says so, and thawing does no harm") {
  JackServer server;
  Playing playing;
  server.freeze();
  REQUIRE(eventually([&] { return !playing.device->alive(); }));
  CHECK(seconds_of([&] { playing.device->stop(); }) < kPromise);
  CHECK(counts().lost == 1);
  const auto calls = playing.counter->calls.load();

  const auto frozen = playing.factory->open({.name = "loopback"});
  REQUIRE_FALSE(frozen);
  CHECK(frozen.error().kind == ErrorKind::unavailable);
  CHECK(counts().late_starts == 1);
  for (int i = 0; i < 3; ++i) {  // no further thread and no further copy is sent after it
    const auto list = playing.factory->list();
    REQUIRE_FALSE(list);
    CHECK(list.error().reason == "AUDIO_SYSTEM_BLOCKED");
  }
  CHECK(counts().copies == 2);

  server.thaw();
  REQUIRE(eventually([&] { return counts().late_starts == 0; }));
  playing.plays_again();
  CHECK(playing.counter->calls == calls);  // the old callback was never entered again
  CHECK(counts().lost == 0);               // the old stream lived, was closed in order, and its copy serves again
  CHECK(counts().idle == counts().copies);
}

TEST_CASE("frozen: stop() before anybody looked, and a callback that is gone when the server goes on") {
  JackServer server;
  Playing playing;
  server.freeze();
  CHECK(seconds_of([&] { playing.device.reset(); }) < kPromise);
  playing.counter.reset();
  server.thaw();
  playing.plays_again();
}

TEST_CASE("frozen then killed: a new server's device opens") {
  JackServer server;
  Playing playing;
  server.freeze();
  REQUIRE(eventually([&] { return !playing.device->alive(); }));
  playing.device->stop();
  CHECK_FALSE(playing.factory->list());  // a start of PortAudio now waits for the frozen server
  server.kill();
  REQUIRE(eventually([&] { return counts().late_starts == 0; }));
  server.start_again();
  playing.plays_again();
}

TEST_CASE("frozen for good: the process ends all the same") {
  JackServer server;
  Playing playing;
  server.freeze();
  CHECK_FALSE(playing.factory->list());  // leaves a thread inside a driver
  CHECK(seconds_of([&] { playing.device.reset(); }) < kPromise);
}
