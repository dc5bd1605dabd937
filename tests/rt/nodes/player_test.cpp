#include "rt/nodes/player.hpp"

#include <doctest/doctest.h>

#include "rt/dsp/math.hpp"
#include "tests/support/streams.hpp"

namespace {

using namespace continuo;
using test::FakeReader;
using test::probe;
using test::Rig;
using Kind = rt::Action::Kind;

/// One player straight to the device; its slot is 0.
struct PlayerRig : Rig {
  explicit PlayerRig(std::uint32_t channels, bool free = false, rt::FrameCount start = 0)
      : Rig(channels), player(adopt(std::make_unique<rt::PlayerNode>(1, free, start), {0.0})) {
    test::PlanBuilder b;
    b.node(node(rt::device_output_kind()), b.node(player, {}, channels), 0);
    send(b.build(), {});
  }
  rt::PlayerNode& player;
};

float item(const test::Channels& out, std::size_t frame, std::uint32_t c = 0) { return out[c][frame]; }

}  // namespace

TEST_CASE("a timeline player sounds each item frame at its place, for any buffers, any channels, any start") {
  for (const std::uint32_t channels : {1u, 2u, 3u, 8u})
    for (const rt::FrameCount start : {-100, 0, 37, 64, 700})
      for (const auto& pattern : test::buffer_patterns()) {
        FakeReader disk(channels, 1024, std::max<rt::FrameCount>(0, -50 - start), 900);
        PlayerRig rig(channels, false, start);
        disk.fill();
        rig.before_buffer = [&] { disk.fill(); };
        rig.send(nullptr, {Rig::give(0, &disk.source), Rig::locate(-50), Rig::act(Kind::transport_start)});
        rig.run(2000, channels * 1000 > 1024 ? std::vector<std::uint32_t>{64} : pattern);
        for (std::size_t i = 0; i < 2000; ++i) {
          const rt::FrameCount at = static_cast<rt::FrameCount>(i) - 50 - start;
          for (std::uint32_t c = 0; c < channels; ++c) {
            const float expected = at >= std::max<rt::FrameCount>(0, -50 - start) && at < 900 ? probe(at, c) : 0.0f;
            if (item(rig.out, i, c) != expected) {
              CAPTURE(channels);
              CAPTURE(start);
              CAPTURE(i);
              REQUIRE(item(rig.out, i, c) == expected);
            }
          }
        }
        CHECK(disk.source.starved_frames == 0);
        CHECK(rig.counters().starved_frames == 0);
      }
}

TEST_CASE("a timeline player stands while the timeline stands, and goes on where it was") {
  FakeReader disk(1, 4096);
  disk.fill();
  PlayerRig rig(1);
  rig.send(nullptr, {Rig::give(0, &disk.source)});
  rig.send(Rig::act(Kind::transport_start), 100);
  rig.send(Rig::act(Kind::transport_stop), 333);
  rig.send(Rig::act(Kind::transport_start), 1000);
  rig.run(2000, {512});
  for (std::size_t i = 0; i < 2000; ++i) {
    const bool first = i >= 100 && i < 333, second = i >= 1000;
    const rt::FrameCount at = static_cast<rt::FrameCount>(first ? i - 100 : i - 1000 + 233);
    REQUIRE(rig.out[0][i] == (first || second ? probe(at) : 0.0f));
  }
}

TEST_CASE("a late source is silence for exactly the missing frames, counted, and then is back in its place") {
  for (const auto& pattern : test::buffer_patterns()) {
    FakeReader disk(2, 8192, 0, 1500);
    PlayerRig rig(2);
    disk.fill(300);
    rig.send(nullptr, {Rig::give(0, &disk.source), Rig::act(Kind::transport_start)});
    rig.run(500, pattern);  // 200 frames in vain
    CHECK(disk.source.starved_frames == 200);
    disk.fill(150);  // all of them too late
    rig.run(10, pattern);
    CHECK(disk.source.starved_frames == 210);
    disk.fill();
    rig.run(1490, pattern);
    for (std::size_t i = 0; i < 2000; ++i)
      for (std::uint32_t c = 0; c < 2; ++c)
        REQUIRE(rig.out[c][i] == (i < 300 || (i >= 510 && i < 1500) ? probe(static_cast<rt::FrameCount>(i), c) : 0.0f));
    CHECK(disk.source.starved_frames == 210);  // the end of the item is no starvation
    CHECK(rig.counters().starved_frames == 210);
    CHECK(disk.source.audio_.position == 1500);
  }
}

TEST_CASE("a source that is ahead is silent, not starved, until the timeline reaches it") {
  FakeReader disk(1, 4096, 400);
  disk.fill();
  PlayerRig rig(1);
  rig.send(nullptr, {Rig::give(0, &disk.source), Rig::act(Kind::transport_start)});
  rig.run(1000, {100});
  for (std::size_t i = 0; i < 1000; ++i)
    REQUIRE(rig.out[0][i] == (i >= 400 ? probe(static_cast<rt::FrameCount>(i)) : 0.0f));
  CHECK(disk.source.starved_frames == 0);
}

