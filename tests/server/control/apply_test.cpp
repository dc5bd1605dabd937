#include <string>

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

TEST_CASE("a time that this version does not keep is refused, never taken as now") {
  Rig rig;
  rig.applied(kTrack);
  for (const char* when : {"{'timelineFrame':'48000'}", "{'utc':'2026-11-20T12:00:00Z'}"}) {
    const auto refused = rig.apply(set_gain(-6, std::string(",'when':") + when));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::unimplemented);
    CHECK(refused.error().field == "when");
  }
  CHECK(rig.apply(set_gain(-6, ",'when':{}")).error().kind == ErrorKind::invalid_argument);
  rig.applied(set_gain(-6, ",'when':{'now':{}}"));
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
