#include "server/control/scheduled.hpp"

#include <google/protobuf/util/time_util.h>

#include <cmath>
#include <string>

#include "tests/server/control/scheduled_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

// Constant signals, so that the first frame that an edit changes can be seen: a free player that rolls, and one on the
// timeline whose file falls to half its level after five seconds.
constexpr std::int64_t kStep = 240'000;
const std::string kSession =
    "{'addNode':{'node':{'id':'d','type':'track','params':{'channels':1},'children':["
    "{'id':'p','type':'player','params':{'file':'media:dc.wav','mode':'free','loop':true}},{'id':'g','type':'gain'}]}}}"
    ","
    "{'addNode':{'node':{'id':'t','type':'track','params':{'channels':1},'children':["
    "{'id':'p','type':'player','params':{'file':'media:step.wav'}}]}}},"
    "{'addNode':{'node':{'id':'b','type':'bus','params':{'channels':1,'gain_db':-6}}}},"
    "{'connect':{'from':'d','to':'out:1'}},{'connect':{'from':'t','to':'out:1'}},{'connect':{'from':'b','to':'out:1'}}";
const std::string kFree = ",{'play':{'players':['d/p']}}";
const std::string kPlay = ",{'play':{}}";

struct Case {
  const char* name;
  std::string before;  // operations behind kSession
  std::string operations;
  std::int64_t first;  // the first frame that sounds different, from the due one on; -1: nothing does
};

// What is taken away or added fades from the due frame on: the first step of the fade is the frame after it.
const Case kCases[] = {
    {"set_params", kFree, "{'setParams':{'path':'d','values':{'gain_db':-6},'rampMs':0}}", 0},
    {"set_params with a ramp", kFree, "{'setParams':{'path':'d','values':{'gain_db':-6},'rampMs':100}}", 1},
    {"several", kFree,
     "{'setLabel':{'path':'d','label':'x'}},{'setParams':{'path':'d','values':{'mute':true},'rampMs':0}},"
     "{'addNode':{'node':{'id':'more','type':'track'}}}",
     1},  // a mute ramps, too
    {"add_node", kFree, "{'addNode':{'parent':'d','node':{'id':'h','type':'gain','params':{'gain_db':-6}}}}", 1},
    {"remove_node", kFree, "{'removeNode':{'path':'d'}}", 1},
    {"move_node", kFree, "{'moveNode':{'path':'d/p','parent':'b'}}", 1},
    {"connect", kFree, "{'connect':{'from':'d','to':'b'}}", 1},
    {"disconnect", kFree, "{'disconnect':{'from':'d','to':'out:1'}}", 1},
    {"a structural parameter", kFree, "{'setParams':{'path':'d/p','values':{'file':'media:half.wav'}}}", 1},
    {"set_automation", kFree + kPlay,
     "{'setAutomation':{'path':'d','param':'gain_db','points':[{'frame':'0','value':-6}]}}", 1},  // glides to the lane
    {"set_label", kFree, "{'setLabel':{'path':'d','label':'x'}}", -1},
    {"play", kFree, "{'play':{}}", 0},
    {"stop", kFree + kPlay, "{'stop':{}}", 0},
    {"locate", kFree + kPlay, "{'locate':{'timelineFrame':'240100'}}", 0},
    {"locate and play", kFree, "{'locate':{'timelineFrame':'240100'}},{'play':{}}", 0},
    {"play a free player", kPlay, "{'play':{'players':['d/p']}}", 0},
    {"stop a free player", kFree, "{'stop':{'players':['d/p']}}", 0},
};

