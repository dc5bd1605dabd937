#include <string>
#include <vector>

#include "server/control/undo_log.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

const std::string kSession =
    "{'operations':[{'addNode':{'node':{'id':'a','type':'track','params':{'channels':1},'children':[{'id':'osc','type':"
    "'oscillator'}]}}},{'addNode':{'node':{'id':'b','type':'track','params':{'channels':1}}}},"
    "{'connect':{'from':'a','to':'out'}},{'connect':{'from':'b','to':'out'}}]}";

std::string set(const char* node, const char* param, double value) {
  return "{'operations':[{'setParams':{'path':'" + std::string(node) + "','values':{'" + param +
         "':" + std::to_string(value) + "}}}]}";
}

struct Desk : Rig {
  Result<v1::ApplyResponse> edit(const std::string& json, const std::string& who) {
    return answer<v1::ApplyResponse>([&](auto done) { engine->apply(request(json), done, who); });
  }
  Result<v1::ApplyResponse> undo(std::optional<std::uint64_t> id = {}, const std::string& who = {},
                                 v1::UndoRequest request = {}) {
    if (id) request.set_transaction_id(*id);
    return answer<v1::ApplyResponse>([&](auto done) { engine->undo(request, allowed, done, who); });
  }
  Result<v1::ApplyResponse> redo(std::optional<std::uint64_t> id = {}, const std::string& who = {}) {
    v1::RedoRequest request;
    if (id) request.set_transaction_id(*id);
    return answer<v1::ApplyResponse>([&](auto done) { engine->redo(request, allowed, done, who); });
  }
  v1::ListParamsResponse params(const std::string& path) {
    auto got = answer<v1::ListParamsResponse>([&](auto done) { engine->list_params(path, done); });
    REQUIRE(got);
    return *got;
  }
  std::function<Result<>(const v1::ApplyRequest&)> allowed;
};

template <class T>
void refused(const Result<T>& result, const char* reason, ErrorKind kind, const char* field = nullptr) {
  REQUIRE_FALSE(result);
  INFO(result.error().message);
  CHECK(result.error().reason == reason);
  CHECK(result.error().kind == kind);
  if (field != nullptr) CHECK(result.error().field == field);
}

}  // namespace

