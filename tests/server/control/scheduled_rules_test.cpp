// What scheduled transactions rest on, and what takes them back.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/server/control/scheduled_requests.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

bool names(const Error& error, std::uint64_t id) {
  return error.message.find("transaction " + std::to_string(id) + " ") != std::string::npos;
}

}  // namespace

TEST_CASE("an edit that would break a scheduled transaction is refused and names it, and goes once that is cancelled") {
  ScheduledRig rig;
  rig.applied(kTone);
  const auto held = rig.schedule(set_gain("a", -6), kLater);
  const std::string before = rig.session();
  for (const std::string operation : {"{'removeNode':{'path':'a'}}", "{'moveNode':{'path':'a','id':'b'}}"}) {
    const auto refused = rig.apply("{'operations':[" + operation + "]}");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::failed_precondition);
    CHECK(refused.error().reason == "BREAKS_SCHEDULED");
    CHECK(names(refused.error(), held));
  }
  CHECK(rig.session() == before);
  rig.applied("{'operations':[" + removal("a/o") + "]}");  // it rests on nothing of this
  REQUIRE(rig.cancel(held));
  rig.applied("{'operations':[" + removal("a") + "]}");
}

TEST_CASE("scheduled transactions rest on those that fall due before them") {
  ScheduledRig rig;
  rig.applied(kTone);
  const auto set_b = request(set_gain("b", -6), "{'afterSeconds':200}");
  CHECK(rig.apply(set_b).error().kind == ErrorKind::not_found);
  const auto adds = rig.schedule(add_track("b"), "{'afterSeconds':100}");
  CHECK(rig.apply("{'operations':[" + set_gain("b", -6) + "]}").error().kind == ErrorKind::not_found);  // not yet
  CHECK(rig.apply(request(set_gain("b", -6), "{'afterSeconds':50}")).error().field.starts_with("operations[0]"));
  const auto sets = rig.schedule(set_gain("b", -6), "{'afterSeconds':200}");

  // Between the two: refused. Behind both: fine. The same id again: taken then.
  CHECK(names(rig.apply(request(removal("b"), "{'afterSeconds':150}")).error(), sets));
  CHECK(rig.apply(request(add_track("b"), "{'afterSeconds':300}")).error().kind == ErrorKind::already_exists);
  const auto now = rig.apply("{'operations':[" + add_track("b") + "]}");
  REQUIRE_FALSE(now);
  CHECK(names(now.error(), adds));
  const auto removes = rig.schedule(removal("b"), "{'afterSeconds':300}");
  const auto cancelled = rig.cancel(adds);
  REQUIRE_FALSE(cancelled);
  CHECK(cancelled.error().kind == ErrorKind::failed_precondition);
  CHECK(names(cancelled.error(), sets));
  for (const auto id : {removes, sets, adds}) REQUIRE(rig.cancel(id));
  CHECK(rig.list().transactions().empty());
}

