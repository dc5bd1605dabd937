#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <thread>

#include "rt/automation.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/generator.hpp"
#include "rt/nodes/meter_tap.hpp"
#include "rt/nodes/mix.hpp"
#include "rt/nodes/player.hpp"
#include "rt/nodes/recorder.hpp"
#include "tests/support/streams.hpp"

// Built with RealtimeSanitizer, any call in here that may wait ends the process with status 43; that the sanitizer is
// awake is what sins.cpp shows. In other builds this is one more scenario.
namespace {

using namespace continuo;
using test::Rig;
using Kind = rt::Action::Kind;

/// Stands where the device's callback stands.
void callback(rt::Renderer& renderer, rt::InputBlock in, rt::OutputBlock out, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  renderer.process(in, out, frames);
}

}  // namespace

TEST_CASE("the audio thread plays, records, takes plans and parameters, starves, loses and meters, and never waits") {
  test::FakeReader item(3, 1 << 12), seek(3, 1 << 12, 100000);
  test::FakeWriter take(4, 1 << 12, 2);
  item.fill();
  seek.fill();
  Rig rig(0);
  rig.in.assign(2, std::vector<float>(512, 0.25f));
  auto& player = rig.adopt(std::make_unique<rt::PlayerNode>(1, false, -5), {0.0});
  auto& free_player = rig.adopt(std::make_unique<rt::PlayerNode>(2, true, 0), {-3.0});
  auto& recorder = rig.adopt(std::make_unique<rt::RecorderNode>(3));
  auto& meter = rig.adopt(std::make_unique<rt::MeterTapNode>(4, 2));
  auto& oscillator = rig.adopt(std::unique_ptr<rt::Node>(rt::make_oscillator(5)), {440.0, -6.0, 1.0});
  rt::Node& noise = rig.node(rt::noise_kind(), {-20.0}, 6);
  rt::Node& gain = rig.node(rt::gain_kind(), {0.0});
  rt::Node& edge = rig.node(rt::edge_kind(), {1.0});
  rt::Node& fader = rig.node(rt::fader_kind(), {0.0, 0.0, 1.0, 0.0});
  rt::Node& pan = rig.node(rt::pan_kind(), {0.5});
  rt::Node& mix = rig.node(rt::mix_kind());
  rt::Node& input = rig.node(rt::device_input_kind());
  rt::Node& output = rig.node(rt::device_output_kind());
  const auto lane = [](double from, double to) {
    rt::AutomationLane made;
    for (rt::FrameCount at = 0; at < 30000; at += 333)
      made.points.push_back({at, at % 2 == 0 ? from : to, at % 5 == 0 ? rt::Segment::hold : rt::Segment::exponential});
    return std::make_shared<const rt::AutomationLane>(std::move(made));
  };
  const auto rising = lane(1.0, 6.0), falling = lane(3.0, -20.0);
  const auto plan = [&](std::uint64_t id) {
    test::PlanBuilder b(48000.0, id);
    auto played = b.node(player, {}, 3);      // slot 0
    auto free = b.node(free_player, {}, 3);   // 1
    auto tone = b.node(oscillator, {}, 1);    // 2
    auto hiss = b.node(noise, {}, 20);        // 3: a wide node
    auto device = b.node(input, {}, 2);       // 4
    b.in_place(gain, played);                 // 5
    b.in_place(edge, free);                   // 6
    auto both = b.node(fader, {tone[0]}, 2);  // 7
    auto moved = b.node(pan, both, 2);        // 8
    std::vector<std::size_t> all = hiss;
    for (const auto& c : {played, free, moved, device}) all.insert(all.end(), c.begin(), c.end());
    auto sum = b.node(mix, all, 1);           // 9
    b.node(recorder, {sum[0], moved[0]}, 0);  // 10
    b.node(meter, {sum[0], moved[1]}, 0);     // 11
    b.node(output, {sum[0], moved[1]}, 0);    // 12
    auto built = b.build();
    if (id % 3 != 0) {  // lanes come, change and go
      const auto& points = id % 3 == 1 ? rising : falling;
      for (const std::uint32_t automated : {0u, 2u, 7u})
        built->lanes.push_back({&built->nodes[automated], 0, automated == 2 ? 0u : 960u, 0, points, nullptr});
      std::sort(built->lanes.begin(), built->lanes.end(),
                [](const rt::PlanLane& x, const rt::PlanLane& y) { return x.entry->node < y.entry->node; });
    }
    return built;
  };

  std::atomic<bool> stop{false};
  std::thread audio([&] {
    std::array<std::array<float, 512>, 2> buffers{};
    float* out[2] = {buffers[0].data(), buffers[1].data()};
    const float* in[2] = {rig.in[0].data(), rig.in[1].data()};
    for (std::uint32_t n = 1; !stop.load(std::memory_order_acquire); n = n * 5 % 509 + 1)
      callback(rig.renderer, {in, 2}, {out, 2}, n);
  });

  rig.send(plan(1), {Rig::give(0, &item.source), Rig::record(10, &take.sink), Rig::act(Kind::transport_start)});
  const std::array<Kind, 4> transport{Kind::player_start, Kind::player_stop, Kind::transport_stop,
                                      Kind::transport_start};
  bool seeking = false;
  rt::ClockReading clock;
  std::uint64_t answered = 0, id = 1, refused = 0, missed = 0;
  rt::MeterReader reader;
  std::optional<rt::MeterLook> look;
  std::optional<rt::MeterListen> listen;
  for (int round = 0; round < 3000;) {
    if (rig.sequence - answered > 1000)
      std::this_thread::yield();
    else {
      ++round;
      (void)rig.counters().clock.try_read(clock);
      const auto slot = static_cast<std::uint32_t>(round) % 13;
      rig.set(slot, static_cast<std::uint16_t>(round % 3), 0.1 * (round % 9), clock.engine_frame + round % 700,
              static_cast<std::uint32_t>(round % 500));
      if (round % 10 == 0) rig.send(plan(++id), {Rig::locate(round * 10)});
      if (round % 25 == 0)
        rig.send(nullptr, {Rig::give(0, (seeking = !seeking) ? &seek.source : &item.source), Rig::locate(100000)});
      if (round % 7 == 0) rig.send(Rig::act(transport[static_cast<std::size_t>(round) % 4], 1));
      if (round % 50 == 0) rig.send(Rig::value_of(Kind::output_level, 0.5, 300));
      if (round == 2000) rig.send(Rig::act(Kind::record_stop, 10));
      if (round % 40 == 0) look.reset();
      if (round % 40 == 5) look.emplace(meter.slots);
      if (round % 60 == 0) listen.reset();
      if (round % 60 == 10) listen.emplace(meter.slots, 1024);
      if (round % 300 == 0) take.drain();  // seldom: the take loses frames, and the gap ring fills
    }
    for (const rt::Event& e : rig.events()) {
      ++answered;
      refused += e.kind == rt::Event::Kind::refused;
    }
    rt::MeterWindow w;
    (void)reader.fold((*meter.slots)[0], w, missed);
  }
  while (!take.sink.finished.load()) std::this_thread::yield();
  // Nobody fills the sources any more: the way for late ones runs, too.
  rig.send(nullptr, {Rig::give(0, &item.source), Rig::locate(0), Rig::act(Kind::transport_start)});
  while (rig.counters().starved_frames.load() == 0) std::this_thread::yield();
  while (answered < rig.sequence) {  // scheduled ones too: every command has its one answer
    answered += rig.events().size();
    std::this_thread::yield();
  }
  stop.store(true, std::memory_order_release);
  audio.join();

  CHECK(refused == 0);
  CHECK(rig.counters().automation_refused == 0);
  CHECK(rig.counters().events_lost == 0);
  CHECK(take.sink.frames_taken > 0);
  CHECK(rig.counters().commands_orphaned > 0);  // some nodes have no such parameter
}
