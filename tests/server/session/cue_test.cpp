// The cue list as part of the document: one text form, what may stand in a cue, edits, what breaks one.
#include "server/session/cue.hpp"

#include <algorithm>

#include "doctest/doctest.h"
#include "tests/server/session/builders.hpp"

using namespace continuo;
using namespace continuo::session;
using namespace continuo::session::test;

namespace {

constexpr const char* kRack =
    "{'format':1,'nodes':[{'id':'a','type':'track','children':[{'id':'p','type':'player','params':{'mode':'free'}},"
    "{'id':'eq','type':'eq'}]},{'id':'t','type':'player'},{'id':'r','type':'recorder'}]}";

std::string cue(const std::string& name, const std::string& operations) {
  return "{'name':'" + name + "','operations':[" + operations + "]}";
}
std::string insert(const std::string& cues, const std::string& more = "") {
  return "{'cueInsert':{'cues':[" + cues + "]" + more + "}}";
}
const std::string kPlay = "{'play':{'players':['a/p']}}";

std::string names(const Document& document) {
  std::string text;
  for (const DocCue& one : document.cues) text += (text.empty() ? "" : " ") + one.name;
  return text;
}

void done(Document& document, const std::string& list) {
  static rt::Uid next = 1000;  // never the same twice
  const auto result = edit(document, "[" + list + "]", [] { return next++; });
  REQUIRE_MESSAGE(result, list, ": ", (result ? "" : result.error().field + ": " + result.error().message));
}

}  // namespace

TEST_CASE("cues: every kind of operation comes back from the file as it went, byte for byte") {
  Document rack = document(kRack);
  done(rack, insert(cue("1", kPlay + ",{'stop':{}},{'locate':{'timelineFrame':'48000'}}") + "," +
                    cue("intro",
                        "{'setParams':{'path':'a','values':{'gain_db':-6.5,'mute':false},'rampMs':20}},"
                        "{'setParams':{'path':'a/p','values':{'file':'m:x \\u00e4.wav'}}}") +
                    "," +
                    cue("12.5",
                        "{'setAutomation':{'path':'a','param':'gain_db','points':[{'frame':'0','value':-3},"
                        "{'frame':'960','value':0,'curve':'hold'}]}},"
                        "{'clearAutomation':{'path':'a','param':'pan'}},{'recordStart':{'nodes':['r']}},"
                        "{'recordStop':{}}") +
                    "," +
                    cue("q_4-A",
                        "{'queueRemove':{'path':'a/p','all':true}},{'queueInsert':{'path':'a/p','items':[{'file':"
                        "'m:a.wav','inFrame':'5','gainDb':-3}],'before':{'current':true}}},{'queueMove':{'path':"
                        "'a/p','item':{'number':2}}},{'queueSet':{'path':'a/p','item':{'number':1},'values':{"
                        "'loops':0}}},{'skip':{'path':'a/p','item':{'number':3}}},{'skip':{'path':'a/p','by':-1}}")));
  CHECK(names(rack) == "1 intro 12.5 q_4-A");
  const std::string text = print_session(rack);
  const auto again = parse_session(text, counter());
  REQUIRE_MESSAGE(again, (again ? "" : again.error().field + ": " + again.error().message));
  CHECK(print_session(*again) == text);
  for (std::size_t i = 0; i < rack.cues.size(); ++i)
    CHECK(again->cues[i].operations->lines == rack.cues[i].operations->lines);
  // Maps are in order, 64-bit integers are numbers.
  CHECK(text.find(
            "{\"set_params\": {\"path\": \"a\", \"values\": {\"gain_db\": -6.5, \"mute\": false}, \"ramp_ms\": 20}}") !=
        std::string::npos);
  CHECK(text.find("{\"locate\": {\"timeline_frame\": 48000}}") != std::string::npos);
}

