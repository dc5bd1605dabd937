#include "tests/server/session/edit_cases.hpp"

using namespace continuo;
using namespace continuo::session;
using continuo::session::test::applies;
using continuo::session::test::counter;
using continuo::session::test::edit;
using continuo::session::test::mixer;
using continuo::session::test::refuses;

TEST_CASE("add_node: with fresh uids, before a sibling, and never behind \"out\"") {
  Document document = mixer();
  const EditResult result =
      applies(document,
              "[{'add_node': {'parent': 'a', 'before': 'rec', 'node': {'id': 'eq', 'type': 'gain', 'uid': 3}}}, "
              "{'add_node': {'node': {'id': 'c', 'type': 'track', 'children': [{'id': 'p', 'type': 'player'}]}}}, "
              "{'add_node': {'parent': 'g', 'node': {'id': 'in', 'type': 'bus', 'label': 'B'}}}, "
              "{'add_node': {'before': 'in', 'node': {'id': 'first', 'type': 'bus'}}}]");
  CHECK(result.changed);
  CHECK(result.structural);
  REQUIRE(result.accepted.size() == 4);
  const DocNode& a = *find_node(document, "a");
  REQUIRE(a.children.size() == 4);
  CHECK(a.children[2].id == "eq");
  CHECK(a.children[2].uid == 1000);
  CHECK(document.nodes.front().id == "in");
  CHECK(document.nodes[1].id == "first");
  CHECK(document.nodes.back().id == "out");
  CHECK(find_node(document, "c/p")->uid == 1002);
  CHECK(find_node(document, "g/in")->label == "B");
  CHECK(result.accepted[0].add_node().node().fields().at("uid").number_value() == 1000.0);
}

TEST_CASE("add_node is refused") {
  refuses("[{'add_node': {'parent': 'x', 'node': {'id': 'c', 'type': 'gain'}}}]", "UNKNOWN_NODE",
          "operations[0].add_node.parent", ErrorKind::not_found);
  refuses("[{'add_node': {'parent': 'a', 'before': 'x', 'node': {'id': 'c', 'type': 'gain'}}}]", "UNKNOWN_NODE",
          "operations[0].add_node.before", ErrorKind::not_found);
  refuses("[{'add_node': {'node': {'id': 'a', 'type': 'bus'}}}]", "DUPLICATE_ID", "operations[0].add_node.node.id",
          ErrorKind::already_exists);
  refuses("[{'add_node': {'node': {'id': 'in', 'type': 'bus'}}}]", "DUPLICATE_ID", "operations[0].add_node.node.id",
          ErrorKind::already_exists);
  refuses("[{'add_node': {'node': {'id': 'in2', 'type': 'in'}}}]", "RESERVED_NODE", "operations[0].add_node.node.type");
  refuses("[{'add_node': {'parent': 'osc', 'node': {'id': 'c', 'type': 'gain'}}}]", "NO_CHILDREN",
          "operations[0].add_node.parent");
  refuses("[{'add_node': {'parent': 'a', 'node': {'id': 'c', 'type': 'bus'}}}]", "WRONG_PLACE",
          "operations[0].add_node.node.type");
  refuses("[{'add_node': {'node': {'id': 'c', 'type': 'gain', 'params': {'gain_db': 99}}}}]", "OUT_OF_RANGE",
          "operations[0].add_node.node.params.gain_db");
  refuses("[{'add_node': {'node': {'id': 'c', 'type': 'track', 'children': [{'id': 'd', 'type': 'x'}]}}}]",
          "UNKNOWN_TYPE", "operations[0].add_node.node.children[0].type");
  refuses("[{'add_node': {'node': {'id': 'c', 'type': 'gain', 'extra': 1}}}]", "UNKNOWN_FIELD",
          "operations[0].add_node.node.extra");
  refuses("[{'add_node': {}}]", "BAD_ID", "operations[0].add_node.node.id");
}

TEST_CASE("the tree's depth counts from the root, wherever a node is added") {
  Document document = mixer();
  std::string path = "g";
  UidSource uids = counter(1000);
  for (int depth = 2; depth <= 32; ++depth) {
    REQUIRE(
        edit(document, "[{'add_node': {'parent': '" + path + "', 'node': {'id': 'g', 'type': 'container'}}}]", uids));
    path += "/g";
  }
  const Result<EditResult> result =
      edit(document, "[{'add_node': {'parent': '" + path + "', 'node': {'id': 'g', 'type': 'gain'}}}]", uids);
  REQUIRE_FALSE(result);
  CHECK(result.error().reason == "TOO_DEEP");
}

