// An armed cue needs no disk: the command comes between two callbacks, and the next one has its sound, whatever the
// disk does.
#include "tests/server/control/cue_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

const std::string kGo = "{'go':{}}";

/// The cue is armed with a good disk, fired with none, and heard in the very next buffer.
void heard_at_once(CueRig& rig, const std::string& name, const std::string& operations) {
  CAPTURE(name);
  rig.edit("{'cueRemove':{'all':true}}," + skip_by("b/q", -5));
  rig.edit(cue_insert(cue(name, operations)));
  rig.wait_armed();
  rig.disk_stalls();
  CHECK(rig.frames_to_sound(kGo) < rig.buffer);
  CHECK(rig.status().reasons_size() == 0);  // nobody waited for the disk in vain
  // And goes on: more than half a ring is there.
  rig.hardware->clear_recording();
  rig.hardware->run(20 * rig.buffer);
  const auto heard = rig.hardware->recording(0);
  CHECK(std::ranges::count(heard, 0.0f) == 0);
  rig.disk_is_back();
  CHECK(rig.status().counters().starved_frames() == 0);
  rig.edit("{'stop':{}},{'stop':{'players':['a/p','b/q']}}");
  rig.hardware->run(4800);
}

}  // namespace

TEST_CASE("armed: play, skip, locate, another file, another queue are heard in the buffer after the command") {
  CueRig rig;
  for (const std::uint32_t buffer : {64u, 256u, 1024u}) {
    rig.buffer = buffer;
    heard_at_once(rig, "play", play("a/p"));
    heard_at_once(rig, "skip", skip_by("b/q", 1) + "," + play("b/q"));
    heard_at_once(rig, "skip-to", "{'skip':{'path':'b/q','item':{'number':3}}}," + play("b/q"));
    heard_at_once(rig, "locate", "{'locate':{'timelineFrame':'24000'}},{'play':{}}");
  }
  heard_at_once(rig, "queue",
                "{'queueRemove':{'path':'b/q','all':true}},{'queueInsert':{'path':'b/q','items':[" +
                    queue_item("u.wav") + "," + queue_item("s.wav") +
                    "]}},{'skip':{'path':'b/q','item':{'number':1}}}," + play("b/q"));
  heard_at_once(rig, "file", "{'setParams':{'path':'a/p','values':{'file':'media:q3.wav'}}}," + play("a/p"));
}

TEST_CASE("armed: without arming the same needs the disk; the fake one is slow indeed") {
  CueRig rig;
  rig.edit(cue_insert(cue("1", skip_by("b/q", 2) + "," + play("b/q"))));
  rig.wait_armed();
  rig.disk_stalls();
  bool answered = false;
  rig.engine->apply(Rig::request("{'operations':[{'locate':{'timelineFrame':'24000'}}],'maxWaitMs':60000}"),
                    [&](const auto&) { answered = true; });
  rig.turns(200);
  CHECK_FALSE(answered);
  rig.disk_is_back();
  REQUIRE(rig.until([&] { return answered; }));
}