void write_files(Rig& rig) {
  rig.write_wav("dc.wav", 1, 48'000, std::vector<float>(4800, 0.25f));
  rig.write_wav("half.wav", 1, 48'000, std::vector<float>(4800, 0.125f));
  std::vector<float> step(2 * kStep, 0.125f);
  std::fill(step.begin() + kStep, step.end(), 0.0625f);
  rig.write_wav("step.wav", 1, 48'000, step);
}

enum class Kind { engine, after, timeline, utc };
constexpr Kind kKinds[] = {Kind::engine, Kind::after, Kind::timeline, Kind::utc};
const char* name_of(Kind kind) {
  constexpr const char* kNames[] = {"engine", "after", "timeline", "utc"};
  return kNames[static_cast<int>(kind)];
}

/// A When for `frames` from now; the rate is 48 kHz, and so is the session's.
std::string when(const ScheduledRig& rig, Kind kind, std::int64_t frames) {
  char text[64];
  switch (kind) {
    case Kind::engine:
      return at_engine(rig.now() + frames);
    case Kind::after:
      std::snprintf(text, sizeof text, "{'afterSeconds':%.9f}", static_cast<double>(frames) / 48'000.0);
      return text;
    case Kind::timeline:
      return at_timeline(rig.engine->clock().timeline_frame() + frames);
    case Kind::utc: {
      const double seconds = static_cast<double>(rig.now() + frames) / 48'000.0;
      std::snprintf(text, sizeof text, "{'utc':'2026-11-20T12:00:%012.9fZ'}", seconds);
      return text;
    }
  }
  return {};
}

}  // namespace

TEST_CASE("every operation at every kind of time: at that very sample, committed before it and applied at it") {
  for (const Kind kind : kKinds) {
    for (const Case& test : kCases) {
      CAPTURE(std::string(name_of(kind)));
      CAPTURE(std::string(test.name));
      RigOptions options;
      options.own_utc = true;
      ScheduledRig rig(options);
      write_files(rig);
      // A timeline frame needs a timeline that rolls. What starts it has nothing to change then.
      const bool starts = test.operations.find("'play':{}") != std::string::npos;
      const bool rolls = test.before.find(kPlay) != std::string::npos;
      if (kind == Kind::timeline && starts) continue;
      rig.applied("{'operations':[" + kSession + test.before + (kind == Kind::timeline && !rolls ? kPlay : "") + "]}");
      rig.hardware->run(9600);
      rig.turns(3);
      rig.hardware->clear_recording();
      const std::int64_t begin = rig.now();
      const std::int64_t due = begin + 5'003;
      const std::uint64_t id = rig.schedule(test.operations, when(rig, kind, due - begin));
      CHECK(rig.wait_applied(id) == due);
      CHECK(rig.story(id).due == due);
      CHECK(rig.story(id).told == std::vector<std::string>{"scheduled", "committed", "applied"});
      rig.hardware->run(2000);
      const auto heard = rig.hardware->recording(0);
      std::int64_t first = 0;
      const auto end = static_cast<std::int64_t>(heard.size());
      while (first < end && heard[static_cast<std::size_t>(first)] == heard[0]) ++first;
      CHECK(heard[0] != 0.0f);
      CHECK((first == end ? -1 : first - (due - begin)) == test.first);
      CHECK(rig.status().counters().starved_frames() == 0);
      CHECK(rig.list().transactions().empty());
    }
  }
}

TEST_CASE("takes begin and end at their frames, named as an unscheduled one is") {
  for (const Kind kind : kKinds) {
    CAPTURE(std::string(name_of(kind)));
    RigOptions options;
    options.own_utc = true;
    ScheduledRig rig(options);
    write_files(rig);
    rig.applied("{'operations':[" + kSession + kFree + kPlay + "]}");
    rig.hardware->run(9600);
    rig.turns(3);
    const std::int64_t start = rig.now() + 5'003;
    const std::uint64_t begins =
        rig.schedule("{'recordStart':{'nodes':['d'],'file':'takes:x.wav'}}", when(rig, kind, start - rig.now()));
    CHECK(rig.wait_applied(begins) == start);
    const std::int64_t stop = rig.now() + 4'001;
    const std::uint64_t ends = rig.schedule("{'recordStop':{'nodes':['d']}}", when(rig, kind, stop - rig.now()));
    CHECK(rig.wait_applied(ends) == stop);
    v1::GetStatusResponse::Take take;
    REQUIRE(rig.until([&] {
      const auto status = rig.status();
      if (status.takes_size() == 1) take = status.takes(0);
      return status.takes_size() == 1 && !take.recording();
    }));
    CHECK(take.file() == "takes:x.wav");
    CHECK(take.start_engine_frame() == start);
    CHECK(take.frames() == stop - start);
    CHECK(take.lost_frames() == 0);
  }
}

TEST_CASE("several at one frame are applied there in the order in which they were accepted") {
  ScheduledRig rig;
  write_files(rig);
  rig.applied("{'operations':[" + kSession + kFree + "]}");
  rig.hardware->run(9600);
  rig.turns(3);
  rig.hardware->clear_recording();
  const std::int64_t begin = rig.now();
  const std::int64_t due = begin + 24'000;
  const auto set = [](double db) {
    return "{'setParams':{'path':'d/g','values':{'gain_db':" + std::to_string(db) + "},'rampMs':0}}";
  };
  std::vector<std::uint64_t> ids;
  ids.push_back(rig.schedule(set(-20), at_engine(due)));
  ids.push_back(rig.schedule("{'addNode':{'parent':'d','node':{'id':'h','type':'gain'}}}", at_engine(due)));
  ids.push_back(rig.schedule("{'setParams':{'path':'d/h','values':{'gain_db':-40},'rampMs':0}}", at_engine(due)));
  ids.push_back(rig.schedule(set(-3), at_engine(due)));
  ids.push_back(rig.schedule("{'removeNode':{'path':'d/h'}}", at_engine(due)));
  rig.schedule(set(-9), at_engine(due + 480'000));
  const auto last = rig.schedule(set(0), at_engine(due - 1));  // accepted last, due first
  rig.hardware->run(18'000);
  for (const auto id : ids) rig.wait_committed(id);
  CHECK(rig.wait_applied(last) == due - 1);
  for (const auto id : ids) CHECK(rig.wait_applied(id) == due);
  rig.hardware->run(4000);
  const auto heard = rig.hardware->recording(0);
  const auto at = static_cast<std::size_t>(due - begin);
  CHECK(heard[at - 1] == heard[0]);
  CHECK(heard[at + 3000] == doctest::Approx(heard[0] * std::pow(10.0, -3.0 / 20.0)).epsilon(1e-4));
  CHECK(rig.list().transactions_size() == 1);
  CHECK(rig.session().find("\"h\"") == std::string::npos);
}

TEST_CASE("edits in the lead follow what is under way; values of other parameters go at once") {
  ScheduledRig rig;
  write_files(rig);
  rig.applied("{'operations':[" + kSession + kFree + "]}");
  rig.hardware->run(9600);
  rig.turns(3);
  const float before = rig.hardware->last_output(0).back();
  const std::int64_t due = rig.now() + 6'000;
  const auto committed = [&](const std::string& operations) {
    rig.stepping = false;
    const auto answer = rig.apply("{'operations':[" + operations + "],'wait':'WAIT_COMMITTED'}");
    REQUIRE(answer);
    rig.stepping = true;
    return answer->transaction_id();
  };
  const auto gain = rig.schedule("{'setParams':{'path':'d','values':{'gain_db':-6},'rampMs':0}}", at_engine(due));
  rig.wait_committed(gain);
  const auto other = committed("{'setParams':{'path':'t','values':{'gain_db':-1},'rampMs':0}}");
  const auto same = committed("{'setParams':{'path':'d','values':{'gain_db':-30},'rampMs':0}}");
  const auto both = committed(
      "{'setParams':{'path':'d','values':{'gain_db':-12},'rampMs':0}},"
      "{'setParams':{'path':'t','values':{'pan':0}}}");
  const auto behind = committed("{'setParams':{'path':'t','values':{'pan':0.5},'rampMs':0}}");
  const auto edit = committed("{'addNode':{'node':{'id':'more','type':'track'}}}");
  const auto stop = committed("{'stop':{}}");
  CHECK(rig.wait_applied(other) < due);
  CHECK(rig.wait_applied(gain) == due);
  for (const auto id : {same, both, behind, edit, stop}) CHECK(rig.wait_applied(id) == due);
  rig.hardware->run(4800);
  CHECK(rig.hardware->last_output(0).back() == doctest::Approx(before * std::pow(10.0, -12.0 / 20.0)).epsilon(1e-3));
}

TEST_CASE("what is accepted too late for its frame comes as soon as possible and says so") {
  ScheduledRig rig;
  write_files(rig);
  rig.applied("{'operations':[" + kSession + kFree + "]}");
  const auto stepped = rig.schedule("{'setLabel':{'path':'d','label':'x'}}", at_engine(rig.now() + 1));
  const std::int64_t passed = rig.now();
  rig.hardware->run(1000);  // before the strand has looked
  CHECK(rig.wait_applied(stepped) == passed + 1);
  rig.stepping = false;
  const auto past = rig.apply("{'operations':[{'setLabel':{'path':'d','label':'y'}}],'wait':'WAIT_COMMITTED','when':" +
                              at_engine(rig.now() - 900) + "}");
  REQUIRE(past);
  CHECK(past->outcome() == v1::ApplyResponse::OUTCOME_COMMITTED);
}

TEST_CASE("a time that was just missed is now; one that is long past is refused, and nothing happens") {
  RigOptions options;
  options.own_utc = true;
  ScheduledRig rig(options);
  rig.applied("{'operations':[{'addNode':{'node':{'id':'d','type':'track'}}}]}");
  rig.hardware->run(480'000);
  const auto label = [](const std::string& text) { return "{'setLabel':{'path':'d','label':'" + text + "'}}"; };
  const auto at = [&](const std::string& text, const std::string& when) {
    return rig.apply("{'operations':[" + label(text) + "],'when':" + when + "}");
  };
  const auto utc = [&](double seconds) {
    return "{'utc':'" +
           google::protobuf::util::TimeUtil::ToString(google::protobuf::util::TimeUtil::NanosecondsToTimestamp(
               (kUtcBegin * 1'000'000'000) + std::llround(seconds * 1e9))) +
           "'}";
  };
  const double seconds = static_cast<double>(rig.now()) / 48'000.0;
  for (const std::string& when : {at_engine(rig.now() - 24'000), utc(seconds - 0.5)}) {
    const auto missed = at("missed", when);
    REQUIRE(missed);
    CHECK(missed->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
    CHECK(missed->engine_frame() >= rig.now() - 48'000);
    CHECK(missed->engine_frame() <= rig.now());
  }
  const std::int64_t before = rig.now();
  for (const std::string& when :
       {at_engine(1), at_engine(before - 49'000), std::string("{'utc':'1990-01-01T00:00:00Z'}"),
        utc(static_cast<double>(before) / 48'000.0 - 1.1)}) {
    CAPTURE(when);
    const auto refused = at("late", when);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::invalid_argument);
    CHECK(refused.error().reason == "IN_THE_PAST");
    const auto dry = rig.apply("{'operations':[" + label("late") + "],'dryRun':true,'when':" + when + "}");
    REQUIRE(dry);
    CHECK(dry->problems(0).reason() == "IN_THE_PAST");
  }
  CHECK(rig.session().find("late") == std::string::npos);
}
