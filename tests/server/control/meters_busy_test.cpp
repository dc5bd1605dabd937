// Meters while the audio thread is busy for most of its time: whoever looks is told of every window, in order, once.
#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/control/listening.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;
using namespace std::chrono_literals;

namespace {

constexpr int kTracks = 64;
constexpr std::uint32_t kBuffer = 256;
constexpr rt::FrameCount kNone = -1;

/// A thread that calls the callback without a pause. Three quarters of its time it is in there, however fast the
/// machine is: of four equal pieces of work three are done within and one without. It waits, as a device never would,
/// rather than come so far ahead of those who look that windows are overwritten: how fast they are is not what is
/// asked.
class BusyDevice {
 public:
  explicit BusyDevice(Listening& rig) : rig_(rig) {
    rig.hardware->set_input([this](std::uint32_t channel, rt::FrameCount frame) {
      if (channel == 0 && frame % kBuffer == 0) work(3);
      if (channel != 0 || frame % kBuffer != 37 || !wanted.exchange(false)) return 0.001f;
      clicked.store(frame);
      return 1.0f;
    });
    thread_ = std::thread([this] {
      while (!over_.load(std::memory_order_acquire)) {
        const auto now = static_cast<rt::FrameCount>(rig_.hardware->frames());
        if (now - seen.load(std::memory_order_acquire) > 5'000) {
          std::this_thread::yield();
          continue;
        }
        rig_.hardware->step(kBuffer);
        work(1);
      }
    });
  }
  ~BusyDevice() {
    over_.store(true, std::memory_order_release);
    thread_.join();
  }
  std::atomic<bool> wanted{false};             // a single sample of full scale at the first input
  std::atomic<rt::FrameCount> clicked{kNone};  // where it was
  std::atomic<rt::FrameCount> seen{0};         // levels up to here have arrived, of both kinds

 private:
  void work(int pieces) {
    for (int i = 0; i < pieces * 20'000; ++i) sink_ = sink_ * 1.0000001f + 1e-9f;
  }
  Listening& rig_;
  volatile float sink_ = 0.0f;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

/// What arrives, in the order in which it does.
struct Arrived {
  rt::FrameCount begin = 0, measured = 0, analysed = 0;
  int frames = 0, gaps = 0, backwards = 0, wrong = 0;
  double clips = 0.0;
  std::vector<bool> loud = std::vector<bool>(kTracks);

  void take_clips(const v1::MeterFrame& frame) {
    const v1::MeterFrame::Values& values = frame.values(0);
    if (values.not_measured_size() > 0) return;  // nothing new
    backwards += values.engine_frame() < analysed;
    analysed = values.engine_frame();
    clips += values.values(0) + values.values(1);
  }
  void take_levels(const v1::MeterFrame& frame) {
    if (frames++ > 0) gaps += frame.engine_frame() - frame.covers_frames() != measured;
    backwards += frame.engine_frame() < measured;
    begin = frame.engine_frame() - frame.covers_frames();
    measured = frame.engine_frame();
    for (int t = 0; t < kTracks; ++t) {
      const float db = frame.peak_db(2 + 2 * t);
      wrong += !(db >= -150.0f && db < -2.9f);
      if (db > -3.1f) loud[static_cast<std::size_t>(t)] = true;  // full scale, in the middle of two
    }
  }
};

}  // namespace

TEST_CASE("levels arrive with every window, in order and once, while the callback takes three quarters of the time") {
  Listening rig(0.0, {});  // the analysis has its own thread
  std::string json;
  for (int t = 0; t < kTracks; ++t) {
    const std::string id = "t" + std::to_string(t);
    json += (t == 0 ? "" : ",") + ("{'addNode':{'node':{'id':'" + id) +
            "','type':'track','params':{'channels':1}}}},{'connect':{'from':'in:1','to':'" + id + "'}}";
  }
  rig.stepping = true;
  rig.applied("{'operations':[" + json + "]}");
  rig.hardware->run(9600);
  rig.stepping = false;
  v1::WatchMetersRequest request;
  request.set_rate_hz(100);
  request.set_inputs(true);
  const auto levels = rig.meters(request);
  // Of one meter, so that what has arrived tells how much room there is: the analysis takes one meter after the other.
  const auto clips = rig.meters(of_in({v1::METER_KIND_CLIPS}));
  BusyDevice device(rig);
  device.seen.store(static_cast<rt::FrameCount>(rig.hardware->frames()));
  Arrived arrived;
  const auto read = [&] {
    while (const auto frame = levels->next({})) {
      if (arrived.frames == 0) REQUIRE(frame->peak_db_size() == 2 + 2 * kTracks + 2);
      arrived.take_levels(*frame);
    }
    while (const auto frame = clips->next({})) arrived.take_clips(*frame);
    device.seen.store(std::max(device.seen.load(), std::min(arrived.measured, arrived.analysed)));
  };
  // Whoever comes is measured for from the end of the window on.
  const auto begin = static_cast<rt::FrameCount>(rig.hardware->frames()) + 2048;
  REQUIRE(rig.until([&] {
    read();
    return std::min(arrived.measured, arrived.analysed) > begin;
  }));
  constexpr int kClicks = 24;
  int missed = 0;
  for (int i = 0; i < kClicks; ++i) {
    std::fill(arrived.loud.begin(), arrived.loud.end(), false);
    device.clicked.store(kNone);
    device.wanted.store(true);
    REQUIRE(rig.until([&] {
      read();
      // Windows end in turns; and a frame is made while the sound goes on: this one's begin was the one before's end.
      const rt::FrameCount click = device.clicked.load();
      return click != kNone && arrived.begin > click + 1024;
    }));
    for (const bool loud : arrived.loud) missed += !loud;
  }
  REQUIRE(rig.until([&] {
    read();
    return arrived.clips >= kClicks;
  }));
  const int frames = arrived.frames;
  REQUIRE(rig.until([&] {
    read();
    return arrived.frames > frames + 10;
  }));
  CHECK(arrived.clips == kClicks);
  CHECK(arrived.gaps == 0);
  CHECK(arrived.backwards == 0);
  CHECK(arrived.wrong == 0);
  CHECK(missed == 0);
}
