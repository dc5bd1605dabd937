#include "server/session/validate.hpp"

#include <doctest/doctest.h>

#include "server/session/edit.hpp"
#include "tests/server/session/builders.hpp"

using namespace continuo;
using namespace continuo::session;
using continuo::session::test::counter;
using continuo::session::test::json;

namespace {

// Of the session's file: what parse_session() says.
void refuses(const std::string& text, const char* reason, const char* field) {
  const Result<Document> parsed = parse_session(json(text), counter());
  CAPTURE(text);
  REQUIRE_FALSE(parsed);
  INFO(parsed.error().message);
  CHECK(parsed.error().reason == reason);
  CHECK(parsed.error().field == field);
  CHECK(parsed.error().kind == ErrorKind::invalid_argument);
}
void nodes_refuse(const std::string& nodes, const char* reason, const char* field) {
  refuses("{'nodes': [" + nodes + "]}", reason, field);
}
const char* const kPlaces =
    "'nodes': [{'id': 'a', 'type': 'track', 'children': [{'id': 'p', 'type': 'player'}]}, {'id': 'b', 'type': 'bus'}, "
    "{'id': 'g', "
    "'type': 'container', 'children': [{'id': 't', 'type': 'track'}]}, {'id': 'osc', 'type': 'oscillator'}, "
    "{'id': 'm', 'type': 'meter'}, {'id': 'fx', 'type': 'gain'}]";
void connection_refused(const std::string& connection, const char* reason, const char* field) {
  refuses(std::string("{") + kPlaces + ", 'connections': [{'from': 'a', 'to': 'b'}, " + connection + "]}", reason,
          field);
}
std::string circle_of(const std::string& connections) {
  const Result<Document> parsed =
      parse_session(json("{'nodes': [{'id': 'a', 'type': 'bus'}, {'id': 'b', 'type': 'bus'}, {'id': 'c', "
                         "'type': 'bus'}, {'id': 'd', 'type': 'bus'}], 'connections': [" +
                         connections + "]}"),
                    counter());
  if (parsed) return "";
  CHECK(parsed.error().reason == "CYCLE");
  return parsed.error().field + " " + parsed.error().message;
}

}  // namespace

TEST_CASE("ids, types, places") {
  nodes_refuse("{'type': 'track'}", "BAD_ID", "nodes[0].id");
  nodes_refuse("{'id': 'Vox', 'type': 'track'}", "BAD_ID", "nodes[0].id");
  nodes_refuse("{'id': 'a', 'type': 'track'}, {'id': 'a', 'type': 'bus'}", "DUPLICATE_ID", "nodes[1].id");
  nodes_refuse("{'id': 'a', 'type': 'track', 'children': [{'id': 'p', 'type': 'gain'}, {'id': 'p', 'type': 'gain'}]}",
               "DUPLICATE_ID", "nodes[0].children[1].id");
  nodes_refuse("{'id': 'a', 'type': 'theremin'}", "UNKNOWN_TYPE", "nodes[0].type");
  nodes_refuse("{'id': 'a'}", "UNKNOWN_TYPE", "nodes[0].type");
  nodes_refuse("{'id': 'a', 'type': 'gain', 'children': [{'id': 'b', 'type': 'gain'}]}", "NO_CHILDREN",
               "nodes[0].children");
  nodes_refuse("{'id': 'a', 'type': 'track', 'children': [{'id': 'b', 'type': 'track'}]}", "WRONG_PLACE",
               "nodes[0].children[0].type");
  nodes_refuse("{'id': 'a', 'type': 'bus', 'children': [{'id': 'b', 'type': 'container'}]}", "WRONG_PLACE",
               "nodes[0].children[0].type");
  nodes_refuse("{'id': 'in', 'type': 'track'}", "RESERVED_NODE", "nodes[0].type");
  nodes_refuse("{'id': 'out', 'type': 'in'}", "RESERVED_NODE", "nodes[0].type");
  nodes_refuse("{'id': 'x', 'type': 'in'}", "RESERVED_NODE", "nodes[0].type");
  nodes_refuse("{'id': 'g', 'type': 'container', 'children': [{'id': 'in', 'type': 'in'}]}", "RESERVED_NODE",
               "nodes[0].children[0].type");
  nodes_refuse("{'id': 'a', 'type': 'gain', 'params': {'gain_db': -151}}", "OUT_OF_RANGE", "nodes[0].params.gain_db");
  nodes_refuse("{'id': 'a', 'type': 'gain', 'label': '" + std::string(1001, 'x') + "'}", "TOO_LONG", "nodes[0].label");
  // The device's own nodes do not shift the file's numbers.
  nodes_refuse(
      "{'id': 'ok', 'type': 'gain'}, {'id': 'in', 'type': 'in'}, {'id': 'b', 'type': 'gain', 'params': {'x': 1}}",
      "UNKNOWN_PARAM", "nodes[2].params.x");
}

TEST_CASE("an \"in\" below the root is a name like any other") {
  CHECK(parse_session(
      json("{'nodes': [{'id': 'g', 'type': 'container', 'children': [{'id': 'in', 'type': 'track'}]}]}"), counter()));
}