TEST_CASE("cues: bad ones in a file are refused, with their place") {
  const auto refused = [](const std::string& cues, const std::string& reason, const std::string& field) {
    CAPTURE(cues);
    const auto read = parse_session(json("{'format':1,'cues':[" + cues + "]}"), counter());
    REQUIRE_FALSE(read);
    CHECK(read.error().reason == reason);
    CHECK(read.error().field == field);
  };
  refused("{'name':'a b','operations':[{'play':{}}]}", "BAD_CUE_NAME", "cues[0].name");
  refused("{'name':'','operations':[{'play':{}}]}", "BAD_CUE_NAME", "cues[0].name");
  refused("{'name':'a'}", "MISSING_FIELD", "cues[0].operations");
  refused("{'name':'a','operations':[]}", "MISSING_FIELD", "cues[0].operations");
  refused("{'name':'a','operations':[{}]}", "EMPTY_ONEOF", "cues[0].operations[0]");
  refused("{'name':'a','operations':[7]}", "WRONG_KIND", "cues[0].operations[0]");
  refused("{'name':'a','operations':[{'dance':{}}]}", "BAD_OPERATION", "cues[0].operations[0]");
  refused("{'name':'a','operations':[{'play':{},'play':{}}]}", "DUPLICATE_KEY", "cues[0].operations[0]");
  refused("{'name':'a','operations':[{'set_params':{'path':'x','values':{'y':1},'ramp_ms':'NaN'}}]}", "NOT_FINITE",
          "cues[0].operations[0].set_params.ramp_ms");
  refused("{'name':'a','operations':[{'go':{}}]}", "NOT_IN_A_CUE", "cues[0].operations[0]");
  refused("{'name':'a','operations':[{'remove_node':{'path':'x'}}]}", "NOT_IN_A_CUE", "cues[0].operations[0]");
  refused("{'name':'a','operations':[{'skip':{'path':'x','item':{'uid':4}}}]}", "UID_IN_A_CUE",
          "cues[0].operations[0].skip.item.uid");
  refused("{'name':'a','operations':[{'play':{}}]},{'name':'a','operations':[{'play':{}}]}", "DUPLICATE_CUE",
          "cues[1].name");
  refused("{'name':'a','operations':[{'play':{}}],'uid':-1}", "OUT_OF_RANGE", "cues[0].uid");
  refused("{'nick':'a'}", "UNKNOWN_FIELD", "cues[0].nick");
}

TEST_CASE("cues: a file whose cues name what is not there is read all the same") {
  const auto read = parse_session(json("{'format':1,'cues':[" + cue("1", kPlay) + "]}"), counter());
  REQUIRE(read);
  CHECK_FALSE(check_cue_targets(*read, read->cues[0], ""));
  CHECK(broken_cues({}, *read, 9) == std::vector<std::string>{"cue 1 cannot be fired: there is no node \"a/p\""});
}

TEST_CASE("cues: at the bounds") {
  const auto many = [](std::size_t cues, std::size_t operations) {
    std::string text = "{'format':1,'cues':[";
    for (std::size_t i = 0; i < cues; ++i) {
      text += (i == 0 ? "" : ",") + std::string("{'name':'c") + std::to_string(i) + "','operations':[";
      for (std::size_t j = 0; j < operations; ++j) text += j == 0 ? "{'play':{}}" : ",{'play':{}}";
      text += "]}";
    }
    return parse_session(json(text + "]}"), counter());
  };
  CHECK(many(kMaxCues, 20));
  CHECK_FALSE(many(kMaxCues + 1, 1));
  CHECK(many(1, kMaxCueOperations));
  CHECK_FALSE(many(1, kMaxCueOperations + 1));
  CHECK_FALSE(many(kMaxCues, 21));
  std::string label(4096, 'x'), fat = "{'format':1,'cues':[";
  for (int i = 0; i < 1100; ++i)
    fat += (i % 500 == 0 ? (i == 0 ? "{'name':'c" : "]},{'name':'c") + std::to_string(i) + "','operations':[" : ",") +
           std::string("{'set_params':{'path':'a','values':{'x':'") + label + "'}}}";
  const auto read = parse_session(json(fat + "]}]}"), counter());
  REQUIRE_FALSE(read);
  CHECK(read.error().message.find("4 MiB") != std::string::npos);
}