TEST_CASE("undo puts back what it changed, redo does it again, and each is a transaction that becomes sound") {
  Desk rig;
  rig.applied(kSession);
  const std::string before = rig.session();
  const auto set_it = rig.applied(set("a", "gain_db", -6));
  const std::string after = rig.session();
  const auto feed = rig.watch();
  const auto undone = rig.undo();
  REQUIRE(undone);
  CHECK(undone->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  CHECK(undone->revision().number() == set_it.revision().number() + 1);
  CHECK(rig.session() == before);  // absent again, not 0
  refused(rig.undo(set_it.transaction_id()), "UNDONE", ErrorKind::failed_precondition, "transaction_id");
  const auto redone = rig.redo();
  REQUIRE(redone);
  CHECK(rig.session() == after);
  refused(rig.redo(), "NOTHING_TO_REDO", ErrorKind::not_found);
  REQUIRE(rig.undo());  // what was redone can be undone
  CHECK(rig.session() == before);
  std::vector<std::uint64_t> undoes;
  while (const auto message = feed->next({}))
    if (message->has_change()) undoes.push_back(message->change().undoes());
  CHECK(undoes == std::vector{set_it.transaction_id(), undone->transaction_id(), redone->transaction_id()});
  REQUIRE(rig.undo());
  CHECK(rig.status().revision().number() == 6);
  refused(rig.undo(), "NOTHING_TO_UNDO", ErrorKind::not_found);
  CHECK(rig.session().find("\"a\"") == std::string::npos);
}

TEST_CASE("a chain of undos and redos walks back and forth, and an edit of the same client ends the way forth") {
  Desk rig;
  rig.applied(kSession);
  std::vector<std::string> states = {rig.session()};
  for (int i = 1; i <= 4; ++i) {
    rig.applied(set("a", "gain_db", -i));
    states.push_back(rig.session());
  }
  for (int i = 4; i > 1; --i) {
    REQUIRE(rig.undo());
    CHECK(rig.session() == states[static_cast<std::size_t>(i) - 1]);
  }
  for (int i = 2; i <= 3; ++i) {
    REQUIRE(rig.redo());
    CHECK(rig.session() == states[static_cast<std::size_t>(i)]);
  }
  REQUIRE(rig.undo());
  CHECK(rig.session() == states[2]);
  REQUIRE(rig.edit(set("b", "gain_db", -9), "somebody else"));
  REQUIRE(rig.redo());  // of others nothing is in the way
  REQUIRE(rig.undo());
  const auto last_undo = rig.undo();
  REQUIRE(last_undo);
  rig.applied(set("b", "pan", 0.5));
  refused(rig.redo(), "NOTHING_TO_REDO", ErrorKind::not_found);
  REQUIRE(rig.redo(last_undo->transaction_id()));  // named, it is still there
}

TEST_CASE("each has a last transaction of its own, and what another changed since is named") {
  Desk rig;
  rig.applied(kSession);
  const auto anna = rig.edit(set("a", "gain_db", -6), "anna");
  REQUIRE(rig.edit(set("b", "gain_db", -7), "ben"));
  const std::string with_ben = rig.session();
  REQUIRE(rig.undo({}, "anna"));
  CHECK(rig.params("b").params_size() > 0);
  REQUIRE(rig.redo({}, "anna"));
  CHECK(rig.session() == with_ben);
  REQUIRE(rig.edit(set("a", "gain_db", -8), "ben"));
  const std::string before = rig.session();
  const auto revision = rig.status().revision();
  refused(rig.undo({}, "anna"), "CHANGED_SINCE", ErrorKind::aborted, "a.gain_db");
  refused(rig.undo({}, "carl"), "NOTHING_TO_UNDO", ErrorKind::not_found);
  CHECK(rig.session() == before);
  CHECK(rig.status().revision().number() == revision.number());
  REQUIRE(anna);
  v1::UndoRequest dry;
  dry.set_dry_run(true);
  const auto told = rig.undo({}, "anna", dry);
  REQUIRE(told);
  CHECK(told->outcome() == v1::ApplyResponse::OUTCOME_INVALID);
  CHECK(told->problems(0).reason() == "CHANGED_SINCE");
  REQUIRE(rig.undo({}, "ben"));
  REQUIRE(rig.undo({}, "anna"));
}

TEST_CASE("a deleted track comes back with its uid, where it was, with what it was connected to") {
  Desk rig;
  rig.applied(kSession);
  const std::string before = rig.session();
  const auto uid = rig.params("a").uid();
  const auto child = rig.params("a/osc").uid();
  rig.applied("{'operations':[{'removeNode':{'path':'a'}}]}");
  REQUIRE(rig.undo());
  CHECK(rig.session() == before);
  CHECK(rig.params("a").uid() == uid);
  CHECK(rig.params("a/osc").uid() == child);
  rig.hardware->run(4096);
  bool heard = false;
  for (const float sample : rig.hardware->last_output(0)) heard = heard || sample != 0.0f;
  CHECK(heard);
}

TEST_CASE("who may not do what an undo comes to is refused, and nothing happened") {
  Desk rig;
  rig.applied(kSession);
  const auto removed = rig.applied("{'operations':[{'removeNode':{'path':'a'}}]}");
  rig.allowed = [](const v1::ApplyRequest& request) -> Result<> {
    for (const v1::Operation& operation : request.operations())
      if (operation.has_add_node()) return make_error(ErrorKind::permission_denied, "ROLE", "", "not yours");
    return {};
  };
  refused(rig.undo(), "ROLE", ErrorKind::permission_denied);
  CHECK(rig.session().find("osc") == std::string::npos);
  rig.allowed = nullptr;
  REQUIRE(rig.undo(removed.transaction_id()));
}

TEST_CASE("a repeated undo with a request id takes back one transaction, not two") {
  Desk rig;
  rig.applied(kSession);
  rig.applied(set("a", "gain_db", -1));
  rig.applied(set("a", "gain_db", -2));
  v1::UndoRequest request;
  request.set_request_id("once");
  const auto first = rig.undo({}, "", request);
  const std::string after = rig.session();
  const auto second = rig.undo({}, "", request);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->transaction_id() == second->transaction_id());
  CHECK(rig.session() == after);
  refused(rig.undo(7, "", request), "REQUEST_ID_REUSED", ErrorKind::invalid_argument);
}

TEST_CASE("cues are not undone, and another session has nothing to undo") {
  Desk rig;
  rig.applied(kSession);
  const auto gain = rig.applied(set("a", "gain_db", -6));
  const auto cue = rig.applied(
      "{'operations':[{'cueInsert':{'cues':[{'name':'1','operations':[{'setParams':{'path':'a','values':{'gain_db':-"
      "3}}}]}]}}]}");
  refused(rig.undo(cue.transaction_id()), "NOTHING_TO_UNDO", ErrorKind::not_found);
  const auto undone = rig.undo();  // the one before it
  REQUIRE(undone);
  CHECK(rig.session().find("\"1\"") != std::string::npos);
  REQUIRE(rig.load("{}"));
  refused(rig.undo(gain.transaction_id()), "NOTHING_TO_UNDO", ErrorKind::not_found);
  refused(rig.undo(), "NOTHING_TO_UNDO", ErrorKind::not_found);
}

