#include <doctest/doctest.h>

#include <optional>
#include <thread>

#include "rt/nodes/gain.hpp"
#include "rt/nodes/meter_tap.hpp"
#include "rt/nodes/player.hpp"
#include "rt/nodes/recorder.hpp"
#include "tests/support/audio_thread.hpp"
#include "tests/support/streams.hpp"

// The whole core at once: one thread renders, one is the control side (plans, parameters, meters), one is the disk.
namespace {

using namespace continuo;
using test::AudioThread;
using test::Rig;
using Kind = rt::Action::Kind;

}  // namespace

TEST_CASE("play, record, swap plans, move parameters and read meters at once: every take is what was played") {
  test::FakeReader reader(2, 1 << 15);
  test::FakeWriter writer(2, 1 << 15, 256, 60000);
  reader.fill();
  Rig rig(0);
  auto& player = rig.adopt(std::make_unique<rt::PlayerNode>(1, false, 0), {0.0});
  auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(2, 2));
  auto& recorder = rig.adopt(std::make_unique<rt::RecorderNode>(3));
  rt::Node& gain = rig.node(rt::gain_kind(), {0.0});
  rt::Node& output = rig.node(rt::device_output_kind());
  const auto plan = [&](std::uint64_t id) {
    test::PlanBuilder b(48000.0, id);
    auto c = b.node(player, {}, 2);  // slot 0
    b.node(recorder, c, 0);          // slot 1
    c = b.node(gain, c, 2);          // slot 2
    b.node(meter, c, 0);
    b.node(output, c, 0);
    return b.build();
  };
  rig.send(plan(1), {Rig::give(0, &reader.source), Rig::record(1, &writer.sink), Rig::act(Kind::transport_start)});

  std::uint64_t applied = 0, plans_home = 0, id = 1, missed = 0;
  {
    AudioThread audio(rig.renderer);
    std::thread disk([&] {
      while (!writer.sink.finished.load(std::memory_order_acquire)) {
        reader.fill();
        writer.drain();
        std::this_thread::yield();
      }
      writer.drain();
    });
    rt::MeterReader left;
    std::optional<rt::MeterLook> look;
    rt::FrameCount last_frame = 0;
    while (!writer.sink.finished.load(std::memory_order_acquire)) {
      if (rig.sequence - applied < 64) {
        rig.set(2, 0, rig.sequence % 2 ? -3.0 : 0.0, rt::kNow, 100);
        if (rig.sequence % 5 == 0) look.reset();
        if (rig.sequence % 5 == 1) look.emplace(meter.slots);
        if (rig.sequence % 16 == 0) rig.send(plan(++id), {Rig::act(Kind::transport_start)});
      }
      for (const rt::Event& e : rig.events()) {
        REQUIRE(e.kind == rt::Event::Kind::applied);
        REQUIRE(e.sequence == ++applied);
        if (e.batch != nullptr && e.batch->plan != nullptr) REQUIRE(e.batch->plan->id == ++plans_home);
      }
      rt::MeterWindow w;
      if (left.fold((*meter.slots)[0], w, missed)) REQUIRE(w.peak <= 1.0f);
      rt::ClockReading clock;
      if (rig.counters().clock.try_read(clock)) {
        REQUIRE(clock.engine_frame >= last_frame);
        last_frame = clock.engine_frame;
      }
      std::this_thread::yield();
    }
    disk.join();
  }
  // Late or lost is silence of exact length and is counted; every other frame is the item's own.
  REQUIRE(writer.length() == 60000);
  std::uint64_t silent = 0;
  for (std::size_t i = 0; i < 60000; ++i) {
    const float expected = test::probe(static_cast<rt::FrameCount>(i), 1);
    if (writer.take[1][i] != expected) {
      REQUIRE(writer.take[1][i] == 0.0f);
      ++silent;
    }
  }
  CHECK(silent <= reader.source.starved_frames + writer.sink.lost_frames);
  CHECK(rig.counters().events_lost == 0);
  CHECK(rig.counters().commands_orphaned == 0);
}
