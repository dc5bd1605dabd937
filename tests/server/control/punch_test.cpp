// Arm, punch in and out: which recorders a record start takes, and takes that begin and end on exactly their frame.
#include <string>

#include "tests/server/control/input_signal.hpp"
#include "tests/server/control/scheduled_rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

const char* const kTwoRecorders =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'rec','type':'recorder'}]}}},"
    "{'addNode':{'node':{'id':'b','type':'track','children':[{'id':'rec','type':'recorder','params':{'arm':false}}]}}},"
    "{'connect':{'from':'in','to':'a'}},{'connect':{'from':'in','to':'b'}}]}";

struct PunchRig : ScheduledRig {
  explicit PunchRig(RigOptions options = {}) : ScheduledRig(std::move(options)) { hardware->set_input(input_sample); }
  v1::GetStatusResponse::Take closed(const std::string& node) {
    v1::GetStatusResponse::Take found;
    REQUIRE(until([&] {
      const auto now_is = status();
      for (const auto& take : now_is.takes()) {
        if (take.node() != node || take.recording()) continue;
        found = take;
        return true;
      }
      return false;
    }));
    return found;
  }
  void check_input(const v1::GetStatusResponse::Take& take, std::int64_t first, std::int64_t frames) {
    continuo::control::test::check_input(*this, take, first, frames);
  }
};

}  // namespace

TEST_CASE("a record start without names takes the armed recorders, and says so where none is") {
  PunchRig rig;
  rig.applied(kTwoRecorders);
  auto started = rig.applied("{'operations':[{'recordStart':{}}]}");
  REQUIRE(started.takes_size() == 1);
  CHECK(started.takes(0).find("takes:a_rec-") == 0);
  // One that is not armed can be named.
  rig.applied("{'operations':[{'recordStart':{'nodes':['b/rec']}}]}");
  rig.applied("{'operations':[{'recordStop':{}}]}");
  rig.applied("{'operations':[{'setParams':{'path':'a/rec','values':{'arm':false}}}]}");
  const auto none = rig.apply("{'operations':[{'recordStart':{}}]}");
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::failed_precondition);
  CHECK(none.error().reason == "NOTHING_ARMED");
  // Armed in the same transaction: both.
  started = rig.applied(
      "{'operations':[{'setParams':{'path':'a/rec','values':{'arm':true}}},"
      "{'setParams':{'path':'b/rec','values':{'arm':true}}},{'recordStart':{}}]}");
  CHECK(started.takes_size() == 2);
  const auto one_file = rig.apply("{'operations':[{'recordStop':{}},{'recordStart':{'file':'takes:x.wav'}}]}");
  REQUIRE_FALSE(one_file);
  CHECK(one_file.error().field == "operations[1].record_start.file");
  // A session without a recorder records what is heard.
  Rig plain;
  CHECK(plain.applied("{'operations':[{'recordStart':{}}]}").takes(0).find("takes:out-") == 0);
}

TEST_CASE("punch in and out at engine frames, through cut buffers, to the sample") {
  for (const std::uint32_t buffer : {1u, 17u, 64u, 333u, 512u}) {
    CAPTURE(buffer);
    PunchRig rig;
    rig.buffer = buffer;
    rig.hardware->run(5000);
    const std::int64_t in = rig.now() + 30'011;
    const auto at = [](std::int64_t frame) { return "{'engineFrame':{'frame':'" + std::to_string(frame) + "'}}"; };
    const auto start = rig.schedule("{'recordStart':{'nodes':['in']}}", at(in));
    const auto stop = rig.schedule("{'recordStop':{'nodes':['in']}}", at(in + 7777));
    rig.hardware->run(30'011 - 10'000, buffer);
    rig.wait_committed(start);
    rig.hardware->run(10'000 + 7777 - 2000, buffer);
    rig.wait_committed(stop);
    rig.check_input(rig.closed("in"), in, 7777);
  }
}

TEST_CASE("punch in at a timeline frame, and out at the one that was given with the start") {
  for (const std::uint32_t buffer : {1u, 64u, 999u}) {
    for (const int rate : {0, 44'100}) {  // the session's; the engine runs at 48 kHz
      CAPTURE(buffer);
      CAPTURE(rate);
      PunchRig rig;
      rig.buffer = buffer;
      if (rate != 0) REQUIRE(rig.load("{'format':1,'sample_rate_hz':" + std::to_string(rate) + "}"));
      const auto start =
          rig.schedule("{'recordStart':{'nodes':['in'],'stopTimelineFrame':'44100'}}", "{'timelineFrame':'29400'}");
      const auto played = rig.applied("{'operations':[{'play':{}}]}");
      const std::int64_t in = rate == 0 ? 29'400 : 32'000;
      const std::int64_t out = rate == 0 ? 44'100 : 48'000;
      rig.hardware->run(static_cast<std::uint64_t>(played.engine_frame() + in - 10'000 - rig.now()), buffer);
      rig.wait_committed(start);
      rig.hardware->run(static_cast<std::uint64_t>(played.engine_frame() + out - rig.now()), buffer);
      const auto take = rig.closed("in");
      rig.check_input(take, played.engine_frame() + in, out - in);
      CHECK(take.start_timeline_frame() == 29'400);
    }
  }
}

TEST_CASE("punch in at a time of day") {
  RigOptions options;
  options.own_utc = true;
  PunchRig rig(std::move(options));
  const auto id = rig.schedule("{'recordStart':{'nodes':['in'],'frames':'4801'}}", "{'utc':'2026-11-20T12:00:02Z'}");
  rig.hardware->run(static_cast<std::uint64_t>(86'000 - rig.now()));
  rig.wait_committed(id);
  rig.check_input(rig.closed("in"), 96'000, 4801);
}

TEST_CASE("a stop frame is told to watchers, refused below 0 and beyond the timeline") {
  PunchRig rig;
  for (const char* frame : {"-1", "9007199254740992"}) {
    const auto bad =
        rig.apply(std::string("{'operations':[{'recordStart':{'nodes':['in'],'stopTimelineFrame':'") + frame + "'}}]}");
    REQUIRE_FALSE(bad);
    CHECK(bad.error().kind == ErrorKind::invalid_argument);
    CHECK(bad.error().field == "operations[0].record_start.stop_timeline_frame");
  }
  const auto feed = rig.watch();
  rig.applied("{'operations':[{'recordStart':{'nodes':['in'],'stopTimelineFrame':'480000'}}]}");
  bool told = false;
  REQUIRE(rig.until([&] {
    while (const auto message = feed->next([] {})) {
      if (!message->has_change()) continue;
      for (const auto& operation : message->change().operations())
        told = told || operation.record_start().stop_timeline_frame() == 480'000;
    }
    return told;
  }));
}
