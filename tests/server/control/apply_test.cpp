#include <string>

#include "server/control/scheduled.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

const std::string kTrack =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','params':{'channels':1},'children':[{'id':'osc','type':"
    "'oscillator'}]}}},"
    "{'connect':{'from':'a','to':'out'}}]}";

std::string set_gain(double db, const std::string& more = "") {
  return "{'operations':[{'setParams':{'path':'a','values':{'gain_db':" + std::to_string(db) + "}}}]" + more + "}";
}

}  // namespace

TEST_CASE("a transaction's number is never given again, over restarts of the daemon too") {
  Rig rig;
  const auto first = rig.applied("{'operations':[{'addNode':{'node':{'id':'a','type':'track'}}}]}");
  const auto second = rig.applied("{'operations':[{'setLabel':{'path':'a','label':'x'}}]}");
  CHECK(second.transaction_id() > first.transaction_id());
  rig.restart();
  const auto later = rig.applied("{'operations':[{'addNode':{'node':{'id':'b','type':'track'}}}]}");
  CHECK(later.transaction_id() > second.transaction_id());
}

TEST_CASE("a parameter is applied, and the answer names the frame") {
  Rig rig;
  rig.applied(kTrack);
  const auto before = rig.engine->clock().engine_frame();
  const auto response = rig.applied(set_gain(-6));
  CHECK(response.engine_frame() >= before);
  CHECK(response.engine_frame() <= rig.engine->clock().engine_frame());
  CHECK(response.engine_frame() % rig.buffer == 0);  // the first frame of a device buffer
  CHECK(response.revision().number() == 2);
  CHECK(response.revision().epoch() != 0);
}

TEST_CASE("a frozen device: committed, never called applied, and the newest value is heard afterwards") {
  Rig rig;
  rig.applied(kTrack);
  rig.stepping = false;
  for (int i = 0; i < 10; ++i) {
    const auto response = rig.apply(set_gain(-1.0 - i, ",'maxWaitMs':1"));
    REQUIRE(response);
    CHECK(response->outcome() == v1::ApplyResponse::OUTCOME_COMMITTED);
    CHECK_FALSE(response->has_engine_frame());
  }
  auto feed = rig.watch();
  rig.stepping = true;
  rig.turns(300);
  const auto last = rig.applied(set_gain(-150));
  rig.hardware->run(4096);
  for (const float sample : rig.hardware->last_output(0)) CHECK(sample == 0.0f);
  CHECK(last.revision().number() == 12);
  int applied = 0;
  while (const auto message = feed->next({})) applied += message->has_applied();
  CHECK(applied == 11);
}

TEST_CASE("a refused transaction changes nothing") {
  Rig rig;
  rig.applied(kTrack);
  const std::string before = rig.session();
  const auto revision = rig.status().revision();
  const auto refused = rig.apply(
      "{'operations':[{'setParams':{'path':'a','values':{'gain_db':-3}}},{'addNode':{'node':{'id':'b','type':'track'}}}"
      ","
      "{'setParams':{'path':'a','values':{'gain_db':1000}}}]}");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::invalid_argument);
  CHECK(refused.error().field == "operations[2].set_params.values.gain_db");
  CHECK(rig.session() == before);
  CHECK(rig.status().revision().number() == revision.number());

  const auto unknown = rig.apply("{'operations':[{'removeNode':{'path':'nobody'}}]}");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::not_found);
  const auto missing = rig.apply(
      "{'operations':[{'addNode':{'node':{'id':'p','type':'track','children':[{'id':'x','type':'player','params':{'"
      "file':'media:gone.wav'}}]}}}]}");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
  CHECK(missing.error().field.starts_with("operations[0].add_node"));
  CHECK(rig.session() == before);
}

