#include <doctest/doctest.h>
#include <google/protobuf/util/json_util.h>
#include <rapidcheck.h>

#include "tests/server/session/builders.hpp"
#include "tests/server/session/random_document.hpp"

using namespace continuo::session;

namespace {

// Uids are the server's and not in the file: numbered anew, in order, on both sides.
void number(NodeList& nodes, continuo::rt::Uid& next) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    DocNode& node = nodes.edit(i);
    if (node.uid < kDeviceInUid) node.uid = next++;
    number(node.children, next);
  }
}
Document numbered(Document document) {
  continuo::rt::Uid next = 1;
  number(document.nodes, next);
  for (DocConnection& connection : document.connections.edit()) connection.uid = next++;
  return document;
}

}  // namespace

TEST_CASE(
    "any document: valid, read back as it was printed, printed again to the same bytes, and good JSON for protobuf") {
  CHECK(rc::check([](std::uint32_t seed) {
    const Document document =
        test::random_document(seed, {.roots = static_cast<int>(seed % 12), .connections = static_cast<int>(seed % 25)});
    RC_ASSERT(static_cast<bool>(validate(document)));
    const std::string text = print_session(document);
    const auto parsed = parse_session(text, test::counter());
    if (!parsed) RC_FAIL(parsed.error().field + ": " + parsed.error().message + "\n" + text);
    RC_ASSERT(numbered(*parsed) == numbered(document));
    RC_ASSERT(print_session(*parsed) == text);
    continuo::v1::Session session;
    google::protobuf::util::JsonParseOptions strict;
    strict.ignore_unknown_fields = false;
    RC_ASSERT(google::protobuf::util::JsonStringToMessage(text, &session, strict).ok());
  }));
}

TEST_CASE("any node: through a Struct and back") {
  CHECK(rc::check([](std::uint32_t seed) {
    const Document document = test::random_document(seed, {.roots = 4, .connections = 0});
    for (const DocNode& node : document.nodes) {
      const auto again = node_from_struct(node_to_struct(node), "node", test::counter(node.uid));
      RC_ASSERT(static_cast<bool>(again));
      Document left, right;
      left.nodes = {node};
      right.nodes = {*again};
      RC_ASSERT(numbered(left) == numbered(right));
    }
  }));
}