TEST_CASE("remove_node takes its connections along") {
  Document document = mixer();
  CHECK(applies(document, "[{'remove_node': {'path': 'verb'}}]").structural);
  CHECK(find_node(document, "verb") == nullptr);
  REQUIRE(document.connections.size() == 1);
  CHECK(document.connections[0].from.path == "b");
  refuses("[{'remove_node': {'path': 'x'}}]", "UNKNOWN_NODE", "operations[0].remove_node.path", ErrorKind::not_found);
  refuses("[{'remove_node': {'path': ''}}]", "UNKNOWN_NODE", "operations[0].remove_node.path", ErrorKind::not_found);
  refuses("[{'remove_node': {'path': 'out'}}]", "RESERVED_NODE", "operations[0].remove_node.path");
}

TEST_CASE("connections of nodes whose path only begins alike stay") {
  Document document = mixer();
  applies(document,
          "[{'add_node': {'node': {'id': 'verb2', 'type': 'bus'}}}, {'connect': {'from': 'verb2', 'to': 'out'}}, "
          "{'remove_node': {'path': 'verb'}}]");
  CHECK(document.connections.size() == 2);
}

TEST_CASE("connect and disconnect") {
  Document document = mixer();
  const EditResult result = applies(
      document, "[{'connect': {'from': 'a:pre', 'to': 'b', 'gain_db': -3, 'channels': [{'from': 1, 'to': 2}]}}]");
  CHECK(result.structural);
  CHECK(document.connections.back().gain_db == -3.0);
  CHECK(document.connections.back().uid == 1000);
  CHECK(applies(document, "[{'disconnect': {'from': 'a:pre', 'to': 'b:in'}}]").changed);
  CHECK(document.connections.size() == 3);
  refuses("[{'connect': {'from': 'a:out', 'to': 'verb'}}]", "DUPLICATE_CONNECTION", "operations[0].connect",
          ErrorKind::already_exists);
  refuses("[{'connect': {'from': 'x', 'to': 'verb'}}]", "UNKNOWN_NODE", "operations[0].connect.from",
          ErrorKind::not_found);
  refuses("[{'connect': {'from': 'a', 'to': 'verb:x'}}]", "UNKNOWN_PORT", "operations[0].connect.to");
  refuses("[{'connect': {'from': 'a', 'to': 'out', 'gain_db': 25}}]", "OUT_OF_RANGE", "operations[0].connect.gain_db");
  refuses("[{'connect': {'from': 'a', 'to': 'out', 'gain_db': 'Infinity'}}]", "NOT_FINITE",
          "operations[0].connect.gain_db");
  refuses("[{'connect': {'from': 'a', 'to': 'out', 'gain_db': 'NaN'}}]", "NOT_FINITE", "operations[0].connect.gain_db");
  refuses("[{'connect': {'from': 'a', 'to': 'out', 'channels': [{'from': 1}]}}]", "BAD_CHANNEL",
          "operations[0].connect.channels[0].to");
  refuses("[{'connect': {}}]", "BAD_ENDPOINT", "operations[0].connect.from");
  refuses("[{'disconnect': {'from': 'a', 'to': 'out'}}]", "UNKNOWN_CONNECTION", "operations[0].disconnect",
          ErrorKind::not_found);
  refuses("[{'disconnect': {'from': 'a', 'to': 'x'}}]", "UNKNOWN_NODE", "operations[0].disconnect.to",
          ErrorKind::not_found);
}

TEST_CASE("a circle is laid to the last operation that is part of it; one that is undone in the same list is none") {
  refuses(
      "[{'connect': {'from': 'verb', 'to': 'b'}}, {'set_label': {'path': 'a', 'label': 'x'}}, {'connect': {'from': "
      "'b', 'to': 'a'}}, "
      "{'connect': {'from': 'osc', 'to': 'out'}}]",
      "CYCLE", "operations[2].connect");
  Document document = mixer();
  const Result<EditResult> result = edit(document, "[{'connect': {'from': 'verb', 'to': 'a'}}]", counter(1000));
  REQUIRE_FALSE(result);
  CHECK(result.error().message == "the connections go in a circle: a -> verb -> a; only through a feedback can they");
  CHECK(edit(document, "[{'connect': {'from': 'verb', 'to': 'a'}}, {'disconnect': {'from': 'a', 'to': 'verb'}}]",
             counter(1000)));
}

TEST_CASE("set_label") {
  Document document = mixer();
  EditResult result = applies(document, "[{'set_label': {'path': 'in', 'label': 'Stage box'}}]");
  CHECK(result.changed);
  CHECK_FALSE(result.structural);
  CHECK(find_node(document, "in")->label == "Stage box");
  CHECK_FALSE(applies(document, "[{'set_label': {'path': 'in', 'label': 'Stage box'}}]").changed);
  refuses("[{'set_label': {'path': 'x', 'label': ''}}]", "UNKNOWN_NODE", "operations[0].set_label.path",
          ErrorKind::not_found);
}