TEST_CASE("1 to 10,000 operations") {
  Rig rig;
  rig.applied(kTrack);
  auto none = rig.apply("{'operations':[]}");
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::invalid_argument);
  v1::ApplyRequest request;
  for (int i = 0; i < 10'000; ++i) {
    auto& set = *request.add_operations()->mutable_set_params();
    set.set_path("a");
    (*set.mutable_values())["gain_db"].set_number_value(-static_cast<double>(i % 100));
  }
  const auto full = rig.apply(request);
  REQUIRE(full);
  CHECK(full->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  *request.add_operations() = request.operations(0);
  const auto over = rig.apply(request);
  REQUIRE_FALSE(over);
  CHECK(over.error().kind == ErrorKind::invalid_argument);
  CHECK(over.error().field == "operations");
}

TEST_CASE("a transaction is one frame: two gains that cancel never let anything through") {
  Rig rig;
  // Two tracks, the same tone; one is silent at any time, and they change places in one transaction.
  rig.applied(
      "{'operations':["
      "{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'o','type':'oscillator'}]}}},"
      "{'addNode':{'node':{'id':'b','type':'track','children':[{'id':'o','type':'oscillator'}]}}},"
      "{'setParams':{'path':'b','values':{'gain_db':-150}}},"
      "{'connect':{'from':'a','to':'out:1','channels':[{'from':1,'to':1}]}},"
      "{'connect':{'from':'b','to':'out:2','channels':[{'from':1,'to':1}]}}]}");
  rig.hardware->run(48'000);
  rig.hardware->clear_recording();
  const auto response = rig.applied(
      "{'operations':[{'setParams':{'path':'a','values':{'gain_db':-150},'rampMs':0}},"
      "{'setParams':{'path':'b','values':{'gain_db':0},'rampMs':0}}]}");
  rig.hardware->run(1024);
  const auto left = rig.hardware->recording(0);
  const auto right = rig.hardware->recording(1);
  const auto first = static_cast<std::int64_t>(rig.hardware->frames()) - static_cast<std::int64_t>(left.size());
  const auto at = static_cast<std::size_t>(response.engine_frame() - first);
  REQUIRE(at < left.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    CAPTURE(i);
    if (i < at)
      CHECK(right[i] == 0.0f);
    else
      CHECK(left[i] == 0.0f);
  }
}

TEST_CASE("an expected revision that is not that of now: ABORTED") {
  Rig rig;
  const auto first = rig.applied(kTrack);
  v1::ApplyRequest request = Rig::request(set_gain(-6));
  *request.mutable_expected_revision() = first.revision();
  const auto good = rig.apply(request);
  REQUIRE(good);
  const auto stale = rig.apply(request);
  REQUIRE_FALSE(stale);
  CHECK(stale.error().kind == ErrorKind::aborted);
  request.mutable_expected_revision()->set_epoch(first.revision().epoch() + 1);
  CHECK(rig.apply(request).error().kind == ErrorKind::aborted);
}

TEST_CASE("a repeat under the same request id applies nothing and has the same outcome") {
  Rig rig;
  rig.applied(kTrack);
  const auto first = rig.applied(set_gain(-6, ",'requestId':'r1'"));
  const auto again = rig.applied(set_gain(-6, ",'requestId':'r1','maxWaitMs':5,'client':'another process'"));
  CHECK(again.SerializeAsString() == first.SerializeAsString());
  CHECK(rig.status().revision().number() == 2);
  const auto other = rig.apply(set_gain(-7, ",'requestId':'r1'"));
  REQUIRE_FALSE(other);
  CHECK(other.error().kind == ErrorKind::invalid_argument);
  CHECK(other.error().field == "request_id");
  // A refusal is an outcome, too.
  REQUIRE_FALSE(rig.apply(set_gain(1000, ",'requestId':'r2'")));
  CHECK(rig.apply(set_gain(1000, ",'requestId':'r2'")).error().reason == rig.apply(set_gain(1000)).error().reason);
  CHECK_FALSE(rig.apply(set_gain(-1, ",'requestId':'" + std::string(65, 'x') + "'")));
}

TEST_CASE("a dry run answers in its body and changes nothing") {
  Rig rig;
  rig.applied(kTrack);
  const std::string before = rig.session();
  const auto valid = rig.apply(set_gain(-6, ",'dryRun':true"));
  REQUIRE(valid);
  CHECK(valid->outcome() == v1::ApplyResponse::OUTCOME_VALID);
  const auto invalid = rig.apply(set_gain(600, ",'dryRun':true"));
  REQUIRE(invalid);
  CHECK(invalid->outcome() == v1::ApplyResponse::OUTCOME_INVALID);
  REQUIRE(invalid->problems_size() == 1);
  CHECK(invalid->problems(0).field() == "operations[0].set_params.values.gain_db");
  CHECK(rig.session() == before);
}

TEST_CASE("a time that is none is refused, never taken as now") {
  Rig rig;
  rig.applied(kTrack);
  for (const char* when : {"{}", "{'timelineFrame':'-1'}", "{'timelineFrame':'2000000000000000'}", "{'utc':'tomorrow'}",
                           "{'utc':''}", "{'utc':'2026-13-20T12:00:00Z'}", "{'utc':'2026-11-20T12:00:00+01:00'}",
                           "{'afterSeconds':-1}", "{'engineFrame':{'frame':'-1'}}"}) {
    CAPTURE(when);
    const auto refused = rig.apply(set_gain(-6, std::string(",'when':") + when));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::invalid_argument);
    CHECK(refused.error().field.starts_with("when"));
  }
  rig.applied(set_gain(-6, ",'when':{'now':{}}"));
  CHECK(rig.apply(set_gain(-7, ",'when':{'utc':'2020-11-20T12:00:00Z'}")).error().reason == "IN_THE_PAST");
}

