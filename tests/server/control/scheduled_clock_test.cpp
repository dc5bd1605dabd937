// When a scheduled transaction falls due while clocks start, stop, jump, change and end.
#include <memory>
#include <string>
#include <vector>

#include "tests/server/control/scheduled_requests.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

Result<v1::UseDeviceResponse> use(Rig& rig, const std::string& name) {
  v1::UseDeviceRequest request;
  request.set_name(name);
  return rig.answer<v1::UseDeviceResponse>([&](auto done) { rig.engine->use_device(request, std::move(done)); });
}

}  // namespace

TEST_CASE("a timeline frame waits while the timeline stands, follows every start, stop and locate, and fires once") {
  ScheduledRig rig;
  rig.applied(kTone);
  const auto transport = [&](const std::string& operations) {
    return rig.applied("{'operations':[" + operations + "]}").engine_frame();
  };
  const auto due_of = [&](std::uint64_t id) -> std::int64_t {
    const auto listed = rig.list();
    for (const auto& transaction : listed.transactions()) {
      if (transaction.transaction_id() == id) return transaction.has_engine_frame() ? transaction.engine_frame() : -1;
    }
    return -2;
  };
  const auto id = rig.schedule(set_gain("a", -6), at_timeline(60'000));
  CHECK(rig.story(id).due == -1);
  rig.hardware->run(96'000);
  rig.turns(5);
  CHECK(due_of(id) == -1);
  const auto started = transport("{'play':{}}");
  CHECK(due_of(id) == started + 60'000);
  rig.hardware->run(20'000);
  const auto stopped = transport("{'stop':{}}");
  CHECK(due_of(id) == -1);
  rig.hardware->run(96'000);
  const auto again = transport("{'play':{}}");
  CHECK(due_of(id) == again + 60'000 - (stopped - started));
  const auto beyond = transport("{'locate':{'timelineFrame':'60001'}}");
  CHECK(beyond < again + 10'000);
  CHECK(due_of(id) == -1);
  rig.hardware->run(96'000);
  rig.turns(5);
  CHECK_FALSE(rig.story(id).has("committed"));
  const auto before = transport("{'locate':{'timelineFrame':'20000'}}");
  CHECK(due_of(id) == before + 40'000);
  rig.hardware->run(static_cast<std::uint64_t>(before + 37'000 - rig.now()));
  CHECK(rig.wait_applied(id) == before + 40'000);
  // Once: a second pass is none of its business.
  rig.applied("{'operations':[" + set_gain("a", 0) + "]}");
  transport("{'locate':{'timelineFrame':'59000'}}");
  rig.hardware->run(9'600);
  rig.turns(5);
  CHECK(rig.story(id).told == std::vector<std::string>{"scheduled", "committed", "applied"});
  CHECK(due_of(id) == -2);
}

TEST_CASE("a timeline frame behind a scheduled start or locate is exact too, and a pass that came too soon is told") {
  ScheduledRig rig;
  rig.applied(kTone);
  const std::int64_t start = rig.now() + 60'000;
  const auto plays = rig.schedule("{'play':{}}", at_engine(start));
  const auto passed = rig.schedule(set_gain("a", -6), at_timeline(100));
  const auto jumps = rig.schedule("{'locate':{'timelineFrame':'480000'}}", at_timeline(500));
  const auto there = rig.schedule(set_gain("a", -7), at_timeline(480'000));
  const auto never = rig.schedule(set_gain("a", -8), at_timeline(600));
  CHECK(rig.story(passed).due == start + 100);
  CHECK(rig.story(jumps).due == start + 500);
  CHECK(rig.story(there).due == start + 500);
  CHECK(rig.story(never).due == -1);
  rig.hardware->run(static_cast<std::uint64_t>(start - rig.now()) - 3'000);
  for (const auto id : {plays, passed, jumps, there}) rig.wait_committed(id);
  CHECK(rig.wait_applied(plays) == start);
  CHECK(rig.wait_applied(passed) == start + 100);
  CHECK(rig.wait_applied(jumps) == start + 500);
  CHECK(rig.wait_applied(there) == start + 500);
  CHECK_FALSE(rig.story(never).has("committed"));
  const auto located = rig.applied("{'operations':[{'locate':{'timelineFrame':'599'}}]}").engine_frame();
  REQUIRE(rig.until([&] { return rig.story(never).has("applied"); }));
  CHECK(rig.story(never).frame > located + 1);  // the device had passed it when the strand heard of the locate
  CHECK(rig.story(never).frame < located + 48'000);
}

TEST_CASE("a lost device: what was on its way lands on the next one, what was held goes on counting") {
  ScheduledRig rig;
  rig.applied(kTone);
  const std::int64_t due = rig.now() + 6'000;
  const auto near = rig.schedule(add_track("b"), at_engine(due));
  const auto far = rig.schedule(set_gain("b", -6), at_engine(due + 24'000));
  rig.wait_committed(near);
  rig.stepping = false;
  rig.hardware->lose();  // the clock device takes over, at its own pace
  REQUIRE(rig.until([&] { return rig.story(near).has("applied"); }));
  CHECK(rig.story(near).frame < due);
  rig.stepping = true;  // and it is taken back
  REQUIRE(rig.until([&] { return rig.story(far).has("applied"); }));
  CHECK(rig.story(far).frame >= due + 24'000);
  CHECK(rig.status().counters().commands_orphaned() == 0);
}

TEST_CASE("another rate: seconds stay seconds, a frame of the clock before is cancelled") {
  RigOptions options;
  options.wanted = "stepped";
  const auto other = std::make_shared<device::SteppedHardware>(device::stepped_info("other", 2, 2, 96'000.0));
  options.more.push_back(other);
  ScheduledRig rig(options);
  rig.applied(kTone);
  const auto clock = rig.engine->clock();
  const auto bound = rig.schedule(set_gain("a", -6), "{'engineFrame':{'frame':'99999999','generation':'" +
                                                         std::to_string(clock.generation()) + "'}}");
  const auto after = rig.schedule(set_gain("a", -7), "{'afterSeconds':100}");
  const auto frame = rig.schedule(set_gain("a", -8), at_engine(88'888'888));
  REQUIRE(use(rig, "other"));
  REQUIRE(rig.until([&] { return rig.story(bound).has("cancelled"); }));
  CHECK(rig.story(bound).reason == "CLOCK_CHANGED");
  const auto listed = rig.list();
  REQUIRE(listed.transactions_size() == 2);
  CHECK(listed.transactions(0).transaction_id() == after);
  const auto now = rig.engine->clock();
  const double left = static_cast<double>(listed.transactions(0).engine_frame() - now.engine_frame()) / 96'000.0;
  CHECK(left > 50.0);
  CHECK(left < 100.0);
  CHECK(listed.transactions(1).transaction_id() == frame);
  CHECK(listed.transactions(1).engine_frame() == 88'888'888);
  CHECK(rig.apply(request(set_gain("a", -6), "{'engineFrame':{'frame':'99999999','generation':'1'}}")).error().kind ==
        ErrorKind::aborted);
}

TEST_CASE("the end of the daemon is told for what had not fallen due") {
  ScheduledRig rig;
  rig.applied(kTone);
  const auto id = rig.schedule(set_gain("a", -6), kLater);
  rig.shutdown();
  CHECK(rig.story(id).reason == "SHUTTING_DOWN");
}