TEST_CASE("ends of connections") {
  connection_refused("{'from': 'x', 'to': 'b'}", "UNKNOWN_NODE", "connections[1].from");
  connection_refused("{'from': 'a', 'to': 'g/x'}", "UNKNOWN_NODE", "connections[1].to");
  connection_refused("{'from': 'a:wet', 'to': 'b'}", "UNKNOWN_PORT", "connections[1].from");
  connection_refused("{'from': 'a', 'to': 'b:out'}", "UNKNOWN_PORT", "connections[1].to");
  connection_refused("{'from': 'a', 'to': 'b:pre'}", "UNKNOWN_PORT", "connections[1].to");
  connection_refused("{'from': 'g', 'to': 'b'}", "UNKNOWN_PORT", "connections[1].from");
  connection_refused("{'from': 'a/p', 'to': 'b'}", "UNKNOWN_PORT", "connections[1].from");
  connection_refused("{'from': 'a', 'to': 'osc'}", "UNKNOWN_PORT", "connections[1].to");
  connection_refused("{'from': 'm', 'to': 'b'}", "UNKNOWN_PORT", "connections[1].from");
  connection_refused("{'from': 'a', 'to': 'in'}", "UNKNOWN_PORT", "connections[1].to");
  connection_refused("{'from': 'out', 'to': 'b'}", "UNKNOWN_PORT", "connections[1].from");
  connection_refused("{'from': 'a:2', 'to': 'b'}", "UNKNOWN_PORT", "connections[1].from");
  connection_refused("{'from': 'in:129', 'to': 'b'}", "BAD_CHANNEL", "connections[1].from");
  connection_refused("{'from': 'in:0', 'to': 'b'}", "BAD_ENDPOINT", "connections[1].from");
  connection_refused("{'from': 'in:3', 'to': 'out:129'}", "BAD_CHANNEL", "connections[1].to");
  connection_refused("{'from': 'A', 'to': 'b'}", "BAD_ENDPOINT", "connections[1].from");
  CHECK(parse_session(json(std::string("{") + kPlaces +
                           ", 'connections': [{'from': 'in:128', 'to': 'out:128'}, {'from': 'osc', 'to': 'g/t'}, "
                           "{'from': 'g/t:pre', 'to': 'fx'}, {'from': 'fx', 'to': 'm'}]}"),
                      counter()));
}

TEST_CASE("gains and channel maps of connections") {
  connection_refused("{'from': 'a', 'to': 'out', 'gain_db': 24.1}", "OUT_OF_RANGE", "connections[1].gain_db");
  connection_refused("{'from': 'a', 'to': 'out', 'gain_db': NaN}", "NOT_FINITE", "connections[1].gain_db");
  connection_refused("{'from': 'a', 'to': 'out', 'channels': [{'from': 1, 'to': 1}, {'from': 0, 'to': 2}]}",
                     "BAD_CHANNEL", "connections[1].channels[1].from");
  connection_refused("{'from': 'a', 'to': 'out', 'channels': [{'from': 65, 'to': 2}]}", "BAD_CHANNEL",
                     "connections[1].channels[0].from");
  connection_refused("{'from': 'a', 'to': 'out', 'channels': [{'from': 1, 'to': 129}]}", "BAD_CHANNEL",
                     "connections[1].channels[0].to");
  connection_refused("{'from': 'a', 'to': 'b', 'channels': [{'from': 1, 'to': 65}]}", "BAD_CHANNEL",
                     "connections[1].channels[0].to");
  connection_refused("{'from': 'a', 'to': 'b', 'channels': [{'from': 1}]}", "BAD_CHANNEL",
                     "connections[1].channels[0].to");
  connection_refused("{'from': 'a', 'to': 'b', 'channels': [{'from': 1, 'to': 2}, {'from': 1, 'to': 2}]}",
                     "BAD_CHANNEL", "connections[1].channels[1]");
  connection_refused("{'from': 'a:out', 'to': 'b:in', 'gain_db': -3}", "DUPLICATE_CONNECTION", "connections[1]");
  CHECK(parse_session(
      json(std::string("{") + kPlaces +
           ", 'connections': [{'from': 'a', 'to': 'b'}, {'from': 'a:pre', 'to': 'b'}, {'from': 'a', 'to': 'b', "
           "'channels': [{'from': 1, 'to': 2}]}, {'from': 'in', 'to': 'b', 'channels': [{'from': 128, 'to': 64}]}]}"),
      counter()));
}

TEST_CASE("a circle is named by its nodes and the connection that closes it") {
  CHECK(circle_of("{'from': 'a', 'to': 'a'}") ==
        "connections[0] the connections go in a circle: a -> a; only through a feedback can they");
  CHECK(circle_of("{'from': 'd', 'to': 'a'}, {'from': 'a', 'to': 'b'}, {'from': 'b', 'to': 'c'}, {'from': 'c:pre', "
                  "'to': 'a'}") ==
        "connections[3] the connections go in a circle: a -> b -> c -> a; only through a feedback can they");
  CHECK(circle_of("{'from': 'a', 'to': 'b'}, {'from': 'a', 'to': 'c'}, {'from': 'b', 'to': 'd'}, {'from': 'c', 'to': "
                  "'d'}, {'from': 'd', 'to': 'out'}") == "");
}

TEST_CASE("long chains and long circles cost no stack") {
  Document document;
  for (int i = 0; i < 20000 - 2; ++i) {
    DocNode node;
    node.id = "n" + std::to_string(i);
    node.type = "gain";
    node.uid = static_cast<rt::Uid>(i + 1);
    document.nodes.push_back(std::move(node));
    if (i > 0)
      document.connections.push_back(
          {.from = {"n" + std::to_string(i - 1), "out", 0}, .to = {"n" + std::to_string(i), "in", 0}});
  }
  ensure_device_nodes(document);
  CHECK(validate(document));
  document.connections.push_back({.from = {"n19997", "out", 0}, .to = {"n0", "in", 0}});
  const Result<> circle = validate(document);
  REQUIRE_FALSE(circle);
  CHECK(circle.error().reason == "CYCLE");
  CHECK(circle.error().message.size() < 1000);
  CHECK(circle.error().message.find("19998 nodes") != std::string::npos);
}

TEST_CASE("a document without the device's nodes is refused") {
  CHECK(validate(Document{}).error().reason == "MISSING_NODE");
}
