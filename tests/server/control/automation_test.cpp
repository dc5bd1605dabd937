#include <cmath>
#include <string>

#include "tests/server/control/scheduled_rig.hpp"

// A lane on its way through the engine: what is refused, what watchers see, and when it is in the sound.
using namespace continuo;
using namespace continuo::control::test;

namespace {

/// An input of 1 on the left, through a track.
const std::string kTrack =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','params':{'channels':1}}}},{'connect':{'from':'in:1','"
    "to':"
    "'a'}},{'connect':{'from':'a','to':'out'}}]}";

std::string set_lane(const std::string& more) { return "{'setAutomation':{'path':'a','param':'gain_db'" + more + "}}"; }
std::string lane(const std::string& more) { return "{'operations':[" + set_lane(more) + "]}"; }
const std::string kPoints =
    ",'points':[{'frame':0,'value':-150,'curve':'hold'},{'frame':48000,'value':0,'curve':'hold'},{'frame':96000,"
    "'value':-150}]";

}  // namespace

TEST_CASE("under a lane a set is FAILED_PRECONDITION; switched off the parameter takes values again") {
  Rig rig;
  rig.applied(kTrack);
  rig.applied(lane(kPoints));
  const auto revision = rig.status().revision().number();
  const std::string set = "{'operations':[{'setParams':{'path':'a','values':{'gain_db':-6}}}]}";
  const auto refused = rig.apply(set);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::failed_precondition);
  CHECK(refused.error().reason == "AUTOMATED");
  CHECK(refused.error().field == "operations[0].set_params.values.gain_db");
  CHECK(rig.status().revision().number() == revision);
  rig.applied("{'operations':[{'setParams':{'path':'a','values':{'pan':0.5}}}]}");
  rig.applied(lane(",'on':false"));
  rig.applied(set);
  rig.applied(lane(",'on':true"));
  CHECK_FALSE(rig.apply(set));
  rig.applied("{'operations':[{'clearAutomation':{'path':'a','param':'gain_db'}}]}");
  rig.applied(set);
}

TEST_CASE("a lane sounds: at a locate, from the very frame, and after it is gone the value of its own") {
  Rig rig;
  rig.applied(kTrack);
  rig.hardware->set_input([](std::uint32_t, rt::FrameCount) { return 1.0f; });
  const auto level = [&] {
    rig.hardware->run(4096);
    return static_cast<double>(rig.hardware->last_output(0).back());
  };
  const double open = std::sqrt(0.5);  // one channel in the middle
  CHECK(level() == doctest::Approx(open));
  rig.applied(lane(kPoints));
  CHECK(level() == 0.0);
  rig.applied("{'operations':[{'locate':{'timelineFrame':50000}}]}");
  CHECK(level() == doctest::Approx(open));
  rig.applied("{'operations':[{'locate':{'timelineFrame':96000}}]}");
  CHECK(level() == 0.0);
  rig.applied(lane(",'on':false"));
  CHECK(level() == doctest::Approx(open));
  rig.applied(lane(",'on':true"));
  CHECK(level() == 0.0);
  rig.applied("{'operations':[{'clearAutomation':{'path':'a','param':'gain_db'}}]}");
  CHECK(level() == doctest::Approx(open));
  CHECK(rig.session().find("automation") == std::string::npos);
}

TEST_CASE("watchers and the list of parameters tell of a lane; a session with lanes loads and prints the same") {
  Rig rig;
  rig.applied(kTrack);
  auto feed = rig.watch();
  rig.applied(lane(kPoints));
  bool seen = false;
  while (const auto message = feed->next({})) {
    if (!message->has_change()) continue;
    const v1::Operation& operation = message->change().operations(0);
    seen |= operation.has_set_automation() && operation.set_automation().points_size() == 3;
  }
  CHECK(seen);
  const auto params = rig.answer<v1::ListParamsResponse>([&](auto done) { rig.engine->list_params("a", done); });
  REQUIRE(params);
  int lanes = 0;
  for (const auto& param : params->params()) {
    if (!param.has_automation()) continue;
    ++lanes;
    CHECK(param.spec().name() == "gain_db");
    CHECK(param.automation().on());
    CHECK(param.automation().points() == 3);
    CHECK(param.automation().first_frame() == 0);
    CHECK(param.automation().last_frame() == 96000);
  }
  CHECK(lanes == 1);
  const std::string text = rig.session();
  REQUIRE(rig.load(text));
  CHECK(rig.session() == text);
}

TEST_CASE("a lane that comes at a frame of the future takes over at that frame") {
  ScheduledRig rig;
  rig.applied(kTrack);
  rig.hardware->set_input([](std::uint32_t, rt::FrameCount) { return 1.0f; });
  const auto frame = rig.now() + 48000;
  const auto id = rig.schedule(set_lane(kPoints), at_engine(frame));
  rig.hardware->run(43000);  // into the lead
  CHECK(rig.wait_applied(id) == frame);
  rig.hardware->run(4096);
  CHECK(rig.hardware->last_output(0).back() == 0.0f);
  CHECK_FALSE(rig.apply("{'operations':[{'setParams':{'path':'a','values':{'gain_db':-6}}}]}"));
}
