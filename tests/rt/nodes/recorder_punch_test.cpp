// A take that begins and ends by itself: at a frame of the timeline, and out of a sink that listened before.
#include <doctest/doctest.h>

#include "rt/nodes/recorder.hpp"
#include "tests/support/streams.hpp"

namespace {

using namespace continuo;
using test::FakeWriter;
using test::probe;
using test::Rig;
using Kind = rt::Action::Kind;

struct PunchRig : Rig {
  explicit PunchRig(std::uint32_t frames = 4000) : Rig(0), recorder(adopt(std::make_unique<rt::RecorderNode>(1))) {
    in.resize(2);
    for (std::uint32_t c = 0; c < 2; ++c)
      for (std::uint32_t i = 0; i < frames; ++i) in[c].push_back(probe(i, c));
    test::PlanBuilder b;
    b.node(recorder, b.node(node(rt::device_input_kind()), {}, 2), 0);
    send(b.build(), {});
  }
  rt::RecorderNode& recorder;
};

void check_take(const FakeWriter& disk, rt::FrameCount first, rt::FrameCount frames) {
  REQUIRE(disk.length() == frames);
  for (std::uint32_t c = 0; c < 2; ++c)
    for (rt::FrameCount i = 0; i < frames; ++i)
      REQUIRE(disk.take[c][static_cast<std::size_t>(i)] == probe(first + i, c));
}

}  // namespace

