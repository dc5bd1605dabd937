#include "rt/nodes/recorder.hpp"

#include <doctest/doctest.h>

#include "tests/support/streams.hpp"

namespace {

using namespace continuo;
using test::FakeWriter;
using test::probe;
using test::Rig;
using Kind = rt::Action::Kind;

/// Device inputs straight to a recorder, whose slot is 1.
struct RecorderRig : Rig {
  explicit RecorderRig(std::uint32_t channels, std::uint32_t frames = 4000)
      : Rig(0), recorder(adopt(std::make_unique<rt::RecorderNode>(1))) {
    in.resize(channels);
    for (std::uint32_t c = 0; c < channels; ++c)
      for (std::uint32_t i = 0; i < frames; ++i) in[c].push_back(probe(i, c));
    test::PlanBuilder b;
    b.node(recorder, b.node(node(rt::device_input_kind()), {}, channels), 0);
    send(b.build(), {});
  }
  rt::RecorderNode& recorder;
};

}  // namespace

TEST_CASE("a take begins and ends at exact frames and holds every sample, for any buffers and channels") {
  for (const std::uint32_t channels : {1u, 2u, 3u, 32u, 128u})
    for (const auto& pattern : test::buffer_patterns()) {
      FakeWriter disk(channels);
      RecorderRig rig(channels, 1500);
      rig.send(Rig::locate(90000), 50);
      rig.send(nullptr, {Rig::record(1, &disk.sink)}, 123);
      rig.send(Rig::act(Kind::record_stop, 1), 1223);
      rig.run(1500, pattern);
      disk.drain();
      REQUIRE(disk.sink.finished);
      CHECK(disk.sink.started);
      CHECK(disk.sink.start_engine_frame == 123);
      CHECK(disk.sink.start_timeline_frame == 90000);
      CHECK(disk.sink.frames_taken == 1100);
      CHECK(disk.sink.lost_frames == 0);
      REQUIRE(disk.length() == 1100);
      for (std::uint32_t c = 0; c < channels; ++c)
        for (std::size_t i = 0; i < 1100; ++i)
          REQUIRE(disk.take[c][i] == probe(static_cast<rt::FrameCount>(i) + 123, c));
      CHECK(rig.events()[2].batch->actions[0].sink == nullptr);
    }
}

TEST_CASE("a limit ends the take by itself, exact to the frame, and what comes after does not touch the sink") {
  for (const rt::FrameCount limit : {0, 1, 63, 64, 65, 1000}) {
    FakeWriter disk(2, 1 << 14, 8, limit);
    RecorderRig rig(2);
    rig.send(nullptr, {Rig::record(1, &disk.sink)}, 10);
    rig.run(2000, {256});
    CHECK(disk.sink.finished);
    CHECK(rig.recorder.audio_.sink == nullptr);
    disk.drain();
    CHECK(disk.length() == limit);
    rig.send(Rig::act(Kind::record_stop, 1));  // late: the take has ended by itself
    rig.run(64);
    CHECK(rig.counters().commands_orphaned == 0);
    CHECK(disk.sink.frames_taken == limit);
  }
}

TEST_CASE("frames that find the ring full are a gap of exact length at the exact place, told before what follows") {
  FakeWriter disk(2, 512, 8);  // 256 frames
  RecorderRig rig(2);
  rig.send(nullptr, {Rig::record(1, &disk.sink)});
  rig.run(400);  // 256 kept, 144 lost
  CHECK(disk.sink.lost_frames == 144);
  CHECK(disk.gaps.available() == 0);  // not told before a frame follows it
  disk.drain(100);
  rig.run(64);  // room again
  CHECK(disk.gaps.available() == 1);
  disk.drain();
  rig.run(200);
  disk.drain();
  rig.send(Rig::act(Kind::record_stop, 1));
  rig.run(64);
  disk.drain();
  REQUIRE(disk.length() == 664);
  for (std::size_t i = 0; i < 664; ++i) {
    const bool lost = i >= 256 && i < 400;
    for (std::uint32_t c = 0; c < 2; ++c)
      REQUIRE(disk.take[c][i] == (lost ? 0.0f : probe(static_cast<rt::FrameCount>(i), c)));
  }
  REQUIRE(disk.seen.size() == 1);
  CHECK(disk.seen[0].at == 256);
  CHECK(disk.seen[0].length == 144);
  CHECK(rig.counters().lost_record_frames == 144);
}

TEST_CASE("room for a part of a slice: the part is kept, the rest is the gap") {
  FakeWriter disk(1, 32, 8);
  RecorderRig rig(1);
  rig.send(nullptr, {Rig::record(1, &disk.sink)});
  rig.run(64);
  CHECK(disk.frames.available() == 32);
  CHECK(disk.sink.lost_frames == 32);
  disk.drain();
  rig.run(64);
  rig.send(Rig::act(Kind::record_stop, 1));
  rig.run(64);
  disk.drain();
  REQUIRE(disk.length() == 128);
  for (std::size_t i = 0; i < 128; ++i)
    REQUIRE(disk.take[0][i] == (i % 64 < 32 ? probe(static_cast<rt::FrameCount>(i)) : 0.0f));
}

