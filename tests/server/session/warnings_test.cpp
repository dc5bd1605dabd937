// What is allowed and hardly meant: items beyond their files, takes that end before they begin, cues without their
// items.
#include "server/session/warnings.hpp"

#include "doctest/doctest.h"
#include "server/session/cue.hpp"
#include "tests/server/session/builders.hpp"

using namespace continuo;
using namespace continuo::session;
using namespace continuo::session::test;

namespace {

constexpr const char* kRack =
    "{'format':1,'nodes':[{'id':'p','type':'player','params':{'mode':'free'},'queue':[{'file':'a'},{'file':'a'},{'file'"
    ":"
    "'a'}]}]}";

Document with(const std::string& operations) {
  Document rack = document(kRack);
  rt::Uid next = 1000;
  const auto result = edit(rack, "[" + operations + "]", [&] { return next++; });
  REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
  return rack;
}
Result<EditResult> change(Document& document, const std::string& operation) {
  rt::Uid next = 5000;
  return edit(document, "[" + operation + "]", [&] { return next++; });
}
std::string cue(const std::string& name, const std::string& operations) {
  return "{'cueInsert':{'cues':[{'name':'" + name + "','operations':[" + operations + "]}]}}";
}
std::string skip_to(int number) { return "{'skip':{'path':'p','item':{'number':" + std::to_string(number) + "}}}"; }
std::string missing(const std::string& cues) {
  const Document rack = with(cues);
  return missing_item(rack, rack.cues.front());
}

}  // namespace

TEST_CASE("items beyond their files: the last frame is within, the next is not, and what was told is not told again") {
  const MediaTable media{{"a", {.channels = 1, .sample_rate_hz = 48'000, .frames = 100}}};
  const auto set = [](const char* values) {
    return with("{'queueSet':{'path':'p','item':{'number':2},'values':{" + std::string(values) + "}}}");
  };
  const Document whole = document(kRack);
  CHECK(items_beyond_file({}, whole, media, 9).empty());
  CHECK(items_beyond_file({}, set("'inFrame':'99','outFrame':'100'"), media, 9).empty());
  const Document in = set("'inFrame':'100'"), out = set("'outFrame':'101'");
  CHECK(items_beyond_file({}, in, media, 9) ==
        std::vector<std::string>{"p: item 2: a: in 100 is behind the file's end at 100: the item is passed over"});
  CHECK(items_beyond_file({}, out, media, 9) ==
        std::vector<std::string>{"p: item 2: a: out 101 is behind the file's end at 100: the item ends there"});
  CHECK(items_beyond_file(whole, in, media, 9).size() == 1);
  CHECK(items_beyond_file(in, in, media, 9).empty());
  CHECK(items_beyond_file({}, in, media, 0).empty());
  CHECK(items_beyond_file({}, in, {}, 9).empty());  // nobody knows
  const Document brings = with(cue("1", "{'queueInsert':{'path':'p','items':[{'file':'a','inFrame':'200'}]}}"));
  REQUIRE(items_beyond_file({}, brings, media, 9).size() == 1);
  CHECK(items_beyond_file({}, brings, media, 9)[0].find("cue 1: an item of p: a: in 200") == 0);
  CHECK(items_beyond_file(brings, brings, media, 9).empty());
}

TEST_CASE("a cue's take that ends where the cue itself goes, or before") {
  const auto lines = [](int stop, int locate) {
    return backward_takes(with(cue("1", "{'recordStart':{'stopTimelineFrame':'" + std::to_string(stop) +
                                            "'}},{'locate':{'timelineFrame':'" + std::to_string(locate) + "'}}")),
                          9)
        .size();
  };
  CHECK(lines(48'000, 48'000) == 1);
  CHECK(lines(47'999, 48'000) == 1);
  CHECK(lines(48'001, 48'000) == 0);
  CHECK(backward_takes(with(cue("1", "{'recordStart':{'stopTimelineFrame':'5'}}")), 9).empty());
}

TEST_CASE("items that a cue names: what the cue itself does to the queue counts, and another cue may fill it") {
  CHECK(missing(cue("1", skip_to(3))).empty());
  CHECK(missing(cue("1", skip_to(4))) == "the queue of \"p\" has 3 items, and no number 4");
  CHECK(missing(cue("1", "{'queueInsert':{'path':'p','items':[{'file':'a'}]}}," + skip_to(4))).empty());
  CHECK_FALSE(missing(cue("1", "{'queueRemove':{'path':'p','items':[{'number':1}]}}," + skip_to(3))).empty());
  CHECK(missing(cue("1", "{'queueRemove':{'path':'p','all':true}},{'skip':{'path':'p','by':1}}")) ==
        "the queue of \"p\" is empty");
  CHECK_FALSE(missing(cue("1", "{'queueMove':{'path':'p','item':{'number':4}}}")).empty());
  CHECK_FALSE(missing(cue("1", "{'queueSet':{'path':'p','item':{'number':9},'values':{'gainDb':1}}}")).empty());
  CHECK_FALSE(missing(cue("1", "{'queueInsert':{'path':'p','items':[{'file':'a'}],'after':{'number':4}}}")).empty());
  const std::string fills = cue("2", "{'queueInsert':{'path':'p','items':[{'file':'a'},{'file':'a'}]}}");
  CHECK(missing(cue("1", skip_to(4)) + "," + fills).empty());
}

TEST_CASE("an edit of a queue that takes away what cues name tells these cues, once") {
  const Document before = with(cue("k", skip_to(3)) + "," + cue("l", skip_to(1)));
  Document after = before;
  REQUIRE(change(after, "{'queueRemove':{'path':'p','items':[{'number':3}]}}"));
  CHECK(broken_cues(before, after, 9) ==
        std::vector<std::string>{"cue k cannot be fired: the queue of \"p\" has 2 items, and no number 3"});
  Document none = after;
  REQUIRE(change(none, "{'queueRemove':{'path':'p','all':true}}"));
  CHECK(broken_cues(after, none, 9).size() == 1);  // l; k was broken before
  CHECK(broken_cues(before, none, 9).size() == 2);
}

TEST_CASE("neither a cue nor an item has a place beside itself") {
  Document rack = with(cue("k", "{'stop':{}}") + "," + cue("l", "{'stop':{}}"));
  const auto field = [&](const std::string& operation) {
    Document copy = rack;
    const auto result = change(copy, operation);
    return result ? std::string() : result.error().reason + " " + result.error().field;
  };
  CHECK(field("{'cueMove':{'cue':{'name':'k'},'after':{'name':'k'}}}") == "WRONG_FIELD operations[0].cue_move.after");
  CHECK(field("{'cueMove':{'cue':{'name':'l'},'before':{'name':'l'}}}") == "WRONG_FIELD operations[0].cue_move.before");
  CHECK(field("{'cueMove':{'cue':{'name':'k'},'before':{'name':'l'}}}").empty());
  CHECK(field("{'cueMove':{'cue':{'name':'l'},'after':{'name':'k'}}}").empty());
  CHECK(field("{'queueMove':{'path':'p','item':{'number':2},'after':{'number':2}}}") ==
        "WRONG_FIELD operations[0].queue_move.after");
  CHECK(field("{'queueMove':{'path':'p','item':{'number':2},'after':{'number':1}}}").empty());
}
