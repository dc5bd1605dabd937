#include "server/session/session_file.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/util/json_util.h>

#include <random>

#include "tests/server/session/builders.hpp"

using namespace continuo;
using namespace continuo::session;
using continuo::session::test::counter;
using continuo::session::test::json;

namespace {

Error refused(std::string_view text) {
  const Result<Document> parsed = parse_session(text, counter());
  if (parsed) FAIL("was accepted: " << text.substr(0, 200));
  CHECK_FALSE(parsed.error().message.empty());
  return parsed.error();
}
Error refused_json(std::string_view text) { return refused(json(text)); }

bool says(const Error& error, const char* reason, const char* field) {
  INFO(error.reason << " " << error.field << ": " << error.message);
  CHECK(error.reason == reason);
  CHECK(error.field == field);
  CHECK(error.kind == ErrorKind::invalid_argument);
  return error.reason == reason && error.field == field;
}

const char* const kMixer = R"({
  "format": 1,
  "name": "Evening \"two\"",
  "sample_rate_hz": 48000,
  "nodes": [
    {
      "id": "vox",
      "label": "Vocals",
      "type": "track",
      "params": {"gain_db": -6.5, "mute": true, "pan": 0.1},
      "children": [
        {
          "id": "p",
          "type": "player",
          "params": {"file": "music:a.wav", "start_s": 1.5}
        }
      ]
    },
    {
      "id": "verb",
      "type": "bus"
    }
  ],
  "connections": [
    {"from": "vox:pre", "to": "verb", "gain_db": -12},
    {"from": "vox", "to": "out:3", "channels": [{"from": 1, "to": 2}]},
    {"from": "in:2", "to": "vox"}
  ]
}
)";

}  // namespace

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
  const auto accepted = [](const google::protobuf::Descriptor& message, const std::string& before, const std::string& after) {
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

TEST_CASE("what equals its default is left out, and uids are the server's") {
  const Result<Document> parsed = parse_session(
      json("{'nodes': [{'id': 'a', 'type': 'track', 'uid': 5, 'params': {'gain_db': 0, 'pan': -0.0, 'solo': false, 'channels': 2}}]}"),
      counter(100));
  REQUIRE(parsed);
  CHECK(parsed->nodes[1].params.size() == 1);
  CHECK(parsed->nodes[1].uid >= 100);
  CHECK(parsed->nodes[1].uid < 110);
}

TEST_CASE("text that is no JSON, or more than JSON") {
  CHECK(refused("").reason == "BAD_JSON");
  CHECK(refused("   \n").reason == "BAD_JSON");
  CHECK(refused("nodes").reason == "BAD_JSON");
  CHECK(refused("[]").reason == "WRONG_KIND");
  CHECK(refused("{} {}").reason == "BAD_JSON");
  CHECK(refused("{\"name\": \"a\",}").reason == "BAD_JSON");
  CHECK(refused("{name: \"a\"}").reason == "BAD_JSON");
  CHECK(refused("{\"name\" \"a\"}").reason == "BAD_JSON");
  CHECK(refused("{'name': 'a'}").reason == "BAD_JSON");
  CHECK(refused("{\"name\": \"a\nb\"}").reason == "BAD_JSON");
  CHECK(refused("{\"name\": \"\\x\"}").reason == "BAD_JSON");
  CHECK(refused("{\"name\": \"\\u12g4\"}").reason == "BAD_JSON");
  CHECK(refused("{\"name\": \"\\ud800\"}").reason == "BAD_UTF8");
  CHECK(refused("{\"name\": \"\\udc00\\ud800\"}").reason == "BAD_UTF8");
  CHECK(refused("{\"name\": \"\\u0000\"}").reason == "BAD_UTF8");
  CHECK(refused("{\"name\": \"\xff\"}").reason == "BAD_UTF8");
  CHECK(refused("{\"format\": 01}").reason == "BAD_JSON");
  CHECK(refused("{\"format\": 1.}").reason == "BAD_JSON");
  CHECK(refused("{\"format\": .5}").reason == "BAD_JSON");
  CHECK(refused("{\"format\": +1}").reason == "NOT_FINITE");
  CHECK(refused("{\"format\": 1e}").reason == "BAD_JSON");
  CHECK(refused("{\"format\": tru}").reason == "BAD_JSON");
  CHECK(refused("// a comment\n{}").reason == "BAD_JSON");
}

TEST_CASE("escapes are read") {
  const Result<Document> parsed = parse_session(R"({"name": "\u00fc \ud83c\udfb5 \/ \\ \" \t"})", counter());
  REQUIRE(parsed);
  CHECK(parsed->name == "\xc3\xbc \xf0\x9f\x8e\xb5 / \\ \" \t");
}

TEST_CASE("a truncated session is refused wherever it is cut") {
  const std::string whole = kMixer;
  for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
    const Result<Document> parsed = parse_session(std::string_view(whole).substr(0, length), counter());
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == ErrorKind::invalid_argument);
  }
  const Error error = refused(std::string_view(whole).substr(0, 300));
  CHECK(error.message.find("cut off") != std::string::npos);
  CHECK(error.message.find("line 1") != std::string::npos);
}

