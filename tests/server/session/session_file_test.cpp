#include <google/protobuf/util/json_util.h>

#include <cmath>
#include <limits>

#include "server/session/node_registry.hpp"
#include "tests/server/session/session_cases.hpp"

using namespace continuo;
using namespace continuo::session;
using continuo::session::test::counter;
using continuo::session::test::json;
using continuo::session::test::kMixer;
using continuo::session::test::refused;
using continuo::session::test::refused_json;
using continuo::session::test::says;

TEST_CASE("the smallest session") {
  const Result<Document> parsed = parse_session("{}", counter());
  REQUIRE(parsed);
  CHECK(parsed->nodes.size() == 2);
  CHECK(print_session(*parsed) == "{\n  \"format\": 1\n}\n");
}

TEST_CASE("what is printed is what was read, byte for byte, and protobuf reads it as Session") {
  const Result<Document> parsed = parse_session(kMixer, counter());
  REQUIRE(parsed);
  CHECK(print_session(*parsed) == kMixer);
  v1::Session session;
  google::protobuf::util::JsonParseOptions strict;
  strict.ignore_unknown_fields = false;
  REQUIRE(google::protobuf::util::JsonStringToMessage(kMixer, &session, strict).ok());
  CHECK(session.nodes(0).params().at("pan").number_value() == 0.1);
  CHECK(session.connections(1).channels(0).to() == 2);
}

TEST_CASE("every field of the proto messages is read") {
  // A field that somebody adds to the contract must not be refused here as unknown.
  const auto accepted = [](const google::protobuf::Descriptor& message, const std::string& before,
                           const std::string& after) {
    for (int i = 0; i < message.field_count(); ++i) {
      const Result<Document> parsed = parse_session(before + message.field(i)->name() + "\": []" + after, counter());
      if (parsed) continue;
      CAPTURE(message.field(i)->full_name());
      CHECK(parsed.error().reason != "UNKNOWN_FIELD");
    }
  };
  accepted(*v1::Session::descriptor(), "{\"", "}");
  accepted(*v1::Node::descriptor(), "{\"nodes\": [{\"", "}]}");
  accepted(*v1::Connection::descriptor(), "{\"connections\": [{\"", "}]}");
  accepted(*v1::ChannelPair::descriptor(), "{\"connections\": [{\"channels\": [{\"", "}]}]}");
}

TEST_CASE("protobuf's own JSON of a session is read too") {
  v1::Session session;
  REQUIRE(google::protobuf::util::JsonStringToMessage(kMixer, &session).ok());
  session.mutable_nodes(0)->set_uid(77);
  std::string text;
  REQUIRE(google::protobuf::util::MessageToJsonString(session, &text).ok());  // lowerCamelCase, uid in quotes
  const Result<Document> parsed = parse_session(text, counter());
  REQUIRE(parsed);
  CHECK(print_session(*parsed) == kMixer);
}

TEST_CASE("a choice that stands as a number is read, and written as a text") {
  const Result<Document> parsed = parse_session(
      json("{'nodes': [{'id': 'c', 'type': 'convolution', 'params': {'latency_frames': 256}}]}"), counter());
  REQUIRE(parsed);
  CHECK(text_of(*find_node(*parsed, "c"), "latency_frames") == "256");
  CHECK(print_session(*parsed).find("\"latency_frames\": \"256\"") != std::string::npos);
  const Result<Document> none = parse_session(
      json("{'nodes': [{'id': 'c', 'type': 'convolution', 'params': {'latency_frames': 257}}]}"), counter());
  CHECK(none.error().reason == "WRONG_KIND");
}

TEST_CASE("what equals its default is left out, and uids are the server's") {
  const Result<Document> parsed = parse_session(json("{'nodes': [{'id': 'a', 'type': 'track', 'uid': 5, 'params': "
                                                     "{'gain_db': 0, 'pan': -0.0, 'solo': false, 'channels': 2}}]}"),
                                                counter(100));
  REQUIRE(parsed);
  CHECK(parsed->nodes[1].params.size() == 1);
  CHECK(parsed->nodes[1].uid >= 100);
  CHECK(parsed->nodes[1].uid < 110);
}

TEST_CASE("escapes are read") {
  const Result<Document> parsed = parse_session(R"({"name": "\u00fc \ud83c\udfb5 \/ \\ \" \t"})", counter());
  REQUIRE(parsed);
  CHECK(parsed->name == "\xc3\xbc \xf0\x9f\x8e\xb5 / \\ \" \t");
}

TEST_CASE("a mark before the text, as some editors put it, is no error") {
  CHECK(parse_session("\xef\xbb\xbf{}", counter()));
}

TEST_CASE("values to and from the wire") {
  google::protobuf::Value value;
  CHECK(from_proto(value, "v").error().reason == "EMPTY_VALUE");
  value.set_number_value(std::numeric_limits<double>::infinity());
  CHECK(from_proto(value, "v").error().reason == "NOT_FINITE");
  value.set_number_value(std::numeric_limits<double>::quiet_NaN());
  CHECK(from_proto(value, "v").error().field == "v");
  value.set_null_value(google::protobuf::NULL_VALUE);
  CHECK(from_proto(value, "v").error().reason == "WRONG_KIND");
  for (const Value& plain : {Value(1.5), Value(true), Value(std::string("x"))})
    CHECK(*from_proto(to_proto(plain), "v") == plain);
}

TEST_CASE("a node as a Struct: read as strictly as a session") {
  const auto read = [](std::string_view text) {
    google::protobuf::Struct object;
    REQUIRE(google::protobuf::util::JsonStringToMessage(json(text), &object).ok());
    return node_from_struct(object, "operations[0].add_node.node", counter(7));
  };
  const Result<DocNode> node = read(
      "{'id': 'a', 'type': 'track', 'label': 'L', 'params': {'gain_db': -6, 'mute': true, 'pan': 0}, "
      "'children': [{'id': 'p', 'type': 'player', 'params': {'file': 'x.wav'}}]}");
  REQUIRE(node);
  CHECK(node->uid == 7);
  CHECK(node->params.size() == 2);
  CHECK(*node_from_struct(node_to_struct(*node), "f", counter(7)) == *node);
  CHECK(node_to_struct(*node).fields().at("uid").number_value() == 7.0);

  const Result<DocNode> unknown = read("{'id': 'a', 'type': 'track', 'children': [{'id': 'p', 'typ': 'player'}]}");
  REQUIRE_FALSE(unknown);
  CHECK(says(unknown.error(), "UNKNOWN_FIELD", "operations[0].add_node.node.children[0].typ"));
  CHECK(unknown.error().message.find("line") == std::string::npos);
  google::protobuf::Struct object;
  (*(*object.mutable_fields())["params"].mutable_struct_value()->mutable_fields())["gain_db"].set_number_value(
      std::nan(""));
  CHECK(says(node_from_struct(object, "n", counter()).error(), "NOT_FINITE", "n.params.gain_db"));
  google::protobuf::Struct deep;
  google::protobuf::Struct* at = &deep;
  for (int i = 0; i < 5000; ++i) at = (*at->mutable_fields())["children"].mutable_struct_value();
  CHECK(node_from_struct(deep, "n", counter()).error().reason == "TOO_DEEP");
}
