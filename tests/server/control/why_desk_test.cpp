// Why, asked of a whole engine: what it hears, and what it knows.
#include "server/control/why_desk.hpp"

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

const std::string kTone =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'osc','type':'oscillator'}]}}},"
    "{'connect':{'from':'a','to':'out'}}]}";

Result<v1::WhyResponse> ask(Rig& rig, const std::string& node = "", std::uint32_t channel = 0) {
  v1::WhyRequest request;
  request.set_node(node);
  request.set_channel(channel);
  return rig.answer<v1::WhyResponse>([&](auto done) { rig.engine->why(request, std::move(done)); });
}

std::string told(Rig& rig, const std::string& node = "", std::uint32_t channel = 0) {
  const auto answer = ask(rig, node, channel);
  REQUIRE_MESSAGE(answer, answer.error().message);
  CHECK_FALSE(answer->message().empty());
  return answer->reason() + " " + answer->node();
}

}  // namespace

TEST_CASE("why: what sounds is no silence; a fader, a mute and a missing connection are named") {
  Rig rig;
  CHECK(told(rig) == "UNCONNECTED out");
  rig.applied(kTone);
  CHECK(told(rig) == "SOUNDS out");
  const auto sounding = ask(rig, "a");
  REQUIRE(sounding);
  REQUIRE(sounding->steps_size() == 1);
  CHECK(sounding->steps(0).level_db() > -40.0);
  CHECK(sounding->steps(0).type() == "track");
  rig.applied("{'operations':[{'setParams':{'path':'a','values':{'gain_db':-150},'rampMs':0}}]}");
  CHECK(told(rig) == "GAIN a");
  rig.applied("{'operations':[{'setParams':{'path':'a','values':{'gain_db':0,'mute':true},'rampMs':0}}]}");
  CHECK(told(rig) == "MUTED a");
  CHECK(told(rig, "out", 2) == "MUTED a");
  CHECK(told(rig, "out", 3) == "NO_CHANNEL out:3");
}

TEST_CASE("why: a player says what it waits for, and an input that nothing comes in") {
  Rig rig;
  rig.write_wav("a.wav", 1, 48'000, std::vector<float>(48'000, 0.25f));
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{"
      "'file':'media:a.wav'}}]}}},{'connect':{'from':'a','to':'out'}}]}");
  CHECK(told(rig) == "STOPPED a/p");
  rig.applied("{'operations':[{'play':{}}]}");
  CHECK(told(rig) == "SOUNDS out");
  rig.applied("{'operations':[{'locate':{'timelineFrame':'90000'}}]}");
  CHECK(told(rig) == "ENDED a/p");
  rig.applied("{'operations':[{'setParams':{'path':'a/p','values':{'file':''}}}]}");
  CHECK(told(rig) == "NOTHING_TO_PLAY a/p");
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'mic','type':'track'}}},{'connect':{'from':'in:1','to':'mic'}}]}");
  CHECK(told(rig, "mic") == "SILENT_INPUT in:1");
}

TEST_CASE("why: a chain that loses the sound is looked at node by node") {
  Rig rig;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'a','type':'track','children':["
      "{'id':'osc','type':'oscillator','params':{'gain_db':-20}},{'id':'eq','type':'eq'},"
      "{'id':'shut','type':'gate','params':{'threshold_db':-40}},{'id':'m','type':'matrix','params':{'gain.1_1':0}},"
      "{'id':'c','type':'compressor'}]}}},{'connect':{'from':'a','to':'out'}}]}");
  const std::string before = rig.session();
  CHECK(told(rig) == "LOST_WITHIN a/m");
  CHECK(told(rig, "a") == "LOST_WITHIN a/m");
  rig.applied("{'operations':[{'setParams':{'path':'a/m','values':{'gain.1_1':1},'rampMs':0}}]}");
  CHECK(told(rig) == "SOUNDS out");
  rig.applied("{'operations':[{'setParams':{'path':'a/shut','values':{'threshold_db':0,'range_db':120},'rampMs':0}}]}");
  rig.hardware->run(48'000);  // until it has shut
  CHECK(told(rig) == "GATE a/shut");
}

TEST_CASE("why: faders that together leave too little") {
  Rig rig;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'t','type':'track','children':[{'id':'osc','type':'oscillator'}]}}},"
      "{'addNode':{'node':{'id':'b','type':'bus'}}},{'connect':{'from':'t','to':'b'}},"
      "{'connect':{'from':'b','to':'out'}}]}");
  const auto with = [&](int t, int b) {
    rig.applied("{'operations':[{'setParams':{'path':'t','values':{'gain_db':" + std::to_string(t) +
                "},'rampMs':0}},{'setParams':{'path':'b','values':{'gain_db':" + std::to_string(b) +
                "},'rampMs':0}}]}");
    return told(rig);
  };
  CHECK(with(-25, -25) == "GAIN b");
  CHECK(with(0, -40) == "GAIN b");
  CHECK(with(-15, -30) == "GAIN b");
  CHECK(with(-45, 0) == "GAIN t");
  CHECK(with(0, 0) == "SOUNDS out");
}

