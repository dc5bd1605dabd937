// What was before a take, in a whole engine: the joint, arming and disarming, a full disk, and nothing left behind.
#include <string>

#include "tests/server/control/scheduled_rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

float signal(std::uint32_t channel, std::int64_t frame) {
  return static_cast<float>((frame * 4 + channel) * 7919 % 60013 - 30000) / 65536.0f;
}

struct PreRig : ScheduledRig {
  explicit PreRig(const std::string& params = "'pre_record_s':1") {
    hardware->set_input(signal);
    applied(
        "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'rec','type':'recorder','params':"
        "{" +
        params + "}}]}}},{'connect':{'from':'in','to':'a'}}]}");
  }
  /// Steps until a take that began now would have so much before it.
  void listen(double seconds) {
    REQUIRE(until([&] {
      const auto now = status();
      return now.pre_records_size() == 1 && now.pre_records(0).kept_seconds() >= seconds;
    }));
  }
  bool listens() { return status().pre_records_size() == 1; }
  void set(const std::string& values) {
    applied("{'operations':[{'setParams':{'path':'a/rec','values':{" + values + "}}}]}");
  }
  v1::ApplyResponse start(const std::string& more = "") {
    return applied("{'operations':[{'recordStart':{'nodes':['a/rec']" + more + "}}]}");
  }
  v1::GetStatusResponse::Take closed() {
    v1::GetStatusResponse::Take found;
    REQUIRE(until([&] {
      const auto now = status();
      if (now.takes().empty() || now.takes(now.takes_size() - 1).recording()) return false;
      found = now.takes(now.takes_size() - 1);
      return true;
    }));
    return found;
  }
  void check(const v1::GetStatusResponse::Take& take, std::int64_t first, std::int64_t frames) {
    CHECK(take.frames() == frames);
    CHECK(take.start_engine_frame() == first);
    CHECK(take.lost_frames() == 0);
    std::uint32_t channels = 0;
    const auto samples = read_wav(take_file(take.file()), channels);
    REQUIRE(samples.size() == static_cast<std::size_t>(frames) * channels);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto frame = first + static_cast<std::int64_t>(i / channels);
      if (samples[i] != signal(static_cast<std::uint32_t>(i % channels), frame)) FAIL("sample ", i);
    }
  }
};

}  // namespace

TEST_CASE("a take begins with the second before its start, sample by sample, for any buffers") {
  for (const std::uint32_t buffer : {64u, 333u, 1000u}) {
    CAPTURE(buffer);
    PreRig rig;
    rig.buffer = buffer;
    rig.listen(1.0);
    const auto begun = rig.start();
    CHECK_FALSE(rig.listens());
    rig.turns(60);
    const auto stopped = rig.applied("{'operations':[{'recordStop':{}}]}");
    REQUIRE(stopped.closed_takes_size() == 1);
    rig.check(rig.closed(), begun.engine_frame() - 48'000, stopped.engine_frame() - begun.engine_frame() + 48'000);
    // And listens again.
    rig.listen(0.5);
  }
}

TEST_CASE("the length that was asked for counts from the start, and a timeline's place is of the file's first frame") {
  PreRig rig;
  rig.applied("{'operations':[{'locate':{'timelineFrame':'200000'}},{'play':{}}]}");
  rig.listen(1.0);
  const auto begun = rig.start(",'frames':'1234'");
  const auto take = rig.closed();
  rig.check(take, begun.engine_frame() - 48'000, 49'234);
  const auto clock = rig.engine->clock();
  CHECK(take.start_timeline_frame() == clock.timeline_frame() - (clock.engine_frame() - take.start_engine_frame()));
}

TEST_CASE("a take that begins early has what there was, and one of a recorder that listens to nothing none") {
  PreRig rig;
  rig.listen(0.2);
  const auto begun = rig.start(",'frames':'1000'");
  const auto take = rig.closed();
  CHECK(take.frames() >= 1000 + 9600);
  CHECK(take.frames() < 49'000);
  rig.check(take, begun.engine_frame() - take.frames() + 1000, take.frames());
  rig.set("'pre_record_s':0");
  CHECK_FALSE(rig.listens());
  const auto plain = rig.start(",'frames':'1000'");
  rig.check(rig.closed(), plain.engine_frame(), 1000);
}

TEST_CASE("disarmed it forgets, armed again it begins anew, and another length begins anew as well") {
  PreRig rig;
  rig.listen(0.5);
  rig.set("'arm':false");
  CHECK_FALSE(rig.listens());
  const auto named = rig.start(",'frames':'1000'");
  rig.check(rig.closed(), named.engine_frame(), 1000);
  rig.set("'arm':true");
  rig.listen(0.1);
  rig.set("'pre_record_s':2.5");
  rig.listen(2.5);
  const auto begun = rig.start(",'frames':'1000'");
  rig.check(rig.closed(), begun.engine_frame() - 120'000, 121'000);
}

TEST_CASE("a recorder that goes while it listens, a session in its place, and a restart leave nothing behind") {
  PreRig rig;
  rig.listen(0.3);
  rig.applied("{'operations':[{'removeNode':{'path':'a'}}]}");
  CHECK_FALSE(rig.listens());
  REQUIRE(
      rig.load("{'format':1,'nodes':[{'id':'b','type':'track','children':[{'id':'rec','type':'recorder','params':{'pre_"
               "record_s':1}}]}],"
               "'connections':[{'from':'in','to':'b'}]}"));
  rig.listen(0.3);
  rig.restart();
  CHECK(std::filesystem::is_empty(rig.folder.path() / "takes"));
  CHECK_FALSE(rig.listens());
}

TEST_CASE("a punch in on the timeline has what was before its frame") {
  PreRig rig;
  rig.listen(1.0);
  const auto at = rig.now() + 60'000;
  const auto id = rig.schedule("{'recordStart':{'nodes':['a/rec'],'frames':'500'}}",
                               "{'engineFrame':{'frame':'" + std::to_string(at) + "'}}");
  rig.hardware->run(50'000);
  rig.wait_committed(id);
  rig.check(rig.closed(), at - 48'000, 48'500);
}

TEST_CASE("where the disk has no room for it a recorder does without, and says so") {
  RigOptions options;
  PreRig rig("'arm':false");
  const auto feed = rig.watch();
  std::filesystem::remove_all(rig.folder.path() / "takes");
  {
    std::FILE* file = std::fopen((rig.folder.path() / "takes").c_str(), "w");
    std::fclose(file);
  }
  rig.set("'arm':true,'pre_record_s':600");
  bool told = false;
  REQUIRE(rig.until([&] {
    while (const auto message = feed->next([] {}))
      told = told ||
             (message->has_take() && message->take().kind() == v1::WatchResponse::TakeEvent::KIND_PRE_RECORD_FAILED);
    return told;
  }));
  const auto status = rig.status();
  CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
  REQUIRE(status.pre_records_size() == 1);
  CHECK_FALSE(status.pre_records(0).error().empty());
}

TEST_CASE("a pre-record is 0 to 600 s") {
  PreRig rig;
  for (const char* value : {"-1", "600.1"})
    CHECK_FALSE(rig.apply(std::string("{'operations':[{'setParams':{'path':'a/rec','values':{'pre_record_s':") + value +
                          "}}}]}"));
}