TEST_CASE("500 transactions can be undone, the oldest is forgotten first") {
  UndoLog log;
  const auto change = [](double value) {
    session::DocNode node;
    node.id = "a";
    node.uid = 1;
    session::DocNode after = node;
    after.params["gain_db"] = value;
    session::DocumentChange made;
    made.nodes.push_back(
        {1, session::NodeState{session::Shared(node), 0, "a"}, session::NodeState{session::Shared(after), 0, "a"}});
    return made;
  };
  for (std::uint64_t id = 1; id <= UndoLog::kMax + 1; ++id)
    log.add({.id = id, .identity = "anna", .change = change(static_cast<double>(id))}, 0);
  CHECK(log.size() == UndoLog::kMax);
  CHECK_FALSE(log.to_undo(1, "anna"));
  REQUIRE(log.to_undo(2, "anna"));
  CHECK((*log.to_undo({}, "anna"))->id == UndoLog::kMax + 1);
  // Large ones count by their bytes.
  session::DocumentChange large;
  large.children.push_back({0, std::vector<rt::Uid>(UndoLog::kMaxBytes / 16), {}});
  for (std::uint64_t id = 1000; id < 1003; ++id) log.add({.id = id, .identity = "anna", .change = large}, 0);
  CHECK(log.bytes() <= UndoLog::kMaxBytes);
  CHECK(log.size() == 1);
  log.clear();
  CHECK(log.size() == 0);
  CHECK(log.bytes() == 0);
}

TEST_CASE("the values of one gesture are one step of undo, and what others did meanwhile is no part of it") {
  UndoLog log;
  session::DocNode node;
  node.id = "a";
  node.uid = 1;
  const auto state = [&] { return session::NodeState{session::Shared(node), 0, "a"}; };
  session::NodeState before = state();
  for (std::uint64_t id = 1; id <= 5; ++id) {
    before = state();
    node.params["gain_db"] = -1.0 * static_cast<double>(id);
    session::DocumentChange change;
    change.nodes.push_back({1, before, state()});
    log.add({.id = id, .identity = "anna", .change = change, .gesture = 7}, 0);
    node.label = "ben's";  // not anna's doing
  }
  CHECK(log.size() == 1);
  const auto entry = log.to_undo({}, "anna");
  REQUIRE(entry);
  const auto& joined = (*entry)->change.nodes.at(0);
  CHECK(joined.before->node->params.empty());
  CHECK(joined.after->node->params.at("gain_db") == session::Value(-5.0));
  CHECK(joined.before->node->label == joined.after->node->label);
}

TEST_CASE("a node knows when it was last changed, and an edit may ask for that") {
  Desk rig;
  rig.applied(kSession);
  const auto expect = [&](const char* node, std::uint64_t number, const std::string& json) {
    v1::ApplyRequest request = Rig::request(json);
    auto& expected = *request.add_expected_nodes();
    expected.set_path(node);
    expected.mutable_revision()->set_epoch(rig.status().revision().epoch());
    expected.mutable_revision()->set_number(number);
    return rig.apply(request);
  };
  CHECK(rig.params("a").changed().number() == 1);
  CHECK(rig.params("out").changed().number() == 1);  // it was connected
  CHECK(rig.params("in").changed().number() == 0);
  rig.applied(set("a", "gain_db", -6));
  CHECK(rig.params("a").changed().number() == 2);
  CHECK(rig.params("b").changed().number() == 1);
  CHECK(rig.params("a/osc").changed().number() == 1);
  CHECK(rig.params("a").changed().epoch() == rig.status().revision().epoch());
  // Whatever else changed meanwhile.
  CHECK(expect("b", 1, set("b", "gain_db", -3)));
  refused(expect("b", 1, set("b", "gain_db", -4)), "REVISION_CHANGED", ErrorKind::aborted,
          "expected_nodes[0].revision");
  refused(expect("nobody", 1, set("b", "gain_db", -4)), "UNKNOWN_NODE", ErrorKind::not_found, "expected_nodes[0].path");
  refused(expect("b", 99, set("b", "gain_db", -4)), "REVISION_CHANGED", ErrorKind::aborted);
  rig.applied("{'operations':[{'moveNode':{'path':'a/osc','parent':'b'}}]}");
  CHECK(rig.params("a").changed().number() == 4);  // other children
  CHECK(rig.params("b").changed().number() == 4);
  CHECK(rig.params("b/osc").changed().number() == 4);
  REQUIRE(rig.undo());
  CHECK(rig.params("a/osc").changed().number() == 5);
  v1::ApplyRequest many = Rig::request(set("b", "gain_db", -4));
  for (int i = 0; i < 1001; ++i) many.add_expected_nodes()->set_path("b");
  refused(rig.apply(many), "TOO_MANY", ErrorKind::invalid_argument, "expected_nodes");
  REQUIRE(rig.load("{'nodes':[{'id':'b','type':'track'}]}"));
  CHECK(rig.params("b").changed().number() == 0);
}
