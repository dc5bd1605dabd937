#include "server/session/document.hpp"

#include <doctest/doctest.h>

#include "server/session/names.hpp"
#include "tests/server/session/builders.hpp"

using namespace continuo::session;

TEST_CASE("ids and paths") {
  CHECK(is_id("a"));
  CHECK(is_id("eq_1-b"));
  CHECK(is_id(std::string(63, 'z')));
  for (const char* wrong : {"", "A", "\xc3\xbc", "a b", "a/b", "a.b", "a:b"}) CHECK_FALSE(is_id(wrong));
  CHECK_FALSE(is_id(std::string(64, 'z')));
  CHECK(is_path("vox/eq1"));
  for (const char* wrong : {"", "/", "a/", "/a", "a//b", "a/B"}) CHECK_FALSE(is_path(wrong));
  std::string deep = "a";
  for (int i = 1; i < 32; ++i) deep += "/a";
  CHECK(is_path(deep));
  CHECK_FALSE(is_path(deep + "/a"));
}

TEST_CASE("UTF-8 is checked to the letter") {
  CHECK(is_clean_utf8("plain \xc3\xbc \xe2\x82\xac \xf0\x9f\x8e\xb5"));
  for (const char* wrong : {"\xff", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                            "\xc3", "\x80", "\xe2\x82"}) {
    CHECK_FALSE(is_clean_utf8(wrong));
  }
}

TEST_CASE("quoting keeps messages short and printable") {
  CHECK(quoted("vox") == "\"vox\"");
  CHECK(quoted("\x1b[2J\xff") == "\"?[2J?\"");
  CHECK(quoted(std::string(500, 'x')).size() < 100);
}

TEST_CASE("the first dot ends the path") {
  CHECK(split_param("vox/eq1.band1.freq_hz") == std::pair<std::string, std::string>("vox/eq1", "band1.freq_hz"));
  for (const char* wrong : {"", "vox", ".gain", "vox."}) CHECK_FALSE(split_param(wrong));
}

TEST_CASE("endpoints read and print, with the port left out where it is the usual one") {
  const auto round = [](const char* text, bool source) {
    const auto end = parse_endpoint(text, source);
    return end ? to_string(*end, source) : std::string("refused");
  };
  CHECK(round("vox", true) == "vox");
  CHECK(round("vox:out", true) == "vox");
  CHECK(round("vox:pre", true) == "vox:pre");
  CHECK(round("vox:in", false) == "vox");
  CHECK(round("in:3", true) == "in:3");
  CHECK(round("out:12", false) == "out:12");
  CHECK(parse_endpoint("vox", true)->port == "out");
  CHECK(parse_endpoint("vox", false)->port == "in");
  CHECK(parse_endpoint("out:3", false)->channel == 3);
  CHECK(parse_endpoint("out:3", false)->port.empty());
  for (const char* wrong :
       {"", ":", "vox:", ":out", "vox:0", "vox:03", "vox:1x", "vox:99999999999", "vox:a:b", "Vox", "a/:out"}) {
    CAPTURE(wrong);
    CHECK(round(wrong, true) == "refused");
  }
}

TEST_CASE("the device's nodes are always there, first and last") {
  Document document;
  ensure_device_nodes(document);
  REQUIRE(document.nodes.size() == 2);
  CHECK(document.nodes[0].uid == kDeviceInUid);
  CHECK(document.nodes[1].type == "out");
  Document shuffled = test::document(
      "{'nodes': [{'id': 'out', 'type': 'out', 'label': 'PA'}, {'id': 'b', 'type': 'bus'}, "
      "{'id': 'in', 'type': 'in'}, {'id': 'a', 'type': 'track'}]}");
  REQUIRE(shuffled.nodes.size() == 4);
  CHECK(shuffled.nodes[0].id == "in");
  CHECK(shuffled.nodes[1].id == "b");
  CHECK(shuffled.nodes[2].id == "a");
  CHECK(shuffled.nodes[3].id == "out");
  CHECK(shuffled.nodes[3].label == "PA");
}

TEST_CASE("nodes are found by path") {
  const Document document = test::document(
      "{'nodes': [{'id': 'g', 'type': 'container', 'children': [{'id': 'vox', 'type': "
      "'track', 'children': [{'id': 'p', 'type': 'player'}]}]}]}");
  REQUIRE(find_node(document, "g/vox/p") != nullptr);
  CHECK(find_node(document, "g/vox/p")->type == "player");
  CHECK(find_node(document, "in")->type == "in");
  for (const char* wrong : {"", "vox", "g/", "g/vox/p/x", "/g"}) CHECK(find_node(document, wrong) == nullptr);
}
