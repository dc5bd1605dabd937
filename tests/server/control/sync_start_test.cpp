// 128 free players in one transaction: the same sample, now and whenever it was asked for.
#include <cmath>

#include "server/control/scheduled.hpp"
#include "tests/server/control/cue_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

constexpr int kPlayers = 128;

/// Each player has one click, of one bit of its own: whoever is missing or late is seen.
class Choir : public ScheduledRig {
 public:
  explicit Choir(RigOptions options = {}) : ScheduledRig(std::move(options)) {
    std::vector<float> click(20'000, 0.0f);
    click[0] = 1.0f / 256.0f;
    click[1] = -1.0f / 512.0f;
    write_wav("c.wav", 1, 48'000, click);
    std::string add;
    for (int i = 0; i < kPlayers; ++i) {
      const std::string id = "t" + std::to_string(i);
      add +=
          (i == 0 ? "" : ",") + std::string("{'addNode':{'node':{'id':'") + id +
          "','type':'track','children':[{'id':'p','type':'player','params':{'mode':'free','file':'media:c.wav'}}]}}},"
          "{'connect':{'from':'" +
          id + "','to':'out:1','channels':[{'from':1,'to':1}]}}";
      all += (i == 0 ? "'" : ",'") + id + "/p'";
    }
    applied("{'operations':[" + add + "]}");
    hardware->run(4800);
    from = now();
    hardware->clear_recording();
  }
  [[nodiscard]] std::string play_all() const { return "{'play':{'players':[" + all + "]}}"; }
  /// All of them, and nothing before or behind.
  void check_start(std::int64_t frame) {
    hardware->run(2000);
    const auto heard = hardware->recording(0);
    const auto at = static_cast<std::size_t>(frame - from);
    REQUIRE(at + 2 < heard.size());
    for (std::size_t i = 0; i < at; ++i) REQUIRE(heard[i] == 0.0f);
    const float one = static_cast<float>(kPlayers) / 256.0f * static_cast<float>(std::sqrt(0.5));
    CHECK(std::abs(heard[at] - one) < 1e-3f);
    CHECK(heard[at + 1] == -heard[at] / 2.0f);
    for (std::size_t i = at + 2; i < heard.size(); ++i) REQUIRE(heard[i] == 0.0f);
  }

  std::string all;
  std::int64_t from = 0;
};

}  // namespace

TEST_CASE("128 players start on one sample: now") {
  Choir rig;
  rig.check_start(rig.applied("{'operations':[" + rig.play_all() + "]}").engine_frame());
}

TEST_CASE("128 players start on one sample: at an engine frame, which is no buffer's") {
  Choir rig;
  const std::int64_t frame = rig.now() + 5'123;
  const auto id = rig.schedule(rig.play_all(), at_engine(frame));
  CHECK(rig.wait_applied(id) == frame);
  rig.check_start(frame);
}

TEST_CASE("128 players start on one sample: where the timeline passes a frame") {
  Choir rig;
  const auto rolled = rig.applied("{'operations':[{'locate':{'timelineFrame':'1000'}},{'play':{}}]}").engine_frame();
  const auto id = rig.schedule(rig.play_all(), at_timeline(9'007));
  const auto frame = rig.wait_applied(id);
  CHECK(frame == rolled + 8'007);
  rig.check_start(frame);
}

TEST_CASE("128 players start on one sample: at a time of day") {
  RigOptions options;
  options.own_utc = true;
  Choir rig(options);
  rig.hardware->run(static_cast<std::uint32_t>(3 * 48'000 - 9'000 - rig.now()));
  rig.from = rig.now();
  rig.hardware->clear_recording();
  // The device's frame 144000 is 3 s past the beginning.
  const auto id = rig.schedule(rig.play_all(), "{'utc':'2026-11-20T12:00:03Z'}");
  const auto frame = rig.wait_applied(id);
  CHECK(std::abs(frame - 3 * 48'000) <= 1);
  rig.check_start(frame);
}

TEST_CASE("128 players start on one sample: as a cue") {
  Choir rig;
  rig.applied("{'operations':[" + cue_insert(cue("all", rig.play_all())) + "]}");
  rig.check_start(rig.applied("{'operations':[{'go':{}}]}").engine_frame());
}

TEST_CASE("what needs the disk has the longer lead") {
  const auto disk = [](const std::string& operation) {
    return needs_disk(Rig::request("{'operations':[" + operation + "]}"));
  };
  for (const char* operation :
       {"{'queueInsert':{'path':'p'}}", "{'queueRemove':{'path':'p'}}", "{'queueMove':{'path':'p'}}",
        "{'queueSet':{'path':'p'}}", "{'skip':{'path':'p','by':1}}", "{'go':{}}", "{'locate':{}}",
        "{'play':{'players':['p']}}", "{'recordStart':{}}", "{'setParams':{'path':'p','values':{'file':'x'}}}",
        "{'addNode':{}}", "{'setParams':{'path':'p','values':{'gain_db':1}}},{'skip':{'path':'p','by':1}}"}) {
    CAPTURE(operation);
    CHECK(disk(operation));
  }
  for (const char* operation : {"{'play':{}}", "{'stop':{}}", "{'setParams':{'path':'p','values':{'gain_db':1}}}",
                                "{'setLabel':{'path':'p'}}", "{'cueNext':{}}", "{'recordStop':{}}"}) {
    CAPTURE(operation);
    CHECK_FALSE(disk(operation));
  }
}