TEST_CASE("punch out: a take ends where the rolling timeline comes to its frame, to the sample, for any buffers") {
  for (const rt::FrameCount stop : {50'001, 50'063, 50'064, 50'065, 50'900})
    for (const auto& pattern : test::buffer_patterns()) {
      CAPTURE(stop);
      FakeWriter disk(2);
      disk.sink.stop_timeline_frame = stop;
      PunchRig rig;
      rig.send(Rig::locate(50'000), 100);
      rig.send(Rig::act(Kind::transport_start), 200);
      rig.send(nullptr, {Rig::record(1, &disk.sink)}, 137);
      rig.run(2000, pattern);
      disk.drain();
      REQUIRE(disk.sink.finished);
      CHECK(rig.recorder.audio_.sink == nullptr);
      check_take(disk, 137, 63 + stop - 50'000);
    }
}

TEST_CASE("punch out fires at the next pass: not while the timeline stands, not where it is jumped over") {
  FakeWriter disk(2);
  disk.sink.stop_timeline_frame = 1000;
  PunchRig rig;
  rig.send(Rig::locate(1000), 10);  // it stands on it
  rig.send(nullptr, {Rig::record(1, &disk.sink)}, 100);
  rig.run(300);
  CHECK_FALSE(disk.sink.finished);
  rig.send(Rig::locate(900), 400);
  rig.send(Rig::act(Kind::transport_start), 400);
  rig.send(Rig::locate(1100), 450);  // over it
  rig.send(Rig::locate(0), 500);
  rig.run(1000);
  CHECK_FALSE(disk.sink.finished);
  rig.run(600);
  disk.drain();
  REQUIRE(disk.sink.finished);
  check_take(disk, 100, 1400);
}

TEST_CASE("a take that begins at its stop frame goes on to the next pass, one that is located there ends at once") {
  FakeWriter disk(2);
  disk.sink.stop_timeline_frame = 0;
  PunchRig rig;
  rig.send(Rig::act(Kind::transport_start), 50);
  rig.send(nullptr, {Rig::record(1, &disk.sink)}, 50);
  rig.run(500);
  CHECK_FALSE(disk.sink.finished);
  rig.send(Rig::locate(0), 777);
  rig.run(500);
  disk.drain();
  REQUIRE(disk.sink.finished);
  check_take(disk, 50, 727);
}

TEST_CASE("of a length and a stop frame the first that comes ends the take") {
  for (const rt::FrameCount limit : {99, 100, 101}) {
    FakeWriter disk(2, 1 << 16, 8, limit);
    disk.sink.stop_timeline_frame = 100;
    PunchRig rig;
    rig.send(Rig::act(Kind::transport_start), 64);
    rig.send(nullptr, {Rig::record(1, &disk.sink)}, 64);
    rig.run(500);
    disk.drain();
    REQUIRE(disk.sink.finished);
    CHECK(disk.length() == std::min<rt::FrameCount>(limit, 100));
  }
}

TEST_CASE(
    "a sink that waits takes what comes, and its take begins at the frame of the record_start that names it again") {
  for (const auto& pattern : test::buffer_patterns()) {
    FakeWriter disk(2);
    disk.sink.waits = true;
    PunchRig rig;
    rig.send(nullptr, {Rig::record(1, &disk.sink)}, 100);
    rig.run(500, pattern);
    CHECK_FALSE(disk.sink.started);
    CHECK(disk.sink.frames_taken == 400);
    disk.sink.limit = 333;  // of the take
    rig.send(nullptr, {Rig::record(1, &disk.sink)}, 600);
    rig.run(1000, pattern);
    disk.drain();
    REQUIRE(disk.sink.finished);
    CHECK(disk.sink.started);
    CHECK(disk.sink.begun_at == 500);
    CHECK(disk.sink.start_engine_frame == 600);
    check_take(disk, 100, 833);
    CHECK(rig.events().back().batch->actions[0].sink == nullptr);
  }
}

TEST_CASE("what a sink that waits loses is no loss of a take, and a finished one is refused") {
  FakeWriter disk(2, 256, 8);  // 128 frames
  disk.sink.waits = true;
  PunchRig rig;
  rig.send(nullptr, {Rig::record(1, &disk.sink)});
  rig.run(500);
  CHECK(disk.sink.lost_frames == 0);
  CHECK(rig.counters().lost_record_frames == 0);
  rig.send(Rig::act(Kind::record_stop, 1));
  rig.run(64);
  CHECK(disk.sink.finished);
  CHECK_FALSE(disk.sink.started);
  rig.send(nullptr, {Rig::record(1, &disk.sink)});
  rig.run(64);
  CHECK(rig.events().back().batch->actions[0].sink == &disk.sink);
  CHECK(rig.recorder.audio_.sink == nullptr);
}

TEST_CASE("who stands behind a take has the very next frame, however the take ends, and for any buffers") {
  enum class End { limit, timeline, stop };
  for (const End end : {End::limit, End::timeline, End::stop})
    for (const auto& pattern : test::buffer_patterns()) {
      CAPTURE(static_cast<int>(end));
      FakeWriter disk(2, 1 << 16, 8, end == End::limit ? 333 : rt::kEndless);
      if (end == End::timeline) disk.sink.stop_timeline_frame = 333;
      FakeWriter behind(2);
      behind.sink.waits = true;
      disk.sink.next = &behind.sink;
      PunchRig rig;
      if (end == End::timeline) rig.send(Rig::act(Kind::transport_start), 100);
      rig.send(nullptr, {Rig::record(1, &disk.sink)}, 100);
      if (end == End::stop) rig.send(Rig::act(Kind::record_stop, 1), 433);
      rig.run(1000, pattern);
      disk.drain();
      REQUIRE(disk.sink.finished);
      CHECK(disk.sink.next == nullptr);
      check_take(disk, 100, 333);
      CHECK_FALSE(behind.sink.started);
      CHECK(behind.sink.frames_taken == 567);
      rig.send(nullptr, {Rig::record(1, &behind.sink)}, 1100);
      rig.run(500, pattern);
      rig.send(Rig::act(Kind::record_stop, 1));
      rig.run(1);
      behind.drain();
      CHECK(behind.sink.begun_at == 667);
      check_take(behind, 433, 1067);
    }
}

TEST_CASE("a stop that names its sink ends no other") {
  FakeWriter disk(2), other(2);
  PunchRig rig;
  rig.send(nullptr, {Rig::record(1, &disk.sink)});
  rig.run(64);
  rt::Action late = Rig::act(Kind::record_stop, 1);
  late.sink = &other.sink;
  rig.send(late);
  rig.run(64);
  CHECK_FALSE(disk.sink.finished);
  late.sink = &disk.sink;
  rig.send(late);
  rig.run(64);
  CHECK(disk.sink.finished);
}