TEST_CASE("a seek: the new source is taken at its exact frame, the old one comes home in the same batch") {
  for (const auto& pattern : test::buffer_patterns()) {
    FakeReader before(1, 4096), after(1, 4096, 10000);
    before.fill();
    after.fill();
    PlayerRig rig(1);
    rig.send(nullptr, {Rig::give(0, &before.source), Rig::act(Kind::transport_start)});
    rig.send(nullptr, {Rig::give(0, &after.source), Rig::locate(10000)}, 777);
    rig.run(1500, pattern);
    for (std::size_t i = 0; i < 1500; ++i)
      REQUIRE(rig.out[0][i] ==
              probe(i < 777 ? static_cast<rt::FrameCount>(i) : static_cast<rt::FrameCount>(i) - 777 + 10000));
    const auto events = rig.events();
    CHECK(events[1].batch->actions[0].source == nullptr);
    CHECK(events[2].batch->actions[0].source == &before.source);
  }
}

TEST_CASE("a free player rolls by itself, from where its source stands, whatever the timeline does") {
  for (const auto& pattern : test::buffer_patterns()) {
    FakeReader disk(2, 8192, 50, 1050);
    disk.fill();
    PlayerRig rig(2, true);
    rig.send(nullptr, {Rig::give(0, &disk.source)});
    rig.send(Rig::act(Kind::player_start), 100);
    rig.send(Rig::locate(5000), 150);
    rig.send(Rig::act(Kind::player_stop), 300);
    rig.send(Rig::act(Kind::transport_start), 310);
    rig.send(Rig::act(Kind::player_start), 500);
    rig.run(2000, pattern);
    for (std::size_t i = 0; i < 2000; ++i) {
      rt::FrameCount at = -1;
      if (i >= 100 && i < 300) at = static_cast<rt::FrameCount>(i) - 100 + 50;
      if (i >= 500) at = static_cast<rt::FrameCount>(i) - 500 + 250;
      for (std::uint32_t c = 0; c < 2; ++c) REQUIRE(rig.out[c][i] == (at >= 50 && at < 1050 ? probe(at, c) : 0.0f));
    }
    CHECK(disk.source.starved_frames == 0);
  }
}

TEST_CASE("gapless: one item's last frame and the next item's first stand side by side") {
  FakeReader first(1, 4096, 0, 1000), second(1, 4096, 0, 500);
  first.fill();
  second.fill();
  PlayerRig rig(1, true);
  rig.send(nullptr, {Rig::give(0, &first.source), Rig::act(Kind::player_start)});
  rig.send(nullptr, {Rig::give(0, &second.source)}, 1000);
  rig.run(1600, {256});
  for (std::size_t i = 0; i < 1600; ++i)
    REQUIRE(rig.out[0][i] == (i < 1500 ? probe(static_cast<rt::FrameCount>(i % 1000)) : 0.0f));
}

TEST_CASE("a late free player drops late frames, too: players that started together never drift apart") {
  FakeReader disk(1, 4096);
  disk.fill(100);
  PlayerRig rig(1, true);
  rig.send(nullptr, {Rig::give(0, &disk.source), Rig::act(Kind::player_start)});
  rig.run(200);
  disk.fill();
  rig.run(200);
  for (std::size_t i = 0; i < 400; ++i)
    REQUIRE(rig.out[0][i] == (i < 100 || i >= 200 ? probe(static_cast<rt::FrameCount>(i)) : 0.0f));
  CHECK(disk.source.starved_frames == 100);
}

TEST_CASE("a player's gain ramps, and more outputs than the item has are silent, fewer take its first channels") {
  for (const std::uint32_t outs : {1u, 3u}) {
    FakeReader disk(2, 8192);
    disk.fill();
    PlayerRig rig(outs);
    rig.send(nullptr, {Rig::give(0, &disk.source), Rig::act(Kind::transport_start)});
    rig.set(0, rt::PlayerParam::gain_db, -20.0, 100, 50);
    rig.run(1000, {200});
    for (std::size_t i = 0; i < 1000; ++i) {
      const double db = i < 100 ? 0.0 : i >= 150 ? -20.0 : -20.0 * (static_cast<double>(i - 100) / 50.0);
      for (std::uint32_t c = 0; c < outs; ++c)
        REQUIRE(rig.out[c][i] == (c < 2 ? probe(static_cast<rt::FrameCount>(i), c) * rt::dsp::db_to_gain(db) : 0.0f));
    }
  }
}

TEST_CASE("start and stop of a player that follows the timeline mean nothing and are counted") {
  PlayerRig rig(1);
  rig.send(Rig::act(Kind::player_start));
  rig.send(Rig::act(Kind::player_stop));
  rig.run(64);
  CHECK(rig.counters().commands_orphaned == 2);
  CHECK(rig.out[0] == std::vector<float>(64, 0.0f));
}