TEST_CASE("armed: a player that stands, stands in the middle, or has ended starts at once") {
  CueRig rig;
  rig.disk_stalls();
  CHECK(rig.frames_to_sound(play("a/p")) == 0);  // its stream is there: no cue is needed
  rig.disk_is_back();
  rig.hardware->run(4800);
  rig.edit(stop("a/p"));
  rig.hardware->run(4800);
  rig.disk_stalls();
  CHECK(rig.frames_to_sound(play("a/p")) < rig.buffer);
  rig.disk_is_back();
  // It rolls while the cue is armed, has ended when it is fired, and begins anew.
  rig.edit(cue_insert(cue("again", play("a/p"))));
  rig.wait_armed();
  rig.hardware->run(130'000);
  rig.turns();
  rig.disk_stalls();
  CHECK(rig.frames_to_sound(kGo) == 0);
  rig.disk_is_back();
}

TEST_CASE("armed: the next item of a player that rolls on into another one while the cue waits") {
  CueRig rig;
  rig.edit(play("b/q"));
  rig.edit(cue_insert(cue("on", skip_by("b/q", 1))));
  rig.wait_armed();
  const auto item = [&] { return rig.status().players(1).item_index(); };
  CHECK(item() == 1);
  // Just over the join, and nothing was looked at since.
  rig.hardware->run(119'000);
  rig.hardware->run(4800);
  rig.disk_stalls();
  bool answered = false;
  rig.engine->apply(Rig::request("{'operations':[{'go':{}}],'maxWaitMs':60000}"), [&](const auto& answer) {
    CHECK(answer);
    answered = true;
  });
  REQUIRE(rig.until([&] { return answered; }));
  CHECK(item() == 3);
  rig.disk_is_back();
  CHECK(rig.status().counters().starved_frames() == 0);
}

TEST_CASE("armed: the status says what is being prepared, and why one cannot be") {
  CueRig rig;
  rig.disk_stalls();
  rig.stepping = false;
  int answered = 0;
  rig.engine->apply(
      Rig::request("{'operations':[" +
                   cue_insert(cue("1", skip_by("b/q", 1) + "," + play("b/q")) + "," + cue("2", "{'recordStart':{}}") +
                              "," + cue("3", "{'queueInsert':{'path':'a/p','items':[" + queue_item("s.wav") + "]}}")) +
                   "],'wait':'WAIT_COMMITTED'}"),
      [&](const auto& answer) {
        CHECK(answer);
        ++answered;
      });
  REQUIRE(rig.until([&] { return answered == 1; }));
  rig.turns();
  CHECK(rig.cues().next_state() == CueRig::Cues::NEXT_STATE_PREPARING);
  rig.stepping = true;
  rig.disk_is_back();
  rig.wait_armed();
  CHECK(rig.cues().next_reason().empty());
  REQUIRE(rig.go());
  CHECK(rig.settled().next_state() == CueRig::Cues::NEXT_STATE_NOT_ARMED);
  CHECK(rig.cues().next_reason().find("take") != std::string::npos);
  rig.edit("{'cueNext':{'cue':{'name':'3'}}}");
  CHECK(rig.settled().next_state() == CueRig::Cues::NEXT_STATE_BROKEN);  // a/p has a file of its own
  rig.edit("{'setParams':{'path':'a/p','values':{'file':''}}}");
  rig.wait_armed();
}

TEST_CASE("armed: streams of a cue that is not the next any more go back, and memory is bounded") {
  CueRig rig;
  rig.edit(cue_insert(cue("1", skip_by("b/q", 1)) + "," + cue("2", skip_by("b/q", 2)) + "," + cue("3", stop("a/p"))));
  for (int round = 0; round < 50; ++round) {
    rig.wait_armed();
    rig.edit("{'cueNext':{'cue':{'name':'" + std::to_string(1 + round % 3) + "'}}}");
  }
  rig.wait_armed();
  CHECK(rig.next() == "2");
  // 600 streams are more than is kept ready.
  std::string operations;
  for (int i = 0; i < 600; ++i) {
    const std::string id = "m" + std::to_string(i);
    operations += (i == 0 ? "" : ",") + CueRig::track(id, "{'id':'p','type':'player','params':{'file':'media:u.wav'}}");
  }
  rig.edit(operations);
  rig.edit(cue_insert(cue("far", "{'locate':{'timelineFrame':'24000'}}")));
  rig.edit("{'cueNext':{'cue':{'name':'far'}}}");
  const auto now = rig.settled();
  CHECK(now.next_state() == CueRig::Cues::NEXT_STATE_NOT_ARMED);
  CHECK(now.next_reason().find("streams") != std::string::npos);
  REQUIRE(rig.go());
  CHECK(rig.status().clock().timeline_frame() == 24'000);
}

TEST_CASE("armed: after a load of the session the first cue is") {
  CueRig rig;
  rig.edit(cue_insert(cue("1", skip_by("b/q", 1) + "," + play("b/q"))));
  rig.wait_armed();
  REQUIRE(rig.load(rig.session()));
  rig.wait_armed();
  rig.disk_stalls();
  CHECK(rig.frames_to_sound(kGo) < rig.buffer);
  CHECK(rig.status().reasons_size() == 0);
  rig.disk_is_back();
}
