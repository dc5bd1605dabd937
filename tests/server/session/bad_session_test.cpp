#include <random>

#include "tests/server/session/session_cases.hpp"

using namespace continuo;
using namespace continuo::session;
using continuo::session::test::counter;
using continuo::session::test::json;
using continuo::session::test::kMixer;
using continuo::session::test::refused;
using continuo::session::test::refused_json;
using continuo::session::test::says;

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
    for (unsigned k = 0; k <= random() % 3; ++k)
      damaged[random() % damaged.size()] = letters[random() % letters.size()];
    const Result<Document> parsed = parse_session(damaged, counter());
    if (parsed) CHECK(parse_session(print_session(*parsed), counter()));
  }
}

TEST_CASE("numbers that are none") {
  const auto gain = [](const char* value) {
    return refused_json(std::string("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'gain_db': ") + value + "}}]}");
  };
  for (const char* value : {"NaN", "Infinity", "-Infinity", "nan", "inf"})
    CHECK(says(gain(value), "NOT_FINITE", "nodes[0].params.gain_db"));
  CHECK(says(gain("1e999"), "OUT_OF_RANGE", "nodes[0].params.gain_db"));
  CHECK(says(gain("25"), "OUT_OF_RANGE", "nodes[0].params.gain_db"));
  CHECK(says(gain("'NaN'"), "WRONG_KIND", "nodes[0].params.gain_db"));
  CHECK(says(gain("null"), "WRONG_KIND", "nodes[0].params.gain_db"));
  CHECK(says(gain("[1]"), "WRONG_KIND", "nodes[0].params.gain_db"));
  CHECK(says(gain("{}"), "WRONG_KIND", "nodes[0].params.gain_db"));
}

TEST_CASE("unknown and repeated keys, at any depth") {
  CHECK(says(refused_json("{'nodez': []}"), "UNKNOWN_FIELD", "nodez"));
  CHECK(
      says(refused_json("{'nodes': [{'id': 'a', 'type': 'track', 'colour': 1}]}"), "UNKNOWN_FIELD", "nodes[0].colour"));
  CHECK(says(refused_json("{'nodes': [{'id': 'a', 'type': 'container', 'children': [{'id': 'b', 'x': 1}]}]}"),
             "UNKNOWN_FIELD", "nodes[0].children[0].x"));
  CHECK(says(refused_json("{'connections': [{'from': 'in', 'to': 'out', 'delay': 1}]}"), "UNKNOWN_FIELD",
             "connections[0].delay"));
  CHECK(says(refused_json("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'gain': 1}}]}"), "UNKNOWN_PARAM",
             "nodes[0].params.gain"));
  CHECK(refused_json("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'gain': 1}}]}").message ==
        "a gain has no parameter \"gain\"; it has gain_db");
  CHECK(says(refused_json("{'name': 'a', 'name': 'b'}"), "DUPLICATE_KEY", ""));
  CHECK(refused_json("{'name': 'a', 'n\\u0061me': 'b'}").reason == "DUPLICATE_KEY");
  CHECK(refused_json("{'nodes': [{'id': 'a', 'id': 'a', 'type': 'gain'}]}").reason == "DUPLICATE_KEY");
  CHECK(refused_json("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'gain_db': 0, 'gain_db': 1}}]}").reason ==
        "DUPLICATE_KEY");
  CHECK(refused_json("{'sample_rate_hz': 48000, 'sampleRateHz': 48000}").reason == "DUPLICATE_KEY");
}

TEST_CASE("keys of any bytes and length stay out of the error") {
  const Error error = refused("{\"" + std::string(5000000, 'k') + "\": 1}");
  CHECK(error.reason == "UNKNOWN_FIELD");
  CHECK(error.field.size() + error.message.size() < 1000);
  const Error param =
      refused(json("{'nodes': [{'id': 'a', 'type': 'gain', 'params': {'") + "\\u001b[2J" + json("': 1}}]}"));
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
  CHECK(
      refused_json("{'aaa': {'b': [1, null, true]}, 'format': 3, 'nodes': [{'id': 'x', 'type': 'reactor'}]}").reason ==
      "NEWER_FORMAT");
  CHECK(refused_json("{'aaa': 1, 'format': 1}").reason == "UNKNOWN_FIELD");
  CHECK(refused_json("{'format': 0}").reason == "BAD_FORMAT");
}

TEST_CASE("deep trees: 32 nodes are read, 33 are refused, 10,000 too, at once") {
  const auto nested = [](int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i)
      text += json(i == 0 ? "{'nodes': [{'id': 'a', 'type': 'container'"
                          : ", 'children': [{'id': 'a', 'type': 'container'");
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
  for (std::size_t i = 0; i <= kMaxNodes; ++i)
    nodes += std::string(i == 0 ? "" : ",") + "{\"id\": \"n" + std::to_string(i) + "\", \"type\": \"gain\"}";
  CHECK(refused("{\"nodes\": [" + nodes + "]}").reason == "TOO_MANY");
  std::string zeros = "0";
  for (int i = 0; i < 200000; ++i) zeros += ",0";
  CHECK(refused("{\"nodes\": [" + zeros + "]}").reason == "WRONG_KIND");
  std::string pairs = "{\"from\": 1, \"to\": 1}";
  for (int i = 0; i < 5000; ++i) pairs += ", {\"from\": 1, \"to\": 1}";
  CHECK(refused(json("{'connections': [{'from': 'in', 'to': 'out', 'channels': [") + pairs + "]}]}").reason ==
        "TOO_MANY");
  CHECK(refused(json("{'name': '") + std::string(kMaxLabel + 1, 'x') + json("'}")).reason == "TOO_LONG");
  CHECK(parse_session(json("{'name': '") + std::string(kMaxLabel, 'x') + json("'}"), counter()));
}