TEST_CASE("two thousand operations are one revision, one plan and one frame; the bound is the one that GetInfo tells") {
  Rig rig;
  rig.applied(kTrack);
  const auto feed = rig.watch();
  const auto number = rig.status().revision().number();
  v1::ApplyRequest request;
  for (int i = 0; i < 667; ++i) {
    const std::string id = "g" + std::to_string(i);
    v1::AddNode& add = *request.add_operations()->mutable_add_node();
    add.set_parent("a");
    (*add.mutable_node()->mutable_fields())["id"].set_string_value(id);
    (*add.mutable_node()->mutable_fields())["type"].set_string_value("gain");
    v1::SetParams& set = *request.add_operations()->mutable_set_params();
    set.set_path("a/" + id);
    (*set.mutable_values())["gain_db"].set_number_value(-0.01);
    if (i == 666) continue;
    v1::MoveNode& move = *request.add_operations()->mutable_move_node();
    move.set_path("a/" + id);
    move.set_before(i == 0 ? "osc" : "g" + std::to_string(i - 1));
  }
  REQUIRE(request.operations_size() == 2000);
  v1::ApplyRequest broken = request;
  broken.mutable_operations(1999)->mutable_set_params()->set_path("a/none");
  const std::string before = rig.session();
  const auto refused = rig.apply(broken);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().field.starts_with("operations[1999]"));
  CHECK(rig.session() == before);

  rig.stepping = false;  // one plan: the audio thread has the whole of it in one batch, or nothing
  const auto committed = rig.apply([&] {
    v1::ApplyRequest wait = request;
    wait.set_wait(v1::WAIT_COMMITTED);
    return wait;
  }());
  REQUIRE(committed);
  rig.stepping = true;
  std::int64_t frame = -1;
  int changes = 0, applied = 0;
  REQUIRE(rig.until([&] {
    while (const auto message = feed->next({})) {
      changes += message->has_change() || (message->has_snapshot_end() && message->snapshot_end().resync()) ? 1 : 0;
      if (!message->has_applied()) continue;
      frame = message->applied().engine_frame();
      applied += message->applied().transaction_id() == committed->transaction_id() ? 1 : 0;
    }
    return applied > 0;
  }));
  CHECK(changes == 1);
  CHECK(applied == 1);
  CHECK(frame % 256 == 0);  // the first frame of a buffer
  CHECK(rig.status().revision().number() == number + 1);
  CHECK(rig.status().nodes() == 4 + 667);

  const auto info = rig.answer<v1::GetInfoResponse>([&](auto done) { rig.engine->info(std::move(done)); });
  REQUIRE(info);
  CHECK(info->max_scheduled() == control::Scheduled::kMaxHeld);
  v1::ApplyRequest most;
  for (std::uint32_t i = 0; i < info->max_operations(); ++i) {
    v1::SetLabel& label = *most.add_operations()->mutable_set_label();
    label.set_path("a");
    label.set_label(std::to_string(i));
  }
  REQUIRE(rig.apply(most));
  CHECK(rig.status().revision().number() == number + 2);
  *most.add_operations() = most.operations(0);
  CHECK(rig.apply(most).error().reason == "TOO_MANY");
}

