// The cue list over the API: which cue is next, who may fire it, what is told of it.
#include "tests/server/control/cue_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

std::string gain_cue(const std::string& name, double db) {
  return cue(name, "{'setParams':{'path':'a','values':{'gain_db':" + std::to_string(db) + "}}}");
}
std::string three() { return cue_insert(gain_cue("1", -1) + "," + gain_cue("2", -2) + "," + gain_cue("3", -3)); }

double gain(Rig& rig) {
  auto params = rig.answer<v1::ListParamsResponse>([&](auto done) { rig.engine->list_params("a", std::move(done)); });
  REQUIRE(params);
  for (const auto& param : params->params())
    if (param.spec().name() == "gain_db") return param.value().number_value();
  return 0.0;
}

void refused(const Result<v1::ApplyResponse>& answer, ErrorKind kind, const std::string& reason,
             const std::string& field) {
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == kind);
  CHECK(answer.error().reason == reason);
  CHECK(answer.error().field == field);
}

}  // namespace

TEST_CASE("go: the next cue each time, and behind the last none") {
  CueRig rig;
  CHECK_FALSE(rig.status().has_cues());
  refused(rig.go(), ErrorKind::failed_precondition, "NO_CUES", "operations[0].go");
  rig.edit(three());
  CHECK(rig.cues().count() == 3);
  CHECK_FALSE(rig.cues().has_current());
  for (int i = 1; i <= 3; ++i) {
    CHECK(rig.next() == std::to_string(i));
    const auto fired = rig.go();
    REQUIRE(fired);
    CHECK(fired->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
    CHECK(gain(rig) == -i);
    CHECK(rig.cues().current().name() == std::to_string(i));
    CHECK(rig.cues().current().number() == static_cast<std::uint32_t>(i));
    CHECK(rig.cues().current_engine_frame() == fired->engine_frame());
  }
  CHECK_FALSE(rig.cues().has_next());
  refused(rig.go(), ErrorKind::failed_precondition, "NO_NEXT_CUE", "operations[0].go");
  rig.edit("{'cueNext':{'cue':{'name':'2'}}}");
  CHECK(rig.next() == "2");
  CHECK(gain(rig) == -3);
  rig.edit("{'cueNext':{}}");
  CHECK(rig.next() == "1");
}

TEST_CASE("go: a named cue at random goes on behind it, or leaves the next as it is") {
  CueRig rig;
  rig.edit(three());
  REQUIRE(rig.go("'cue':{'name':'3'},'keepNext':true"));
  CHECK(gain(rig) == -3);
  CHECK(rig.next() == "1");
  REQUIRE(rig.go("'cue':{'name':'2'}"));
  CHECK(rig.next() == "3");
  REQUIRE(rig.go("'cue':{'name':'2'}"));
  CHECK(gain(rig) == -2);
  CHECK(rig.next() == "3");
  refused(rig.go("'cue':{'name':'9'}"), ErrorKind::not_found, "UNKNOWN_CUE", "operations[0].go.cue");
}

TEST_CASE("go: two operators who expect the same cue fire it once") {
  CueRig rig;
  rig.edit(three());
  int fired = 0, late = 0;
  for (int i = 0; i < 2; ++i)
    rig.engine->apply(Rig::request("{'operations':[{'go':{'expected':{'name':'1'}}}]}"), [&](const auto& answer) {
      if (answer) {
        ++fired;
      } else {
        ++late;
        CHECK(answer.error().kind == ErrorKind::aborted);
        CHECK(answer.error().reason == "NOT_NEXT");
        CHECK(answer.error().message.find("\"2\"") != std::string::npos);
      }
    });
  REQUIRE(rig.until([&] { return fired + late == 2; }));
  CHECK(fired == 1);
  CHECK(gain(rig) == -1);
  CHECK(rig.next() == "2");
  const auto uid = rig.cues().next().uid();
  REQUIRE(rig.go("'expected':{'uid':'" + std::to_string(uid) + "'}"));
  refused(rig.go("'expected':{'uid':'" + std::to_string(uid) + "'}"), ErrorKind::aborted, "NOT_NEXT",
          "operations[0].go.expected");
  // Of a named one, too.
  refused(rig.go("'expected':{'name':'1'},'cue':{'name':'3'}"), ErrorKind::aborted, "NOT_NEXT",
          "operations[0].go.expected");
  CHECK(gain(rig) == -2);
}

TEST_CASE("go: all of a cue or nothing, and a repeat under its request id fires nothing") {
  CueRig rig;
  rig.edit(cue_insert(cue("1",
                          "{'setParams':{'path':'a','values':{'gain_db':-9}}},{'setParams':{'path':'a','values':{"
                          "'pan':1}}}") +
                      "," + gain_cue("2", -2)));
  rig.edit("{'setAutomation':{'path':'a','param':'pan','points':[{'frame':'0','value':0}]}}");
  refused(rig.go(), ErrorKind::failed_precondition, "AUTOMATED",
          "operations[0].go.cue(1).operations[1].set_params.values.pan");
  CHECK(gain(rig) == 0.0);
  CHECK(rig.next() == "1");
  CHECK(rig.settled().next_state() == CueRig::Cues::NEXT_STATE_BROKEN);
  CHECK_FALSE(rig.cues().next_reason().empty());
  const auto dry = rig.apply("{'operations':[{'go':{}}],'dryRun':true}");
  REQUIRE(dry);
  CHECK(dry->outcome() == v1::ApplyResponse::OUTCOME_INVALID);
  CHECK(dry->problems(0).field() == "operations[0].go.cue(1).operations[1].set_params.values.pan");
  rig.edit("{'clearAutomation':{'path':'a','param':'pan'}}");
  rig.wait_armed();
  const auto valid = rig.apply("{'operations':[{'go':{}}],'dryRun':true}");
  REQUIRE(valid);
  CHECK(valid->outcome() == v1::ApplyResponse::OUTCOME_VALID);
  CHECK(rig.next() == "1");
  for (int i = 0; i < 2; ++i) {
    REQUIRE(rig.apply("{'operations':[{'go':{}}],'requestId':'once'}"));
    CHECK(gain(rig) == -9.0);
    CHECK(rig.next() == "2");
  }
  refused(rig.apply("{'operations':[{'go':{}},{'go':{}}]}"), ErrorKind::invalid_argument, "WRONG_FIELD",
          "operations[1].go");
}

TEST_CASE("go: what is next follows the edits of the list") {
  CueRig rig;
  rig.edit(three());
  rig.edit(cue_insert(gain_cue("0", 0), ",'before':{'name':'1'}"));
  CHECK(rig.next() == "0");  // nothing was fired yet: the first is next
  REQUIRE(rig.go());
  REQUIRE(rig.go());
  CHECK(rig.next() == "2");
  rig.edit("{'cueMove':{'cue':{'name':'2'}}}");
  CHECK(rig.next() == "2");  // it goes along
  rig.edit("{'cueMove':{'cue':{'name':'2'},'after':{'name':'1'}}}");
  rig.edit("{'cueRemove':{'cues':[{'name':'2'}]}}");
  CHECK(rig.next() == "3");  // the next that stayed
  rig.edit("{'cueSet':{'cue':{'name':'3'},'values':{'name':'x'}}}");
  CHECK(rig.next() == "x");
  REQUIRE(rig.go());
  CHECK_FALSE(rig.cues().has_next());
  rig.edit(cue_insert(gain_cue("4", -4)));
  CHECK(rig.next() == "4");  // behind the last there is one again
  rig.edit("{'cueRemove':{'cues':[{'name':'4'},{'name':'x'}]}}");
  CHECK_FALSE(rig.cues().has_next());  // and not the first by itself
  CHECK_FALSE(rig.cues().has_current());
  rig.edit("{'cueRemove':{'all':true}}");
  CHECK_FALSE(rig.status().has_cues());
  rig.edit(three());
  CHECK(rig.next() == "1");
}

TEST_CASE("go: an edit that breaks a cue is accepted and told, and the cue is refused") {
  CueRig rig;
  rig.edit(cue_insert(cue("1", play("a/p")) + "," + gain_cue("2", -2)));
  rig.wait_armed();
  const auto moved = rig.apply("{'operations':[{'moveNode':{'path':'a/p','id':'deck'}}]}");
  REQUIRE(moved);
  CHECK(moved->warnings_size() == 0);
  rig.wait_armed();
  const auto removed = rig.apply("{'operations':[{'removeNode':{'path':'a/deck'}}]}");
  REQUIRE(removed);
  REQUIRE(removed->warnings_size() == 1);
  CHECK(removed->warnings(0) == "cue 1 cannot be fired: there is no node \"a/deck\"");
  const auto now = rig.settled();
  CHECK(now.next_state() == CueRig::Cues::NEXT_STATE_BROKEN);
  CHECK(now.next_reason() == "there is no node \"a/deck\"");
  refused(rig.go(), ErrorKind::not_found, "UNKNOWN_NODE", "operations[0].go.cue(1).operations[0].play.players[0]");
  CHECK(rig.next() == "1");
}

TEST_CASE("cues: what they name of media is probed, kept and named when it is missing") {
  CueRig rig;
  const std::string swap = "{'setParams':{'path':'a/p','values':{'file':'media:gone.wav'}}}";
  refused(rig.apply("{'operations':[" + cue_insert(cue("1", swap)) + "]}"), ErrorKind::not_found, "FILE_NOT_FOUND",
          "operations[0].cue_insert.cues[0].operations");
  rig.edit(cue_insert(cue("1", "{'setParams':{'path':'a/p','values':{'file':'media:u.wav'}}}", "swap")));
  const std::string saved = rig.session();
  CHECK(saved.find("\"label\": \"swap\"") != std::string::npos);
  REQUIRE(rig.load(saved));
  CHECK(rig.session() == saved);
  CHECK(rig.next() == "1");
  std::filesystem::remove(rig.folder.path() / "media" / "u.wav");
  REQUIRE(rig.load(saved));
  const auto status = rig.status();
  CHECK(std::ranges::any_of(status.reasons(),
                            [](const auto& reason) { return reason.find("u.wav") != std::string::npos; }));
}

TEST_CASE("cues: a watcher hears of the list, of what is next and of what was fired, in order") {
  CueRig rig;
  auto feed = rig.watch();
  while (feed->next({})) {
  }
  rig.edit(cue_insert(cue("1", play("a/p")) + "," + gain_cue("2", -2)));
  rig.wait_armed();
  const auto fired = rig.go();
  REQUIRE(fired);
  rig.wait_armed();
  std::vector<std::string> told;
  while (const auto message = feed->next({})) {
    if (message->has_change()) {
      for (const auto& op : message->change().operations())
        told.push_back(op.has_go() ? "go " + op.go().cue().name() : op.has_cue_insert() ? "insert" : "operation");
    }
    if (!message->has_cue()) continue;
    const auto& event = message->cue();
    if (event.kind() == v1::WatchResponse::CueEvent::KIND_FIRED) {
      told.push_back("fired " + event.name());
      CHECK(event.engine_frame() == fired->engine_frame());
      CHECK(event.transaction_id() == fired->transaction_id());
      CHECK(event.cues().next().name() == "2");
    } else if (event.cues().next_state() == CueRig::Cues::NEXT_STATE_ARMED) {
      told.push_back("armed " + event.cues().next().name());
    }
  }
  CHECK(told == std::vector<std::string>{"insert", "armed 1", "go 1", "operation", "fired 1", "armed 2"});
}

TEST_CASE("go: for later, the cue is chosen and judged when it falls due") {
  CueRig rig;
  rig.edit(three());
  const auto at = rig.now() + 4'000;
  const auto first = rig.schedule("{'go':{'expected':{'name':'1'}}}", at_engine(at));
  const auto second = rig.schedule("{'go':{}}", at_engine(at + 700));
  const auto third = rig.schedule("{'go':{'expected':{'name':'1'}}}", at_engine(at + 1400));
  CHECK(rig.wait_applied(first) == at);
  CHECK(rig.wait_applied(second) == at + 700);
  CHECK(gain(rig) == -2);
  REQUIRE(rig.until([&] { return rig.story(third).has("cancelled"); }));
  CHECK(rig.story(third).reason == "NOT_NEXT");
  CHECK(rig.next() == "3");
  // A named one holds its cue.
  const auto named = rig.schedule("{'go':{'cue':{'name':'3'}}}", at_engine(rig.now() + 480'000));
  refused(rig.apply("{'operations':[{'cueRemove':{'cues':[{'name':'3'}]}}]}"), ErrorKind::failed_precondition,
          "BREAKS_SCHEDULED", "operations");
  REQUIRE(rig.cancel(named));
  rig.edit("{'cueRemove':{'cues':[{'name':'3'}]}}");
}

TEST_CASE("go: a cue that starts the timeline moves what is scheduled for a timeline frame") {
  CueRig rig;
  rig.edit(cue_insert(cue("roll", "{'locate':{'timelineFrame':'0'}},{'play':{}}") + "," + gain_cue("2", -2)));
  const auto go = rig.schedule("{'go':{'cue':{'name':'roll'}}}", at_engine(rig.now() + 40'000));
  const auto later = rig.schedule("{'go':{'cue':{'name':'2'}}}", at_timeline(3'000));
  CHECK(rig.list().transactions(1).engine_frame() == rig.list().transactions(0).engine_frame() + 3'000);
  rig.hardware->run(30'000);
  const auto rolled = rig.wait_applied(go);
  CHECK(rig.wait_applied(later) == rolled + 3'000);
}
