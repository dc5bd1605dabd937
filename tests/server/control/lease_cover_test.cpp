// What each operation touches: a table that a new operation cannot leave out.
#include "server/control/lease_cover.hpp"

#include <algorithm>
#include <map>

#include "server/session/edit.hpp"
#include "server/session/session_file.hpp"
#include "tests/server/control/lease_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

const char* const kSession =
    "{'format':1,'nodes':["
    "{'id':'vox','type':'track','children':[{'id':'p','type':'player','params':{'mode':'free'},'queue':["
    "{'file':'media:s.wav'},{'file':'media:s.wav'}]},{'id':'g','type':'gain'},{'id':'rec','type':'recorder'}]},"
    "{'id':'band','type':'track','children':[{'id':'o','type':'oscillator'}]},{'id':'verb','type':'bus'},"
    "{'id':'box','type':'container','children':[{'id':'in1','type':'track'}]}],"
    "'connections':[{'from':'vox','to':'out'},{'from':'band:pre','to':'verb'},{'from':'verb','to':'out'}],"
    "'cues':[{'name':'intro','operations':[{'set_params':{'path':'band','values':{'gain_db':-3}}}]},{'name':'two',"
    "'operations':[{'stop':{'players':['vox/p']}}]}]}";

struct Row {
  std::string operation;
  std::vector<std::string> touched;  // "*" at the end: with all below
  bool in_state = true;              // valid as things stand
};

/// By the name of the member. "" is the whole.
const std::multimap<std::string, Row> kRows = {
    {"add_node", {"{'addNode':{'parent':'box','node':{'id':'n','type':'track'}}}", {"box"}}},
    {"add_node", {"{'addNode':{'node':{'id':'n','type':'track'}}}", {""}}},
    {"remove_node", {"{'removeNode':{'path':'vox/g'}}", {"vox/g*", "vox"}}},
    {"remove_node", {"{'removeNode':{'path':'verb'}}", {"verb*", "", "band", "verb", "verb", "out"}}},
    {"move_node", {"{'moveNode':{'path':'band','parent':'box'}}", {"band*", "", "box"}}},
    {"move_node", {"{'moveNode':{'path':'vox/g','before':'p'}}", {"vox/g*", "vox", "vox"}}},
    {"connect", {"{'connect':{'from':'vox','to':'verb'}}", {"vox", "verb"}}},
    {"connect", {"{'connect':{'from':'box/in1','to':'out:2'}}", {"box/in1", "out"}}},
    {"disconnect", {"{'disconnect':{'from':'band:pre','to':'verb'}}", {"band", "verb"}}},
    {"set_params", {"{'setParams':{'path':'vox','values':{'gain_db':-3}}}", {"vox"}}},
    {"set_automation",
     {"{'setAutomation':{'path':'vox','param':'gain_db','points':[{'frame':'0','value':-3}]}}", {"vox"}}},
    {"clear_automation",
     {"{'setAutomation':{'path':'vox','param':'gain_db','points':[{'frame':'0','value':-3}]}},"
      "{'clearAutomation':{'path':'vox','param':'gain_db'}}",
      {"vox", "vox"}}},
    {"set_label", {"{'setLabel':{'path':'vox/p','label':'x'}}", {"vox/p"}}},
    {"play", {"{'play':{}}", {""}}},
    {"play", {"{'play':{'players':['vox/p']}}", {"vox/p"}}},
    {"stop", {"{'stop':{}}", {""}}},
    {"stop", {"{'stop':{'players':['vox/p']}}", {"vox/p"}}},
    {"locate", {"{'locate':{'timelineFrame':'0'}}", {""}}},
    {"record_start", {"{'recordStart':{'nodes':['vox/rec']}}", {"vox/rec"}}},
    {"record_start", {"{'recordStart':{'nodes':['band']}}", {"band"}}},
    {"record_start", {"{'recordStart':{}}", {"vox/rec"}}},
    {"record_stop", {"{'recordStop':{'nodes':['vox/rec']}}", {"vox/rec"}, false}},
    {"record_stop", {"{'recordStop':{}}", {"vox/rec"}, false}},
    {"queue_insert", {"{'queueInsert':{'path':'vox/p','items':[{'file':'media:s.wav'}]}}", {"vox/p"}}},
    {"queue_remove", {"{'queueRemove':{'path':'vox/p','all':true}}", {"vox/p"}}},
    {"queue_move", {"{'queueMove':{'path':'vox/p','item':{'number':1}}}", {"vox/p"}}},
    {"queue_set", {"{'queueSet':{'path':'vox/p','item':{'number':1},'values':{'gainDb':-3}}}", {"vox/p"}}},
    {"skip", {"{'skip':{'path':'vox/p','by':1}}", {"vox/p"}}},
    {"cue_insert", {"{'cueInsert':{'cues':[{'name':'x','operations':[{'stop':{}}]}]}}", {""}}},
    {"cue_remove", {"{'cueRemove':{'all':true}}", {""}}},
    {"cue_move", {"{'cueMove':{'cue':{'name':'intro'}}}", {""}}},
    {"cue_set", {"{'cueSet':{'cue':{'name':'intro'},'label':'x'}}", {""}}},
    {"cue_next", {"{'cueNext':{}}", {""}}},
    {"go", {"{'go':{'cue':{'name':'intro'}}}", {"", "band"}}},
    {"go", {"{'go':{'cue':{'name':'two'}}}", {"", "vox/p"}}},
};