TEST_CASE("why: the level of the device is of the channels that it has") {
  Rig rig;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'t','type':'track','children':[{'id':'osc','type':'oscillator'}]}}},"
      "{'connect':{'from':'t','to':'out:7'}}]}");
  CHECK(told(rig) == "NO_CHANNEL out:7");
  rig.applied("{'operations':[{'connect':{'from':'t','to':'out:2'}}]}");
  CHECK(told(rig) == "SOUNDS out");
}

TEST_CASE("why: a soloed player that is over, and a chain that nothing feeds") {
  Rig rig;
  rig.write_wav("a.wav", 1, 48'000, std::vector<float>(4'800, 0.25f));
  rig.applied(kTone);
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'mono','type':'track','params':{'solo':true},'children':[{'id':'p',"
      "'type':'player','params':{'file':'media:a.wav'}}]}}},{'connect':{'from':'mono','to':'out'}},"
      "{'addNode':{'node':{'id':'bare','type':'track','children':[{'id':'g','type':'gain','params':{'gain_db':-140}}]}"
      "}},{'locate':{'timelineFrame':'90000'}},{'play':{}}]}");
  rig.hardware->run(4'800);  // until the other has faded
  CHECK(told(rig) == "ENDED mono/p");
  CHECK(told(rig, "a") == "OTHER_SOLO a");
  rig.applied("{'operations':[{'setParams':{'path':'mono','values':{'solo':false}}}]}");
  CHECK(told(rig, "bare") == "UNCONNECTED bare");
}

TEST_CASE("why: a file that is not there") {
  Rig rig;
  REQUIRE(
      rig.load("{'format':1,'nodes':[{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{"
               "'file':'media:gone.wav'}}]}],'connections':[{'from':'a','to':'out'}]}"));
  rig.applied("{'operations':[{'play':{}}]}");
  CHECK(told(rig) == "MISSING_FILE a/p");
}

TEST_CASE("why: what cannot be asked is refused, and who asks while the daemon ends is told so") {
  Rig rig;
  const auto nobody = ask(rig, "nobody");
  REQUIRE_FALSE(nobody);
  CHECK(nobody.error().kind == ErrorKind::not_found);
  CHECK(nobody.error().field == "node");
  rig.applied(kTone);
  const auto wrong = ask(rig, "a", 1);
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().field == "channel");
  // At most so many listen at once; the rest are told to come again.
  std::size_t answered = 0, refused = 0;
  for (std::size_t i = 0; i < WhyDesk::kMostAtOnce + 5; ++i) {
    rig.engine->why({}, [&](const auto& answer) { ++(answer ? answered : refused); });
  }
  REQUIRE(rig.until([&] { return answered + refused == WhyDesk::kMostAtOnce + 5; }));
  CHECK(refused == 5);
  std::optional<Error> ended;
  rig.engine->why({}, [&](const auto& answer) {
    if (!answer) ended = answer.error();
  });
  rig.shutdown();
  REQUIRE(ended);
  CHECK(ended->reason == "SHUTTING_DOWN");
}