TEST_CASE("transport and recorders: shape, and nodes that can do it") {
  Document document = mixer();
  const EditResult result = applies(document,
                                    "[{'play': {}}, {'play': {'players': ['a/p']}}, {'stop': {}}, {'locate': "
                                    "{'timeline_frame': 0}}, {'record_start': {}}, "
                                    "{'record_start': {'nodes': ['a/rec', 'out', 'in', 'a', 'verb'], 'frames': "
                                    "48000}}, {'record_start': {'nodes': ['out'], 'file': "
                                    "'takes:x.wav'}}, {'record_stop': {'nodes': ['a/rec']}}]");
  CHECK_FALSE(result.changed);
  CHECK(result.accepted.size() == 8);
  refuses("[{'play': {'players': ['a/x']}}]", "UNKNOWN_NODE", "operations[0].play.players[0]", ErrorKind::not_found);
  refuses("[{'play': {'players': ['a/p', 'a/tl']}}]", "WRONG_NODE", "operations[0].play.players[1]");
  refuses("[{'stop': {'players': ['a/p', 'a/p']}}]", "DUPLICATE_NODE", "operations[0].stop.players[1]");
  refuses("[{'locate': {'timeline_frame': -1}}]", "OUT_OF_RANGE", "operations[0].locate.timeline_frame");
  refuses("[{'record_start': {'nodes': ['a/p']}}]", "WRONG_NODE", "operations[0].record_start.nodes[0]");
  refuses("[{'record_start': {'nodes': ['x']}}]", "UNKNOWN_NODE", "operations[0].record_start.nodes[0]",
          ErrorKind::not_found);
  refuses("[{'record_start': {'nodes': ['a', 'b'], 'file': 'takes:x.wav'}}]", "WRONG_FIELD",
          "operations[0].record_start.file");
  refuses("[{'record_start': {'file': ''}}]", "MISSING_FIELD", "operations[0].record_start.file");
  refuses("[{'record_start': {'frames': 0}}]", "OUT_OF_RANGE", "operations[0].record_start.frames");
  refuses("[{'record_stop': {'nodes': ['g']}}]", "WRONG_NODE", "operations[0].record_stop.nodes[0]");
}

TEST_CASE("all or nothing: what comes before an error is not in the document") {
  refuses(
      "[{'add_node': {'node': {'id': 'c', 'type': 'track'}}}, {'connect': {'from': 'c', 'to': 'out'}}, {'remove_node': "
      "{'path': 'a'}}, {'set_label': {'path': 'a', 'label': ''}}]",
      "UNKNOWN_NODE", "operations[3].set_label.path", ErrorKind::not_found);
}

TEST_CASE("what was accepted, applied to the same document, gives the same") {
  Document document = mixer();
  Document again = document;
  const EditResult result = applies(document,
                                    "[{'add_node': {'parent': 'a', 'node': {'id': 'eq', 'type': 'gain', 'params': "
                                    "{'gain_db': 3}}}}, {'connect': {'from': 'osc:out', "
                                    "'to': 'a:in'}}, {'disconnect': {'from': 'b', 'to': 'out'}}, {'set_params': "
                                    "{'path': 'b', 'values': {'gain_db': 2}}}]");
  google::protobuf::RepeatedPtrField<v1::Operation> accepted(result.accepted.begin(), result.accepted.end());
  REQUIRE(apply_operations(again, accepted, counter(1000)));
  CHECK(print_session(again) == print_session(document));
}

TEST_CASE("built by operations alone, equal to the same session from its file") {
  Document built;
  ensure_device_nodes(built);
  applies(built,
          "[{'add_node': {'node': {'id': 'a', 'type': 'track'}}}, {'add_node': {'parent': 'a', 'node': {'id': 'p', "
          "'type': 'player', 'params': {'file': 'x.wav'}}}}, "
          "{'connect': {'from': 'a', 'to': 'out'}}, {'set_params': {'path': 'a', 'values': {'gain_db': -6}}}]");
  const Document loaded = test::document(
      "{'nodes': [{'id': 'a', 'type': 'track', 'params': {'gain_db': -6}, 'children': [{'id': 'p', 'type': 'player', "
      "'params': "
      "{'file': 'x.wav'}}]}], 'connections': [{'from': 'a', 'to': 'out'}]}");
  CHECK(print_session(built) == print_session(loaded));
}