session::Document document_of(std::string json) {
  std::ranges::replace(json, '\'', '"');
  rt::Uid uid = 100;
  auto document = session::parse_session(json, [&] { return ++uid; });
  REQUIRE_MESSAGE(document, document.error().message);
  session::ensure_device_nodes(*document);
  return *document;
}

/// What `operations` touch, where they can be applied.
std::vector<std::string> touched(const session::Document& before, const std::string& operations,
                                 const std::set<std::string>& recording = {}) {
  const v1::ApplyRequest request = Rig::request("{'operations':[" + operations + "]}");
  const auto expanded = session::expand_cues(before, request.operations()).operations;
  session::Document after = before;
  rt::Uid uid = 1000;
  const auto edited = session::apply_operations(after, expanded, [&] { return ++uid; });
  std::vector<std::string> found;
  for (const Touch& touch : touches_of(expanded, before, edited ? after : before, recording))
    found.push_back(touch.path + (touch.below ? "*" : ""));
  return found;
}

}  // namespace

TEST_CASE("lease cover: every operation there is touches what the table says") {
  const auto* const kinds = v1::Operation::descriptor()->oneof_decl(0);
  const session::Document before = document_of(kSession);
  for (int i = 0; i < kinds->field_count(); ++i) {
    CAPTURE(kinds->field(i)->name());
    // A new operation has to say whose lease covers it.
    CHECK(kRows.contains(kinds->field(i)->name()));
  }
  for (const auto& [name, row] : kRows) {
    CAPTURE(row.operation);
    CHECK(touched(before, row.operation, {"vox/rec"}) == row.touched);
  }
}

TEST_CASE("lease cover: each operation is refused without the token of what it touches, and of nothing else") {
  LeaseRig rig;
  rig.write_wav("s.wav", 1, 48'000, ramp_signal(1, 4800));
  REQUIRE(rig.load(kSession));
  const std::vector<std::string> places = {"", "vox", "vox/p", "vox/g", "vox/rec", "band", "verb", "box", "out"};
  for (const auto& [name, row] : kRows) {
    CAPTURE(row.operation);
    if (row.in_state) CHECK(rig.refusal(row.operation) == "");
    const std::string alone = rig.refusal(row.operation);
    if (row.operation == "{'recordStop':{}}") continue;  // nothing records
    for (const std::string& place : places) {
      CAPTURE(place);
      bool covered = false;
      for (std::string path : row.touched) {
        const bool below = path.ends_with('*');
        if (below) path.pop_back();
        covered = covered || place.empty() || (!path.empty() && session::is_at_or_below(path, place)) ||
                  (below && session::is_at_or_below(place, path));
      }
      const std::string token = rig.take(place);
      CHECK(rig.refusal(row.operation) == (covered ? "LEASED" : alone));
      CHECK(rig.refusal(row.operation, {token}) == alone);
      CHECK(rig.refusal(row.operation, {std::string(32, '0')}) == (covered ? "LEASED" : alone));
      REQUIRE(rig.release(token));
    }
  }
}

TEST_CASE("lease cover: paths are followed through a transaction that moves, adds and removes") {
  const session::Document before = document_of(kSession);
  using Paths = std::vector<std::string>;
  const auto last = [&](const std::string& operations) { return touched(before, operations).back(); };
  const std::string move = "{'moveNode':{'path':'vox','parent':'box','id':'v'}},";
  CHECK(last(move + "{'setLabel':{'path':'box/v/p','label':'x'}}") == "vox/p");
  CHECK(last(move + "{'moveNode':{'path':'box','id':'case'}},{'setLabel':{'path':'case/v/g','label':'x'}}") == "vox/g");
  CHECK(last(move + "{'setLabel':{'path':'box/in1','label':'x'}}") == "box/in1");
  // Another node has the name then.
  CHECK(last(move + "{'addNode':{'node':{'id':'vox','type':'track'}}},{'setLabel':{'path':'vox','label':'x'}}") == "");
  CHECK(last(move + "{'moveNode':{'path':'band','id':'vox'}},{'setLabel':{'path':'vox','label':'x'}}") == "band");
  CHECK(last("{'addNode':{'parent':'box','node':{'id':'n','type':'container','children':[{'id':'m','type':'track'}]}}},"
             "{'setLabel':{'path':'box/n/m','label':'x'}}") == "box");
  CHECK(last("{'removeNode':{'path':'verb'}},{'moveNode':{'path':'band','id':'verb'}},"
             "{'setLabel':{'path':'verb','label':'x'}},{'setLabel':{'path':'verb/o','label':'x'}}") == "out");
  CHECK(last("{'addNode':{'parent':'box','node':{'id':'n','type':'container'}}},"
             "{'moveNode':{'path':'vox','parent':'box/n'}},{'removeNode':{'path':'box/n/vox/g'}}") == "vox");
  // A name that another's begins with is not below it.
  CHECK(last("{'addNode':{'node':{'id':'vox-2','type':'track'}}},{'moveNode':{'path':'vox','id':'w'}},"
             "{'setLabel':{'path':'vox-2','label':'x'}}") == "");
  // What is moved out before its parent goes is not removed, nor are its connections.
  const Paths ungroup = touched(before,
                                "{'connect':{'from':'box/in1','to':'verb'}},{'moveNode':{'path':'box/in1',"
                                "'parent':''}},{'removeNode':{'path':'box'}}");
  CHECK(std::ranges::count(ungroup, "verb") == 1);
  // A take without names is of the recorders that are armed.
  CHECK(touched(document_of("{'format':1}"), "{'recordStart':{}}") == Paths{"out"});
}
