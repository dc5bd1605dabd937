// Recorders that listen, and takes of theirs that one start begins: one frame for all, and what comes after them.
#include <set>
#include <string>

#include "server/media/file_notes.hpp"
#include "tests/server/control/input_signal.hpp"
#include "tests/server/control/scheduled_rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

struct GroupRig : ScheduledRig {
  GroupRig() {
    hardware->set_input(input_sample);
    for (const char* id : {"a", "b", "c"}) add(id, "'pre_record_s':2");
  }
  void add(const std::string& id, const std::string& params) {
    applied("{'operations':[{'addNode':{'node':{'id':'" + id +
            "','type':'track','children':[{'id':'rec','type':'recorder','params':{" + params +
            "}}]}}},{'connect':{'from':'in','to':'" + id + "'}}]}");
  }
  /// Until as many listen, and each has heard so much.
  void listen(int count, double seconds) {
    REQUIRE(until([&] {
      const auto now = status();
      if (now.pre_records_size() != count) return false;
      for (const auto& one : now.pre_records())
        if (one.kept_seconds() < seconds) return false;
      return true;
    }));
  }
  /// What was asked of the disk before is done, and the strand knows; no sound goes on meanwhile.
  void wait_for_disk() {
    stepping = false;
    CHECK(apply("{'dryRun':true,'operations':[{'recordStart':{'nodes':['in'],'file':'takes:none.wav'}}]}"));
    stepping = true;
  }
  v1::ApplyResponse start(const std::string& nodes, const std::string& more = "") {
    return applied("{'operations':[{'recordStart':{'nodes':[" + nodes + "]" + more + "}}]}");
  }
  std::vector<v1::GetStatusResponse::Take> closed(int count) {
    std::vector<v1::GetStatusResponse::Take> found;
    REQUIRE(until([&] {
      const auto now = status();
      if (now.takes_size() < count) return false;
      for (const auto& take : now.takes())
        if (take.recording()) return false;
      found.assign(now.takes().end() - count, now.takes().end());
      return true;
    }));
    return found;
  }
  void check(const v1::GetStatusResponse::Take& take, std::int64_t first, std::int64_t frames) {
    continuo::control::test::check_input(*this, take, first, frames);
  }
};

}  // namespace

TEST_CASE("takes of one start have one beginning and one length while what they heard before still fills") {
  GroupRig rig;
  rig.listen(3, 0.2);
  double shortest = 2.0;
  const auto listening = rig.status();
  for (const auto& one : listening.pre_records()) shortest = std::min(shortest, one.kept_seconds());
  const auto begun = rig.start("'a/rec','b/rec','c/rec'");
  rig.turns(20);
  const auto stopped = rig.applied("{'operations':[{'recordStop':{}}]}");
  const auto takes = rig.closed(3);
  const auto first = takes[0].start_engine_frame();
  CHECK(begun.engine_frame() - first >= static_cast<std::int64_t>(shortest * 48'000.0));
  std::set<std::int64_t> places;
  for (const auto& take : takes) {
    rig.check(take, first, stopped.engine_frame() - first);
    places.insert(take.time_reference());
  }
  CHECK(places.size() == 1);
}

TEST_CASE("the shortest pre-record decides for a start, and one without any begins when it was told") {
  GroupRig rig;
  rig.add("d", "'pre_record_s':0");
  rig.applied("{'operations':[{'setParams':{'path':'b/rec','values':{'pre_record_s':0.5}}}]}");
  rig.listen(3, 0.5);
  const auto begun = rig.start("'a/rec','b/rec','c/rec','d/rec'", ",'frames':'1000'");
  for (const auto& take : rig.closed(4)) {
    const bool early = take.node() != "d/rec";
    rig.check(take, begun.engine_frame() - (early ? 24'000 : 0), early ? 25'000 : 1000);
  }
}

TEST_CASE("takes of one start are equally long where the daemon's end cuts them off") {
  GroupRig rig;
  rig.listen(3, 0.1);
  const auto begun = rig.start("'a/rec','b/rec','c/rec'");
  REQUIRE(begun.takes_size() == 3);
  rig.turns(10);
  rig.shutdown();
  std::set<std::size_t> lengths;
  std::set<float> beginnings;
  for (const std::string& name : begun.takes()) {
    std::uint32_t channels = 0;
    const auto samples = rig.read_wav(rig.take_file(name), channels);
    REQUIRE_FALSE(samples.empty());
    lengths.insert(samples.size());
    beginnings.insert(samples[0]);
  }
  CHECK(lengths.size() == 1);
  CHECK(beginnings.size() == 1);
}

TEST_CASE("what was before a take in the same second is the end of the take before it, and not a frame is missing") {
  GroupRig rig;
  rig.applied("{'operations':[{'removeNode':{'path':'b'}},{'removeNode':{'path':'c'}}]}");
  rig.listen(1, 2.0);
  for (const bool by_itself : {false, true}) {
    CAPTURE(by_itself);
    const auto begun = rig.start("'a/rec'", by_itself ? ",'frames':'20000'" : "");
    rig.wait_for_disk();  // who listens next stands behind the take
    REQUIRE(rig.until([&] { return rig.now() > begun.engine_frame() + 15'000; }));
    if (!by_itself) rig.applied("{'operations':[{'recordStop':{}}]}");
    const auto before = rig.closed(1).back();
    const auto end = before.start_engine_frame() + before.frames();
    const auto again = rig.start("'a/rec'", ",'frames':'1000'");
    // It has all since the take before, up to its two seconds.
    const auto first = std::max(end, again.engine_frame() - 96'000);
    rig.check(rig.closed(1).back(), first, again.engine_frame() + 1000 - first);
    rig.listen(1, 2.0);
  }
}

TEST_CASE("no file has a place below 0: what was before the timeline's start is told in words, in WAV and in FLAC") {
  GroupRig rig;
  rig.listen(3, 2.0);
  for (const char* format : {"TAKE_FORMAT_PCM24", "TAKE_FORMAT_FLAC24"}) {
    rig.start("'a/rec'", std::string(",'frames':'1000','format':'") + format + "'");
    const auto take = rig.closed(1).back();
    CHECK(take.time_reference() <= -96'000);
    const auto notes = media::read_notes(rig.take_file(take.file()));
    REQUIRE(notes.broadcast);
    CHECK(notes.broadcast->time_reference == 0);
    CHECK(notes.broadcast->description.find(std::to_string(-take.time_reference()) +
                                            " frames before the timeline's start") != std::string::npos);
    rig.listen(3, 2.0);
  }
}
