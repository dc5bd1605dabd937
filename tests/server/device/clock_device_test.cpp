#include "server/device/clock_device.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <semaphore>

using namespace continuo;
using namespace continuo::device;

namespace {

// Counts buffers, checks their shape, and says when so many have come.
struct Listener final : AudioCallback {
  explicit Listener(std::uint64_t target) : wanted(target) {}
  const std::uint64_t wanted;
  std::uint32_t in = 0, out = 0, frames = 0;
  std::atomic<std::uint64_t> calls{0};
  std::atomic<bool> all_silent{true};
  std::binary_semaphore reached{0};
  void audio_callback(rt::InputBlock in_block, rt::OutputBlock out_block, std::uint32_t n) noexcept
      RT_NONBLOCKING override {
    in = in_block.channel_count;
    out = out_block.channel_count;
    frames = n;
    for (std::uint32_t c = 0; c < in; ++c)
      for (std::uint32_t i = 0; i < n; ++i)
        if (in_block.channels[c][i] != 0.0f) all_silent = false;
    for (std::uint32_t c = 0; c < out; ++c)
      for (std::uint32_t i = 0; i < n; ++i) out_block.channels[c][i] = 1.0f;
    if (calls.fetch_add(1) + 1 == wanted) rt::exempt([&] { reached.release(); });  // a test's own signal
  }
};

DeviceRequest quick() {
  DeviceRequest request;
  request.buffer_frames = 64;
  request.sample_rate_hz = 48'000.0;
  return request;
}

}  // namespace

TEST_CASE("the clock device calls with the channels and frames that were asked for") {
  auto request = quick();
  request.in_channels = 3;
  request.out_channels = 70;
  auto device = make_clock_device(request);
  REQUIRE(device);
  CHECK((*device)->info().out_channels == 70);
  Listener listener(20);
  REQUIRE((*device)->start(listener));
  listener.reached.acquire();
  CHECK((*device)->alive());
  const RealtimeReport report = (*device)->realtime();
  CHECK(report.thread_known);
  CHECK(report.flush_denormals);
  if (report.policy == "SCHED_FIFO") {
    CHECK(report.priority > 0);
    CHECK(report.warning.empty());
  } else {
    CHECK(report.warning.find("RTPRIO") != std::string::npos);  // the remedy
  }
  (*device)->stop();
  CHECK(listener.in == 3);
  CHECK(listener.out == 70);
  CHECK(listener.frames == 64);
  CHECK(listener.all_silent);  // also after the outputs were written
  CHECK((*device)->counters().callbacks == listener.calls);
  CHECK((*device)->counters().frames == listener.calls * 64);
  CHECK((*device)->counters().callback_ticks.total_ticks() > 0);
}

TEST_CASE("after stop() nobody is called, it may be started again and destroyed while it runs") {
  auto device = make_clock_device(quick());
  REQUIRE(device);
  {
    Listener listener(3);
    REQUIRE((*device)->start(listener));
    listener.reached.acquire();
    (*device)->stop();
    (*device)->stop();
  }  // a late call would be seen by AddressSanitizer
  Listener again(3);
  REQUIRE((*device)->start(again));
  again.reached.acquire();
  device->reset();
  const auto calls = again.calls.load();
  CHECK(calls >= 3);
}

TEST_CASE("a clock at twice the rate calls twice as often") {
  auto fast_request = quick();
  fast_request.sample_rate_hz = 96'000.0;
  auto slow = make_clock_device(quick());
  auto fast = make_clock_device(fast_request);
  REQUIRE(slow);
  REQUIRE(fast);
  Listener slow_listener(200), fast_listener(UINT64_MAX);
  REQUIRE((*fast)->start(fast_listener));
  REQUIRE((*slow)->start(slow_listener));
  slow_listener.reached.acquire();
  const auto fast_calls = fast_listener.calls.load();
  (*slow)->stop();
  (*fast)->stop();
  const auto skipped = (*slow)->counters().skipped_frames.load() + (*fast)->counters().skipped_frames.load();
  CAPTURE(skipped);
  if (skipped == 0) {  // a machine that stalled proves nothing here; the pacer's own tests below do
    CHECK(fast_calls >= 340);
    CHECK(fast_calls <= 480);
  }
}

TEST_CASE("a clock device refuses what it cannot be") {
  const auto refused = [](auto change) {
    DeviceRequest request;
    change(request);
    const auto device = make_clock_device(request);
    return !device && device.error().kind == ErrorKind::invalid_argument && !device.error().field.empty();
  };
  CHECK(refused([](DeviceRequest& r) { r.sample_rate_hz = 7'999.0; }));
  CHECK(refused([](DeviceRequest& r) { r.sample_rate_hz = -1.0; }));
  CHECK(refused([](DeviceRequest& r) { r.sample_rate_hz = std::nan(""); }));
  CHECK(refused([](DeviceRequest& r) { r.sample_rate_hz = INFINITY; }));
  CHECK(refused([](DeviceRequest& r) { r.buffer_frames = 16'385; }));
  CHECK(refused([](DeviceRequest& r) { r.in_channels = 1'025; }));
  CHECK(refused([](DeviceRequest& r) { r.out_channels = 1'025; }));
  DeviceRequest plain;
  const auto device = make_clock_device(plain);
  REQUIRE(device);
  CHECK((*device)->info().in_channels == 2);
  CHECK((*device)->info().sample_rate_hz == 48'000.0);
  CHECK((*device)->info().buffer_frames == 256);
}

TEST_CASE("the pacer does not drift: a million buffers later it is due to the nanosecond") {
  Pacer pacer(44'100.0, 441, 0);  // 10 ms
  constexpr int kBuffers = 1'000'000;
  for (int i = 1; i <= kBuffers; ++i) {
    REQUIRE(std::abs(pacer.deadline_ns() - std::int64_t{i} * 10'000'000) <= 2);
    const auto step = pacer.advance(pacer.deadline_ns());
    REQUIRE_FALSE(step.late);
    REQUIRE(step.skipped_frames == 0);
  }
}

TEST_CASE("the pacer catches a short stall up, and skips what is beyond its bound") {
  constexpr std::int64_t kBuffer = 1'000'000;  // 48 frames at 48 kHz: 1 ms
  for (std::int64_t stall = 0; stall <= 50; ++stall) {
    CAPTURE(stall);
    Pacer pacer(48'000.0, 48, 0);
    const std::int64_t woke = (1 + stall) * kBuffer + 10;
    auto step = pacer.advance(woke);
    CHECK(step.late == (stall >= 1));
    std::uint32_t burst = 0;  // buffers that are due at once
    while (pacer.deadline_ns() <= woke) {
      const auto next = pacer.advance(woke);
      CHECK(next.skipped_frames == 0);
      REQUIRE(++burst <= Pacer::kMaxCatchUp);
    }
    CHECK(burst == std::min<std::int64_t>(stall, Pacer::kMaxCatchUp));
    // What was played and what was skipped is all the time that went by, and the phase has stayed.
    CHECK(step.skipped_frames ==
          static_cast<std::uint64_t>(std::max<std::int64_t>(0, stall - Pacer::kMaxCatchUp)) * 48);
    CHECK(std::abs(pacer.deadline_ns() - (2 + stall) * kBuffer) <= 2);
  }
}
