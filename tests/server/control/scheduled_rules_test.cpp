#include <string>

#include "server/control/scheduled.hpp"
#include "tests/server/control/scheduled_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

const std::string kTone =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'o','type':'oscillator'}]}}},"
    "{'connect':{'from':'a','to':'out'}}]}";

std::string set_gain(const std::string& path, double db) {
  return "{'setParams':{'path':'" + path + "','values':{'gain_db':" + std::to_string(db) + "},'rampMs':0}}";
}
std::string add_track(const std::string& id) { return "{'addNode':{'node':{'id':'" + id + "','type':'track'}}}"; }
std::string removal(const std::string& path) { return "{'removeNode':{'path':'" + path + "'}}"; }
std::string request(const std::string& operations, const std::string& when, const std::string& more = "") {
  return "{'operations':[" + operations + "],'when':" + when + more + "}";
}
const std::string kLater = "{'afterSeconds':1000}";

Result<v1::UseDeviceResponse> use(Rig& rig, const std::string& name) {
  v1::UseDeviceRequest request;
  request.set_name(name);
  return rig.answer<v1::UseDeviceResponse>([&](auto done) { rig.engine->use_device(request, std::move(done)); });
}

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

TEST_CASE("a request id tells the outcome as it is: scheduled, then applied, or cancelled") {
  ScheduledRig rig;
  rig.applied(kTone);
  const std::int64_t due = rig.now() + 48'000;
  const auto one = request(set_gain("a", -6), at_engine(due), ",'requestId':'one'");
  const auto first = rig.apply(one);
  REQUIRE(first);
  const auto again = rig.apply(one);
  REQUIRE(again);
  CHECK(again->outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED);
  CHECK(again->transaction_id() == first->transaction_id());
  CHECK(rig.list().transactions_size() == 1);
  CHECK(rig.apply(request(set_gain("a", -7), at_engine(due), ",'requestId':'one'")).error().reason ==
        "REQUEST_ID_REUSED");
  rig.hardware->run(static_cast<std::uint64_t>(due - rig.now()) - 3'000);
  CHECK(rig.wait_applied(first->transaction_id()) == due);
  const auto after = rig.apply(one);
  REQUIRE(after);
  CHECK(after->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  CHECK(after->engine_frame() == due);
  CHECK(rig.status().revision().number() == 2);

  const auto two = request(set_gain("a", -8), kLater, ",'requestId':'two'");
  REQUIRE(rig.cancel(rig.apply(two)->transaction_id()));
  CHECK(rig.apply(two).error().reason == "CANCELLED");
}

TEST_CASE("what a caller waits for: scheduled unless asked, and at the end of its patience what is true") {
  ScheduledRig rig;
  rig.applied(kTone);
  for (const char* wait : {",'wait':'WAIT_APPLIED','maxWaitMs':20", ",'wait':'WAIT_COMMITTED','maxWaitMs':20"}) {
    const auto answer = rig.apply(request(set_gain("a", -6), kLater, wait));
    REQUIRE(answer);
    CHECK(answer->outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED);
    CHECK_FALSE(answer->has_engine_frame());
  }
  std::optional<Result<v1::ApplyResponse>> waits;
  const std::int64_t due = rig.now() + 5'000;
  rig.engine->apply(
      Rig::request(request(set_gain("a", -9), at_engine(due), ",'wait':'WAIT_APPLIED','maxWaitMs':60000")),
      [&](auto answer) { waits.emplace(std::move(answer)); });
  rig.stepping = false;  // the device stands still: committed, never called applied
  REQUIRE(rig.until([&] { return rig.status().revision().number() == 2; }));
  rig.turns(5);
  CHECK_FALSE(waits);
  const auto other = rig.apply("{'operations':[" + set_gain("a", -10) + "],'maxWaitMs':20}");
  REQUIRE(other);
  CHECK(other->outcome() == v1::ApplyResponse::OUTCOME_COMMITTED);
  rig.stepping = true;
  REQUIRE(rig.until([&] { return waits.has_value(); }));
  REQUIRE(*waits);
  CHECK((*waits)->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  CHECK((*waits)->engine_frame() == due);
  CHECK(rig.wait_applied(other->transaction_id()) == due);
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
  CHECK(dry(add_track("c"), "{'utc':'2020-01-01T00:00:00Z'}").outcome() == v1::ApplyResponse::OUTCOME_VALID);
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

TEST_CASE("the number of scheduled transactions is bounded, so are their operations; the loser is the newcomer") {
  ScheduledRig rig;
  rig.applied(kTone);
  std::size_t taken = 0;
  const auto fill = [&](std::size_t count, const v1::ApplyRequest& request) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t before = taken;
      rig.engine->apply(request, [&](const auto& answer) { taken += answer ? 1 : 0; });
      REQUIRE(rig.until([&] { return taken > before; }));
    }
  };
  fill(Scheduled::kMaxHeld, Rig::request(request(set_gain("a", -6), kLater)));
  const auto over = rig.apply(request(set_gain("a", -6), kLater));
  REQUIRE_FALSE(over);
  CHECK(over.error().kind == ErrorKind::resource_exhausted);
  CHECK(over.error().reason == "TOO_MANY_SCHEDULED");
  CHECK(rig.apply(request(set_gain("a", -6), kLater, ",'dryRun':true"))->outcome() ==
        v1::ApplyResponse::OUTCOME_INVALID);
  rig.applied("{'operations':[" + add_track("b") + "]}");  // others are not concerned
  const auto first = rig.list().transactions(0).transaction_id();
  REQUIRE(rig.cancel(first));
  fill(1, Rig::request(request(set_gain("a", -6), kLater)));
  REQUIRE(rig.load("{'format':1}"));

  rig.applied(kTone);
  v1::ApplyRequest big = Rig::request(request(set_gain("a", -6), kLater));
  while (big.operations_size() < 10'000) *big.add_operations() = big.operations(0);
  fill(Scheduled::kMaxOperations / 10'000, big);
  CHECK(rig.apply(request(set_gain("a", -6), kLater)).error().reason == "TOO_MANY_SCHEDULED");
}

TEST_CASE("the list comes in pages, and leaves out what is large") {
  ScheduledRig rig;
  rig.applied(kTone);
  v1::ApplyRequest big =
      Rig::request(request("{'setLabel':{'path':'a','label':'" + std::string(60'000, 'x') + "'}}", kLater));
  v1::ApplyRequest larger =
      Rig::request(request("{'setLabel':{'path':'a','label':'" + std::string(70'000, 'x') + "'}}", kLater));
  // The label itself is bounded, so that operations make the size.
  for (v1::ApplyRequest* request : {&big, &larger}) {
    const std::size_t bytes = request->operations(0).set_label().label().size();
    request->mutable_operations(0)->mutable_set_label()->set_label(std::string(100, 'x'));
    while (request->ByteSizeLong() + 200 < bytes) *request->add_operations() = request->operations(0);
  }
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 20; ++i) {
    const auto answer = rig.apply(i == 3 ? larger : big);
    REQUIRE_MESSAGE(answer, answer.error().message);
    ids.push_back(answer->transaction_id());
  }
  std::vector<std::uint64_t> listed;
  std::string token;
  int pages = 0;
  do {
    const auto page = rig.list(token);
    CHECK(page.ByteSizeLong() < (1u << 20) + (128u << 10));
    for (const auto& transaction : page.transactions()) {
      listed.push_back(transaction.transaction_id());
      CHECK((transaction.operations_size() == 0) == (transaction.transaction_id() == ids[3]));
      CHECK(transaction.operation_count() > 1);
    }
    token = page.next_page_token();
    ++pages;
  } while (!token.empty());
  CHECK(pages == 2);
  CHECK(listed == ids);
  v1::ListScheduledRequest bad;
  bad.set_page_token("x");
  CHECK_FALSE(
      rig.answer<v1::ListScheduledResponse>([&](auto done) { rig.engine->list_scheduled(bad, std::move(done)); }));
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