TEST_CASE("mute and solo are heard") {
  Rig rig;
  rig.applied(kTrack);
  rig.applied("{'operations':[{'setParams':{'path':'a','values':{'mute':true},'rampMs':0}}]}");
  rig.hardware->run(1024);
  for (const float sample : rig.hardware->last_output(0)) CHECK(sample == 0.0f);
  rig.applied("{'operations':[{'setParams':{'path':'a','values':{'mute':false},'rampMs':0}}]}");
  rig.hardware->run(1024);
  float peak = 0.0f;
  for (const float sample : rig.hardware->last_output(0)) peak = std::max(peak, std::abs(sample));
  CHECK(peak > 0.01f);
}

TEST_CASE(
    "a connection to a channel that the device does not have is accepted, and told: now, later, and in the status") {
  Rig rig;
  rig.applied("{'operations':[{'addNode':{'node':{'id':'a','type':'track'}}},{'connect':{'from':'a','to':'out'}}]}");
  const std::string line = "a to out:99: the device has only 2 output channels";
  const std::string connect = "{'operations':[{'connect':{'from':'a','to':'out:99'}}]";
  const auto dry = rig.apply(connect + ",'dryRun':true}");
  REQUIRE(dry);
  REQUIRE(dry->warnings_size() == 1);
  CHECK(dry->warnings(0) == line);
  CHECK(rig.status().state() == v1::GetStatusResponse::STATE_HEALTHY);
  const auto made = rig.applied(connect + "}");
  REQUIRE(made.warnings_size() == 1);
  CHECK(made.warnings(0) == line);
  // Told once, by the one that did it.
  const auto map = rig.applied(
      "{'operations':[{'connect':{'from':'in:3','to':'a'}},"
      "{'connect':{'from':'a','to':'out','channels':[{'from':1,'to':1},{'from':2,'to':3}]}}]}");
  REQUIRE(map.warnings_size() == 2);
  CHECK(map.warnings(0) == "in:3 to a: the device has only 2 input channels");
  CHECK(map.warnings(1) == "a to out: the device has only 2 output channels");
  CHECK(rig.applied("{'operations':[{'setLabel':{'path':'a','label':'x'}}]}").warnings_size() == 0);
  const auto status = rig.status();
  CHECK(status.state() == v1::GetStatusResponse::STATE_DEGRADED);
  REQUIRE(status.reasons_size() == 3);
  CHECK(status.reasons(0) == line);
  rig.applied(
      "{'operations':[{'disconnect':{'from':'a','to':'out:99'}},{'disconnect':{'from':'in:3','to':'a'}},"
      "{'disconnect':{'from':'a','to':'out'}}]}");
  CHECK(rig.status().state() == v1::GetStatusResponse::STATE_HEALTHY);
}
