// An armed cue does not wait behind a transaction that waits for the disk, whatever that one waits for.
#include "tests/server/control/cue_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

const std::string kGo = "{'go':{}}";

struct Stuck {
  explicit Stuck(Rig& of, const std::string& operations) {
    of.engine->apply(Rig::request("{'operations':[" + operations + "],'maxWaitMs':60000}"),
                     [this](const auto& got) { answer.emplace(got); });
    of.turns(100);
  }
  std::optional<Result<v1::ApplyResponse>> answer;
};

std::string add_player(const std::string& id, const std::string& file) {
  return CueRig::track(id, "{'id':'p','type':'player','params':{'file':'media:" + file + "'}}");
}

/// The cue plays "a/p"; the other is stuck, the cue is heard in the next buffer, and the other comes when the disk
/// does.
v1::ApplyResponse passes(CueRig& rig, const std::string& operations) {
  CAPTURE(operations);
  rig.edit(cue_insert(cue("now", play("a/p"))));
  rig.wait_armed();
  rig.disk_stalls();
  Stuck stuck(rig, operations);
  REQUIRE_FALSE(stuck.answer);
  CHECK(rig.frames_to_sound(kGo) < rig.buffer);
  CHECK_FALSE(stuck.answer);
  rig.disk_is_back();
  REQUIRE(rig.until([&] { return stuck.answer.has_value(); }));
  REQUIRE_MESSAGE(*stuck.answer, (*stuck.answer ? "" : stuck.answer->error().message));
  CHECK((*stuck.answer)->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  CHECK(rig.status().players(0).rolling());
  return **stuck.answer;
}

}  // namespace

TEST_CASE("an armed cue passes a transaction that probes a file") {
  CueRig rig;
  rig.write_wav("n.wav", 1, 48'000, CueRig::loud("n"));
  passes(rig, add_player("n", "n.wav"));
  CHECK(rig.session().find("n.wav") != std::string::npos);
  CHECK(rig.status().reasons_size() == 0);
}

TEST_CASE("an armed cue passes a transaction that opens streams") {
  CueRig rig;
  passes(rig, "{'locate':{'timelineFrame':'24000'}},{'play':{}}");
  const auto status = rig.status();
  CHECK(status.clock().rolling());
  CHECK(status.reasons_size() == 0);
  CHECK(status.counters().starved_frames() == 0);
}

TEST_CASE("an armed cue passes a transaction that adds a player whose file is known") {
  CueRig rig;
  passes(rig, add_player("n", "u.wav"));
  CHECK(rig.session().find("'n'") == std::string::npos);
  CHECK(rig.session().find("\"n\"") != std::string::npos);
}

TEST_CASE("an armed cue passes a transaction that opens a take") {
  CueRig rig;
  const auto answer = passes(rig, "{'recordStart':{'nodes':['out'],'file':'takes:t.wav'}}");
  REQUIRE(answer.takes_size() == 1);
  CHECK(answer.takes(0) == "takes:t.wav");
  rig.edit("{'recordStop':{}}");
  // The file that was opened before the cue came is not left behind.
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(rig.take_file("takes:t.wav").parent_path()))
    files += entry.is_regular_file() ? 1u : 0u;
  CHECK(files == 1);
}

TEST_CASE("an armed cue passes a load that probes its files") {
  CueRig rig;
  rig.write_wav("n.wav", 1, 48'000, CueRig::loud("n"));
  rig.edit(cue_insert(cue("now", play("a/p"))));
  rig.wait_armed();
  rig.disk_stalls();
  std::optional<Result<v1::LoadSessionResponse>> loaded;
  LoadRequest request;
  request.json = R"({"format":1,"nodes":[{"id":"n","type":"track","children":[
    {"id":"p","type":"player","params":{"file":"n.wav"}}]}],"connections":[{"from":"n","to":"out"}]})";
  request.base = "media:";
  rig.engine->load(std::move(request), [&](auto got) { loaded.emplace(std::move(got)); });
  rig.turns(100);
  REQUIRE_FALSE(loaded);
  CHECK(rig.frames_to_sound(kGo) < rig.buffer);
  rig.disk_is_back();
  REQUIRE(rig.until([&] { return loaded.has_value(); }));
  REQUIRE(*loaded);
  CHECK(rig.session().find("\"a\"") == std::string::npos);
}