TEST_CASE("random bytes, and sessions with random damage, are refused or read, never worse") {
  std::mt19937 random(7);
  for (int n = 0; n < 2000; ++n) {
    std::string bytes(random() % 300, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    CHECK_FALSE(parse_session(bytes, counter()));
  }
  const std::string letters = "{}[]\",:0123456789-.eEtfn\\u \n";
  for (int n = 0; n < 5000; ++n) {
    std::string damaged = kMixer;
    for (unsigned k = 0; k <= random() % 3; ++k) damaged[random() % damaged.size()] = letters[random() % letters.size()];
    const Result<Document> parsed = parse_session(damaged, counter());
    if (parsed) CHECK(parse_session(print_session(*parsed), counter()));
  }
}

TEST_CASE("numbers that are none") {
  const auto gain = [](const char* value) {
    return refused_json(std::string("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'gain_db': ") + value + "}}]}");
  };
  for (const char* value : {"NaN", "Infinity", "-Infinity", "nan", "inf"}) CHECK(says(gain(value), "NOT_FINITE", "nodes[0].params.gain_db"));
  CHECK(says(gain("1e999"), "OUT_OF_RANGE", "nodes[0].params.gain_db"));
  CHECK(says(gain("25"), "OUT_OF_RANGE", "nodes[0].params.gain_db"));
  CHECK(says(gain("'NaN'"), "WRONG_KIND", "nodes[0].params.gain_db"));
  CHECK(says(gain("null"), "WRONG_KIND", "nodes[0].params.gain_db"));
  CHECK(says(gain("[1]"), "WRONG_KIND", "nodes[0].params.gain_db"));
  CHECK(says(gain("{}"), "WRONG_KIND", "nodes[0].params.gain_db"));
}

TEST_CASE("unknown and repeated keys, at any depth") {
  CHECK(says(refused_json("{'nodez': []}"), "UNKNOWN_FIELD", "nodez"));
  CHECK(says(refused_json("{'nodes': [{'id': 'a', 'type': 'track', 'colour': 1}]}"), "UNKNOWN_FIELD", "nodes[0].colour"));
  CHECK(says(refused_json("{'nodes': [{'id': 'a', 'type': 'container', 'children': [{'id': 'b', 'x': 1}]}]}"), "UNKNOWN_FIELD",
             "nodes[0].children[0].x"));
  CHECK(says(refused_json("{'connections': [{'from': 'in', 'to': 'out', 'delay': 1}]}"), "UNKNOWN_FIELD", "connections[0].delay"));
  CHECK(says(refused_json("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'gain': 1}}]}"), "UNKNOWN_PARAM", "nodes[0].params.gain"));
  CHECK(refused_json("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'gain': 1}}]}").message == "a gain has no parameter \"gain\"; it has gain_db");
  CHECK(says(refused_json("{'name': 'a', 'name': 'b'}"), "DUPLICATE_KEY", ""));
  CHECK(refused_json("{'name': 'a', 'n\\u0061me': 'b'}").reason == "DUPLICATE_KEY");
  CHECK(refused_json("{'nodes': [{'id': 'a', 'id': 'a', 'type': 'gain'}]}").reason == "DUPLICATE_KEY");
  CHECK(refused_json("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'gain_db': 0, 'gain_db': 1}}]}").reason == "DUPLICATE_KEY");
  CHECK(refused_json("{'sample_rate_hz': 48000, 'sampleRateHz': 48000}").reason == "DUPLICATE_KEY");
}

TEST_CASE("keys of any bytes and length stay out of the error") {
  const Error error = refused("{\"" + std::string(5000000, 'k') + "\": 1}");
  CHECK(error.reason == "UNKNOWN_FIELD");
  CHECK(error.field.size() + error.message.size() < 1000);
  const Error param = refused(json("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'") + "\\u001b[2J" + json("': 1}}]}"));
  CHECK(param.field.find('\x1b') == std::string::npos);
}

TEST_CASE("fields of the wrong kind") {
  CHECK(says(refused_json("{'nodes': {}}"), "WRONG_KIND", "nodes"));
  CHECK(says(refused_json("{'nodes': [1]}"), "WRONG_KIND", "nodes[0]"));
  CHECK(says(refused_json("{'nodes': [{'id': 1}]}"), "WRONG_KIND", "nodes[0].id"));
  CHECK(says(refused_json("{'nodes': [{'type': null}]}"), "WRONG_KIND", "nodes[0].type"));
  CHECK(says(refused_json("{'sample_rate_hz': 44100.5}"), "OUT_OF_RANGE", "sample_rate_hz"));
  CHECK(says(refused_json("{'sample_rate_hz': 7999}"), "OUT_OF_RANGE", "sample_rate_hz"));
  CHECK(says(refused_json("{'sample_rate_hz': 1e30}"), "OUT_OF_RANGE", "sample_rate_hz"));
  CHECK(says(refused_json("{'nodes': [{'id': 'a', 'type': 'gain', 'uid': -1}]}"), "OUT_OF_RANGE", "nodes[0].uid"));
  CHECK(says(refused_json("{'nodes': [{'id': 'a', 'type': 'gain', 'uid': 'x'}]}"), "WRONG_KIND", "nodes[0].uid"));
  CHECK(says(refused_json("{'connections': [{'from': 'in'}]}"), "MISSING_FIELD", "connections[0]"));
}

TEST_CASE("a session from a newer version is refused whole, and says what is needed") {
  const Error error = refused_json("{'format': 2}");
  CHECK(says(error, "NEWER_FORMAT", "format"));
  CHECK(error.message.find("needs a newer continuo") != std::string::npos);
  // What it holds that is unknown here is the lesser news, wherever the format stands.
  CHECK(refused_json("{'aaa': {'b': [1, null, true]}, 'format': 3, 'nodes': [{'id': 'x', 'type': 'reactor'}]}").reason == "NEWER_FORMAT");
  CHECK(refused_json("{'aaa': 1, 'format': 1}").reason == "UNKNOWN_FIELD");
  CHECK(refused_json("{'format': 0}").reason == "BAD_FORMAT");
}

TEST_CASE("deep trees: 32 nodes are read, 33 are refused, 10,000 too, at once") {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += json(i == 0 ? "{'nodes': [{'id': 'a', 'type': 'container'" : ", 'children': [{'id': 'a', 'type': 'container'");
    for (int i = 0; i < depth; ++i) text += "}]";
    return text + "}";
  };
  CHECK(parse_session(nested(32), counter()));
  CHECK(refused(nested(33)).reason == "TOO_DEEP");
  CHECK(refused(nested(10000)).reason == "TOO_DEEP");
  CHECK(refused(std::string(10000000, '[')).reason == "WRONG_KIND");
  CHECK(refused("{\"nodes\": " + std::string(10000000, '[')).reason == "WRONG_KIND");
  std::string unknown = "{\"x\": ";
  for (int i = 0; i < 100000; ++i) unknown += "[";
  CHECK(refused(unknown).reason == "UNKNOWN_FIELD");
}