TEST_CASE("cues: inserted before and after, moved, renamed, removed") {
  Document rack = document(kRack);
  done(rack, insert(cue("1", kPlay) + "," + cue("2", kPlay)));
  done(rack, insert(cue("1.5", kPlay), ",'after':{'name':'1'}"));
  done(rack, insert(cue("0", kPlay), ",'before':{'uid':'" + std::to_string(rack.cues[0].uid) + "'}"));
  CHECK(names(rack) == "0 1 1.5 2");
  done(rack, "{'cueMove':{'cue':{'name':'0'}}}");
  CHECK(names(rack) == "1 1.5 2 0");
  done(rack, "{'cueMove':{'cue':{'name':'2'},'before':{'name':'1'}}}");
  CHECK(names(rack) == "2 1 1.5 0");
  done(rack, "{'cueMove':{'cue':{'name':'2'},'after':{'name':'1.5'}}}");
  CHECK(names(rack) == "1 1.5 2 0");
  const auto uid = rack.cues[1].uid;
  done(rack,
       "{'cueSet':{'cue':{'name':'1.5'},'values':{'name':'mid','operations':[{'stop':{'players':['a/"
       "p']}}]},'label':'L'}}");
  CHECK(names(rack) == "1 mid 2 0");
  CHECK(rack.cues[1].uid == uid);
  CHECK(rack.cues[1].label == "L");
  CHECK(rack.cues[1].operations->list[0].has_stop());
  done(rack, "{'cueSet':{'cue':{'name':'mid'},'label':''}}");
  CHECK(rack.cues[1].label.empty());
  CHECK(rack.cues[1].operations->list[0].has_stop());
  done(rack, "{'cueRemove':{'cues':[{'name':'mid'},{'name':'0'}]}}");
  CHECK(names(rack) == "1 2");
  done(rack, "{'cueRemove':{'all':true}}");
  CHECK(rack.cues.empty());
}

TEST_CASE("cues: bad edits are refused, with their field, and leave the document") {
  Document rack = document(kRack);
  done(rack, insert(cue("1", kPlay)));
  const Document before = rack;
  const auto refused = [&](const std::string& list, const std::string& reason, const std::string& field) {
    CAPTURE(list);
    Document scratch = rack;
    const auto result = edit(scratch, "[" + list + "]", counter(9000));
    REQUIRE_FALSE(result);
    CHECK(result.error().reason == reason);
    CHECK(result.error().field == field);
    CHECK(rack == before);
  };
  const std::string one = "operations[0].cue_insert.cues[0]";
  refused(insert(cue("1", kPlay)), "DUPLICATE_CUE", one + ".name");
  refused(insert(cue("2", kPlay) + "," + cue("2", kPlay)), "DUPLICATE_CUE", "operations[0].cue_insert.cues[1].name");
  refused(insert(cue("2", "{'play':{'players':['a/q']}}")), "UNKNOWN_NODE", one + ".operations[0].play.players[0]");
  refused(insert(cue("2", "{'play':{'players':['t']}}")), "WRONG_NODE", one + ".operations[0].play.players[0]");
  refused(insert(cue("2", kPlay + ",{'setParams':{'path':'a','values':{'gain':1}}}")), "UNKNOWN_PARAM",
          one + ".operations[1].set_params.values.gain");
  refused(insert(cue("2", "{'setParams':{'path':'a','values':{'gain_db':99}}}")), "OUT_OF_RANGE",
          one + ".operations[0].set_params.values.gain_db");
  refused(insert(cue("2", "{'setParams':{'path':'b','values':{'gain_db':0}}}")), "UNKNOWN_NODE",
          one + ".operations[0].set_params.path");
  refused(insert(cue("2", "{'queueSet':{'path':'a/p','item':{'number':9},'values':{'gainDb':99}}}")), "OUT_OF_RANGE",
          one + ".operations[0].queue_set.values.gain_db");
  refused(insert(cue("2", "{'skip':{'path':'t','by':1}}")), "WRONG_NODE", one + ".operations[0].skip.path");
  refused(insert(cue("2", "{'locate':{'timelineFrame':'-1'}}")), "OUT_OF_RANGE",
          one + ".operations[0].locate.timeline_frame");
  refused(insert(cue("2", "{'cueRemove':{'all':true}}")), "NOT_IN_A_CUE", one + ".operations[0]");
  refused(insert(cue("2", kPlay), ",'before':{'name':'7'}"), "UNKNOWN_CUE", "operations[0].cue_insert.before");
  refused(insert(cue("2", kPlay), ",'before':{'name':'1'},'after':{'name':'1'}"), "WRONG_FIELD",
          "operations[0].cue_insert.after");
  refused("{'cueRemove':{}}", "WRONG_FIELD", "operations[0].cue_remove.cues");
  refused("{'cueRemove':{'cues':[{'name':'1'},{'name':'1'}]}}", "DUPLICATE_CUE", "operations[0].cue_remove.cues[1]");
  refused("{'cueMove':{}}", "MISSING_FIELD", "operations[0].cue_move.cue");
  refused("{'cueSet':{'cue':{'name':'1'}}}", "MISSING_FIELD", "operations[0].cue_set.values");
  refused("{'cueNext':{'cue':{'name':'9'}}}", "UNKNOWN_CUE", "operations[0].cue_next.cue");
  refused("{'go':{'cue':{'name':'9'}}}", "UNKNOWN_CUE", "operations[0].go.cue");
  refused("{'go':{'expected':{}}}", "MISSING_FIELD", "operations[0].go.expected");
  refused("{'cueRemove':{'all':true}},{'go':{}}", "WRONG_FIELD", "operations[1].go");
}