TEST_CASE("what was passed is judged anew: an edit that the cue made wrong is refused") {
  CueRig rig;
  rig.edit(cue_insert(cue("now", "{'queueRemove':{'path':'b/q','items':[{'number':3}]}}," + play("a/p"))));
  rig.wait_armed();
  rig.disk_stalls();
  // Third of three until the cue is fired.
  Stuck stuck(rig, "{'queueMove':{'path':'b/q','item':{'number':3}}},{'locate':{'timelineFrame':'24000'}}");
  REQUIRE_FALSE(stuck.answer);
  Stuck expecting(rig, "{'queueMove':{'path':'b/q','item':{'number':1}}}");
  CHECK(rig.frames_to_sound(kGo) < rig.buffer);
  rig.disk_is_back();
  REQUIRE(rig.until([&] { return stuck.answer.has_value() && expecting.answer.has_value(); }));
  REQUIRE_FALSE(*stuck.answer);
  CHECK(stuck.answer->error().reason == "UNKNOWN_ITEM");
  CHECK(*expecting.answer);
  CHECK_FALSE(rig.status().clock().timeline_frame() == 24'000);  // all of it or nothing
}

TEST_CASE("a take that was opened before a cue made its transaction wrong is not left behind") {
  CueRig rig;
  rig.edit(cue_insert(cue("now", "{'queueRemove':{'path':'b/q','items':[{'number':3}]}}," + play("a/p"))));
  rig.wait_armed();
  rig.disk_stalls();
  Stuck stuck(rig,
              "{'queueSet':{'path':'b/q','item':{'number':3},'values':{'gainDb':0}}},{'recordStart':{'nodes':['out'],"
              "'file':'takes:t.wav'}}");
  REQUIRE_FALSE(stuck.answer);
  CHECK(rig.frames_to_sound(kGo) < rig.buffer);
  rig.disk_is_back();
  REQUIRE(rig.until([&] { return stuck.answer.has_value(); }));
  REQUIRE_FALSE(*stuck.answer);
  CHECK(stuck.answer->error().reason == "UNKNOWN_ITEM");
  const auto folder = rig.take_file("takes:t.wav").parent_path();
  REQUIRE(rig.until([&] { return std::filesystem::is_empty(folder); }));
}

TEST_CASE("two that are stuck are passed one after the other, each cue at once") {
  CueRig rig;
  rig.edit(cue_insert(cue("1", play("a/p")) + "," + cue("2", stop("a/p"))));
  rig.wait_armed();
  rig.disk_stalls();
  Stuck first(rig, "{'locate':{'timelineFrame':'24000'}}"), second(rig, "{'locate':{'timelineFrame':'48000'}}");
  CHECK(rig.frames_to_sound(kGo) < rig.buffer);
  rig.turns(50);
  CHECK(rig.next() == "2");
  // The second cue needs no disk at all: it is armed while the disk still hangs.
  CHECK(rig.cues().next_state() == CueRig::Cues::NEXT_STATE_ARMED);
  bool fired = false;
  rig.engine->apply(Rig::request("{'operations':[{'go':{}}]}"),
                    [&](const auto& got) { fired = static_cast<bool>(got); });
  REQUIRE(rig.until([&] { return fired; }));
  CHECK_FALSE(first.answer);
  rig.disk_is_back();
  REQUIRE(rig.until([&] { return first.answer.has_value() && second.answer.has_value(); }));
  CHECK(*first.answer);
  CHECK(*second.answer);
  CHECK(rig.status().clock().timeline_frame() == 48'000);
}

TEST_CASE("what was scheduled for a frame passes one that is stuck, and meets its frame") {
  CueRig rig;
  const std::int64_t at = static_cast<std::int64_t>(rig.hardware->frames()) + 60'000;
  const auto held =
      rig.apply("{'operations':[" + play("a/p") + "],'when':{'engineFrame':{'frame':'" + std::to_string(at) + "'}}}");
  REQUIRE(held);
  REQUIRE(held->outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED);
  const auto feed = rig.watch();
  rig.disk_stalls();
  Stuck stuck(rig, "{'locate':{'timelineFrame':'24000'}}");
  REQUIRE_FALSE(stuck.answer);
  std::optional<std::int64_t> frame;
  rig.stepping = false;
  REQUIRE(rig.until([&] {
    rig.hardware->step(32);  // not far in one turn: a frame is met by who has time for it
    while (const auto message = feed->next({})) {
      if (message->has_applied() && message->applied().transaction_id() == held->transaction_id())
        frame = message->applied().engine_frame();
    }
    return frame.has_value();
  }));
  rig.stepping = true;
  CHECK(*frame == at);
  CHECK_FALSE(stuck.answer);
  rig.disk_is_back();
  REQUIRE(rig.until([&] { return stuck.answer.has_value(); }));
  CHECK(*stuck.answer);
}