TEST_CASE("a gap that finds the gap ring full goes on until there is room, and the take keeps its length") {
  FakeWriter disk(1, 64, 1);
  RecorderRig rig(1);
  rig.send(nullptr, {Rig::record(1, &disk.sink)});
  rig.run(128);  // 64 kept, 64 lost: a gap is open
  disk.drain();
  rig.run(64);  // told (the gap ring is full), 64 kept
  rig.run(64);  // lost: the second gap is open
  CHECK(disk.gaps.available() == 1);
  std::vector<float> kept(64);
  REQUIRE(disk.frames.read(kept) == 64);  // room for frames, none for the gap
  rig.run(64);
  CHECK(disk.frames.available() == 0);
  CHECK(disk.sink.lost_frames == 64 + 64 + 64);
  disk.seen.clear();
  rt::Gap gap;
  REQUIRE(disk.gaps.try_pop(gap));
  CHECK(gap.at == 64);
  CHECK(gap.length == 64);
  rig.run(64);
  REQUIRE(disk.gaps.try_pop(gap));
  CHECK(gap.at == 192);
  CHECK(gap.length == 128);
  CHECK(disk.frames.available() == 64);
  CHECK(disk.sink.frames_taken == 384);
}

TEST_CASE("a take that ends in a gap has its whole length") {
  for (const std::size_t gaps : {1u, 8u}) {
    FakeWriter disk(1, 64, gaps);
    RecorderRig rig(1);
    rig.send(nullptr, {Rig::record(1, &disk.sink)});
    rig.run(100);
    rig.send(Rig::act(Kind::record_stop, 1));
    rig.run(1);
    disk.drain();
    CHECK(disk.length() == 100);
    CHECK(disk.take[0][63] == probe(63));
    CHECK(disk.take[0][64] == 0.0f);
  }
}

TEST_CASE("a second take, a null, or a node that records nothing: refused, counted, and the sink comes back") {
  FakeWriter one(1), two(1);
  RecorderRig rig(1);
  rig.send(nullptr, {Rig::record(1, &one.sink)});
  rig.send(nullptr, {Rig::record(1, &two.sink)});
  rig.send(nullptr, {Rig::record(0, &two.sink)});
  rig.send(nullptr, {Rig::record(9, &two.sink)});
  rig.send(nullptr, {Rig::record(1, nullptr)});
  rig.run(64);
  const auto events = rig.events();
  REQUIRE(events.size() == 6);
  CHECK(events[1].batch->actions[0].sink == nullptr);
  for (std::size_t i = 2; i < 5; ++i) CHECK(events[i].batch->actions[0].sink == &two.sink);
  CHECK(rig.counters().commands_orphaned == 4);
  CHECK_FALSE(two.sink.started);
  CHECK(one.sink.frames_taken == 64);
}

TEST_CASE("stopped and started in one batch: two takes without a frame between or twice") {
  FakeWriter one(1), two(1);
  RecorderRig rig(1);
  rig.send(nullptr, {Rig::record(1, &one.sink)}, 20);
  rig.send(nullptr, {Rig::act(Kind::record_stop, 1), Rig::record(1, &two.sink)}, 333);
  rig.send(Rig::act(Kind::record_stop, 1), 700);
  rig.run(1000, {512});
  one.drain();
  two.drain();
  REQUIRE(one.length() == 313);
  REQUIRE(two.length() == 367);
  CHECK(one.take[0].back() == probe(332));
  CHECK(two.take[0].front() == probe(333));
  CHECK(two.sink.start_engine_frame == 333);
}

TEST_CASE("a sink with more channels than the node gets silence there, one with fewer the first") {
  FakeWriter wide(3), narrow(1);
  RecorderRig rig(2);
  rig.send(nullptr, {Rig::record(1, &wide.sink)}, 0);
  rig.send(nullptr, {Rig::act(Kind::record_stop, 1), Rig::record(1, &narrow.sink)}, 100);
  rig.send(Rig::act(Kind::record_stop, 1), 200);
  rig.run(300);
  wide.drain();
  narrow.drain();
  for (std::size_t i = 0; i < 100; ++i) {
    REQUIRE(wide.take[1][i] == probe(static_cast<rt::FrameCount>(i), 1));
    REQUIRE(wide.take[2][i] == 0.0f);
    REQUIRE(narrow.take[0][i] == probe(static_cast<rt::FrameCount>(i) + 100, 0));
  }
}