TEST_CASE("a cancelled transaction never comes, and everybody hears who took it back") {
  ScheduledRig rig;
  rig.applied(kTone);
  const std::string before = rig.session();
  const std::int64_t due = rig.now() + 48'000;
  const auto id = rig.schedule(set_gain("a", -150), at_engine(due));
  const auto listed = rig.list();
  REQUIRE(listed.transactions_size() == 1);
  CHECK(listed.transactions(0).transaction_id() == id);
  CHECK(listed.transactions(0).engine_frame() == due);
  CHECK(listed.transactions(0).when().engine_frame().frame() == due);
  CHECK(listed.transactions(0).operation_count() == 1);
  CHECK(listed.transactions(0).operations(0).set_params().path() == "a");
  const auto denied = rig.cancel(id, make_error(ErrorKind::permission_denied, "ROLE", "", "no"));
  REQUIRE_FALSE(denied);
  CHECK(denied.error().kind == ErrorKind::permission_denied);
  REQUIRE(rig.cancel(id));
  CHECK(rig.cancel(id).error().kind == ErrorKind::not_found);
  CHECK(rig.cancel(4711).error().kind == ErrorKind::not_found);
  rig.hardware->run(96'000);
  rig.turns(20);
  CHECK(rig.session() == before);
  CHECK(rig.story(id).told == std::vector<std::string>{"scheduled", "cancelled"});
  CHECK(rig.story(id).reason == "CANCELLED");
  CHECK(rig.story(id).by == "somebody");
}

TEST_CASE("what falls due can not be cancelled any more") {
  ScheduledRig rig;
  rig.applied(kTone);
  const auto id = rig.schedule(set_gain("a", -6), at_engine(rig.now() + 5'000));
  rig.wait_committed(id);
  rig.stepping = false;
  CHECK(rig.cancel(id).error().kind == ErrorKind::not_found);
}

TEST_CASE("a load drops what is scheduled and says so, to watchers and to those who wait") {
  ScheduledRig rig;
  rig.applied(kTone);
  const auto id = rig.schedule(set_gain("a", -6), kLater);
  std::optional<Result<v1::ApplyResponse>> waits;
  rig.engine->apply(Rig::request(request(set_gain("a", -7), kLater, ",'wait':'WAIT_APPLIED','maxWaitMs':60000")),
                    [&](auto answer) { waits.emplace(std::move(answer)); });
  REQUIRE(rig.until([&] { return rig.list().transactions_size() == 2; }));
  CHECK_FALSE(waits);
  REQUIRE(rig.load("{'format':1}"));
  REQUIRE(rig.until([&] { return rig.story(id).has("cancelled"); }));
  CHECK(rig.story(id).reason == "SESSION_LOADED");
  REQUIRE(waits);
  REQUIRE_FALSE(*waits);
  CHECK(waits->error().kind == ErrorKind::aborted);
  CHECK(waits->error().reason == "SESSION_LOADED");
  CHECK(rig.list().transactions().empty());
  rig.applied(kTone);
  rig.applied("{'operations':[" + removal("a") + "]}");
}

TEST_CASE("a dry run with a time checks behind those that come before it, and leaves nothing") {
  ScheduledRig rig;
  rig.applied(kTone);
  const auto dry = [&](const std::string& operations, const std::string& when) {
    const auto answer = rig.apply(request(operations, when, ",'dryRun':true"));
    REQUIRE(answer);
    return *answer;
  };
  CHECK(dry(set_gain("a", -6), kLater).outcome() == v1::ApplyResponse::OUTCOME_VALID);
  CHECK(dry(set_gain("b", -6), kLater).problems(0).reason() == "UNKNOWN_NODE");
  rig.schedule(add_track("b"), "{'afterSeconds':500}");
  CHECK(dry(set_gain("b", -6), kLater).outcome() == v1::ApplyResponse::OUTCOME_VALID);
  CHECK(dry(add_track("b"), "{'afterSeconds':400}").problems(0).reason() == "BREAKS_SCHEDULED");
  CHECK(dry(add_track("c"), "{'utc':'2020-01-01T00:00:00Z'}").problems(0).reason() == "IN_THE_PAST");
  rig.write_wav("there.wav", 1, 48'000, {0.0f});
  const auto record = [](const std::string& file) { return "{'recordStart':{'nodes':['a'],'file':'" + file + "'}}"; };
  CHECK(dry(record("takes:new.wav"), kLater).outcome() == v1::ApplyResponse::OUTCOME_VALID);
  CHECK(dry(record("media:there.wav"), kLater).problems(0).field() == "operations[0].record_start.file");
  CHECK(rig.list().transactions_size() == 1);
  CHECK(rig.status().revision().number() == 1);
}

TEST_CASE("what can not be applied when it falls due is cancelled with its reason, and changes nothing") {
  ScheduledRig rig;
  rig.applied(kTone);
  rig.write_wav("gone.wav", 1, 48'000, std::vector<float>(100, 0.5f));
  const std::string player =
      "{'addNode':{'parent':'a','node':{'id':'p','type':'player','params':{'file':'media:gone.wav'}}}}";
  CHECK(
      rig.apply(request("{'addNode':{'parent':'a','node':{'id':'p','type':'player','params':{'file':'media:no.wav'}}}}",
                        kLater))
          .error()
          .kind == ErrorKind::not_found);
  const std::int64_t due = rig.now() + 48'000;
  const auto adds = rig.schedule(player, at_engine(due));
  const auto takes = rig.schedule("{'recordStart':{'nodes':['a'],'file':'takes:t.wav'}}", at_engine(due + 1));
  const auto follows = rig.schedule(set_gain("a", -6), at_engine(due + 2));
  std::filesystem::remove(rig.folder.path() / "media" / "gone.wav");
  rig.applied("{'operations':[{'recordStart':{'nodes':['a'],'file':'takes:t.wav'}}]}");
  const std::string before = rig.session();
  rig.hardware->run(static_cast<std::uint64_t>(due - rig.now()) - 3'000);
  CHECK(rig.wait_applied(follows) == due + 2);
  CHECK(rig.story(adds).told == std::vector<std::string>{"scheduled", "cancelled"});
  CHECK(rig.story(adds).reason == "FILE_NOT_FOUND");
  CHECK(rig.story(takes).reason == "ALREADY_RECORDING");
  CHECK(rig.list().transactions().empty());
  rig.applied("{'operations':[" + set_gain("a", 0) + "]}");
  CHECK(rig.session() == before);
}