TEST_CASE("cues: what only the state of then decides is no reason to refuse a cue") {
  Document rack = document(kRack);
  done(rack, "{'setAutomation':{'path':'a','param':'gain_db','points':[{'frame':'0','value':-3}]}}");
  done(rack, insert(cue("1", "{'skip':{'path':'a/p','by':1}}") + "," +
                    cue("2", "{'setParams':{'path':'a','values':{'gain_db':0}}}") + "," +
                    cue("3", "{'queueRemove':{'path':'a/p','items':[{'current':true},{'number':8}]}}") + "," +
                    cue("4", "{'clearAutomation':{'path':'a','param':'pan'}}")));
  CHECK(rack.cues.size() == 4);
  CHECK(broken_cues(rack, rack, 9).empty());
  CHECK(broken_cues({}, rack, 9).size() == 2);  // of a session as a whole it is told: 1 and 3 find no item
}

TEST_CASE("cues: a node that moves takes its name in cues along, one that goes is told once") {
  Document rack = document(kRack);
  done(rack, insert(cue("1", kPlay + ",{'setParams':{'path':'a','values':{'gain_db':0}}}") + "," +
                    cue("2", "{'recordStart':{'nodes':['r']}},{'skip':{'path':'a/p','by':1}}")));
  done(rack, "{'moveNode':{'path':'a','id':'b'}}");
  CHECK(rack.cues[0].operations->list[0].play().players(0) == "b/p");
  CHECK(rack.cues[0].operations->list[1].set_params().path() == "b");
  CHECK(rack.cues[1].operations->list[1].skip().path() == "b/p");
  CHECK(rack.cues[1].operations->list[0].record_start().nodes(0) == "r");
  CHECK(print_session(rack).find("\"b/p\"") != std::string::npos);  // the text, too
  const Document whole = rack;
  done(rack, "{'removeNode':{'path':'b/p'}}");
  CHECK(broken_cues(whole, rack, 9).size() == 2);
  CHECK(broken_cues(whole, rack, 1).size() == 1);
  const Document broken = rack;
  done(rack, "{'removeNode':{'path':'t'}}");
  CHECK(broken_cues(broken, rack, 9).empty());
}

TEST_CASE("cues: a Go with its cue is that cue's operations, and errors say where they stand") {
  Document rack = document(kRack);
  done(rack, insert(cue("in.1", kPlay + ",{'stop':{}}")));
  const auto list = operations("[{'stop':{}},{'go':{'cue':{'name':'in.1'}}},{'go':{}},{'play':{}}]");
  const Expanded all = expand_cues(rack, list);
  REQUIRE(all.operations.size() == 6);
  CHECK(all.operations[2].play().players(0) == "a/p");
  CHECK(all.operations[3].has_stop());
  CHECK(all.operations[4].has_go());
  CHECK(all.field_of("operations[0].stop") == "operations[0].stop");
  CHECK(all.field_of("operations[2].play.players[0]") == "operations[1].go.cue(in.1).operations[0].play.players[0]");
  CHECK(all.field_of("operations[5].play") == "operations[3].play");
  for (const char* other :
       {"", "when", "operations", "operations[9].x", "operations[x]", "operations[99999999999999999]"})
    CHECK(all.field_of(other) == other);
}