TEST_CASE("limits of size and number") {
  CHECK(refused(std::string(kMaxSessionBytes + 1, ' ')).reason == "TOO_LARGE");
  CHECK(refused(std::string(kMaxSessionBytes, ' ')).reason == "BAD_JSON");
  std::string nodes;
  for (std::size_t i = 0; i <= kMaxNodes; ++i) nodes += std::string(i == 0 ? "" : ",") + "{\"id\": \"n" + std::to_string(i) + "\", \"type\": \"gain\"}";
  CHECK(refused("{\"nodes\": [" + nodes + "]}").reason == "TOO_MANY");
  std::string zeros = "0";
  for (int i = 0; i < 200000; ++i) zeros += ",0";
  CHECK(refused("{\"nodes\": [" + zeros + "]}").reason == "WRONG_KIND");
  std::string pairs = "{\"from\": 1, \"to\": 1}";
  for (int i = 0; i < 5000; ++i) pairs += ", {\"from\": 1, \"to\": 1}";
  CHECK(refused(json("{'connections': [{'from': 'in', 'to': 'out', 'channels': [") + pairs + "]}]}").reason == "TOO_MANY");
  CHECK(refused(json("{'name': '") + std::string(kMaxLabel + 1, 'x') + json("'}")).reason == "TOO_LONG");
  CHECK(parse_session(json("{'name': '") + std::string(kMaxLabel, 'x') + json("'}"), counter()));
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
  for (const Value& plain : {Value(1.5), Value(true), Value(std::string("x"))}) CHECK(*from_proto(to_proto(plain), "v") == plain);
}

TEST_CASE("a node as a Struct: read as strictly as a session") {
  const auto read = [](std::string_view text) {
    google::protobuf::Struct object;
    REQUIRE(google::protobuf::util::JsonStringToMessage(json(text), &object).ok());
    return node_from_struct(object, "operations[0].add_node.node", counter(7));
  };
  const Result<DocNode> node = read("{'id': 'a', 'type': 'track', 'label': 'L', 'params': {'gain_db': -6, 'mute': true, 'pan': 0}, "
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
  (*(*object.mutable_fields())["params"].mutable_struct_value()->mutable_fields())["gain_db"].set_number_value(std::nan(""));
  CHECK(says(node_from_struct(object, "n", counter()).error(), "NOT_FINITE", "n.params.gain_db"));
  google::protobuf::Struct deep;
  google::protobuf::Struct* at = &deep;
  for (int i = 0; i < 5000; ++i) at = (*at->mutable_fields())["children"].mutable_struct_value();
  CHECK(node_from_struct(deep, "n", counter()).error().reason == "TOO_DEEP");
}
