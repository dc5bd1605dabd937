#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

#include "tests/server/session/builders.hpp"

using namespace continuo;
using namespace continuo::session;

namespace {

Document tracks(int count) {
  Document document;
  for (int i = 0; i < count; ++i) {
    DocNode node;
    node.id = "t" + std::to_string(i);
    node.type = "track";
    node.uid = static_cast<rt::Uid>(i) + 1;
    DocNode insert;
    insert.id = "eq";
    insert.type = "gain";
    insert.uid = static_cast<rt::Uid>(i) + 100'000;
    node.children.push_back(insert);
    document.nodes.push_back(std::move(node));
  }
  ensure_device_nodes(document);
  return document;
}

std::vector<std::string> ids(const NodeList& nodes) {
  std::vector<std::string> all;
  for (const DocNode& node : nodes) all.push_back(node.id);
  return all;
}

}  // namespace

static_assert(std::is_same_v<decltype(*std::declval<NodeList&>().begin()), const DocNode&>);
static_assert(std::is_same_v<decltype(std::declval<NodeList&>()[0]), const DocNode&>);
static_assert(std::is_same_v<decltype(find_node(std::declval<Document&>(), "")), const DocNode*>);

TEST_CASE("an edit of one node shares all the others, and the document of before stays as it was") {
  for (const int count : {1, 29, 30, 31, 32, 62, 63, 64, 1000}) {
    CAPTURE(count);
    const Document before = tracks(count);
    const Document copy = before;  // what it must stay
    Document after = before;
    CHECK(after.nodes.same(before.nodes));
    const std::string edited = "t" + std::to_string(count / 2);
    edit_node(after, edited)->params["gain_db"] = -6.0;
    CHECK(find_node(before, edited)->params.empty());
    CHECK(before == copy);
    CHECK_FALSE(after == before);
    for (std::size_t i = 0; i < before.nodes.size(); ++i) {
      CHECK((&before.nodes[i] == &after.nodes[i]) == (before.nodes[i].id != edited));
      CHECK(before.nodes[i].children.same(after.nodes[i].children));  // those of the edited one, too
    }
    edit_node(after, edited)->params.clear();
    CHECK(after == before);  // equal, though not the same
    // Below: what is above it becomes this document's own, its siblings and everything else stay shared.
    edit_node(after, edited + "/eq")->label = "x";
    CHECK(find_node(before, edited + "/eq")->label.empty());
    CHECK(&before.nodes[0] == &after.nodes[0]);
    CHECK(edit_node(after, "nobody") == nullptr);
  }
}

TEST_CASE("a second edit of the same node copies nothing more") {
  Document document = tracks(100);
  DocNode* const first = edit_node(document, "t7");
  CHECK(edit_node(document, "t7") == first);
  const Document other = document;
  CHECK(edit_node(document, "t7") != first);
  CHECK(find_node(other, "t7") == first);
}

TEST_CASE("a list of nodes does what a vector does") {
  NodeList list;
  std::vector<std::string> model;
  CHECK(list.empty());
  CHECK_FALSE(list.find("a"));
  std::uint32_t random = 1;
  const auto roll = [&](std::size_t n) { return (random = random * 1664525u + 1013904223u) / 65536u % n; };
  for (int step = 0; step < 3000; ++step) {
    const NodeList before = list;
    const std::vector<std::string> model_before = model;
    const std::size_t kind = model.empty() ? 0 : roll(6);
    if (kind <= 1) {
      DocNode node;
      node.id = "n" + std::to_string(step);
      const std::size_t at = roll(model.size() + 1);
      list.insert(at, node);
      model.insert(model.begin() + static_cast<std::ptrdiff_t>(at), node.id);
    } else if (kind == 2 && model.size() > 60) {
      const std::size_t at = roll(model.size());
      list.erase(at);
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
    } else if (kind == 3) {
      const std::size_t from = roll(model.size()), to = roll(model.size());
      list.move(from, to);
      const std::string moved = model[from];
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(from));
      model.insert(model.begin() + static_cast<std::ptrdiff_t>(to), moved);
    } else if (kind == 4) {
      const std::size_t at = roll(model.size());
      model[at] = "r" + std::to_string(step);
      if (step % 2 == 0)
        list.rename(at, model[at]);
      else
        list.edit(at).id = model[at];
    } else {
      const std::size_t at = roll(model.size());
      list.edit_values(at).label = "x";
    }
    REQUIRE(ids(list) == model);
    REQUIRE(ids(before) == model_before);
    const std::size_t probe = roll(model.size() + 1);
    if (probe < model.size()) REQUIRE(list.find(model[probe]) == probe);
    REQUIRE_FALSE(list.find("nobody"));
  }
  CHECK(list.end() - list.begin() == static_cast<std::ptrdiff_t>(model.size()));
  list.clear();
  CHECK(list.empty());
}

TEST_CASE("a vector that is shared is copied by the first edit alone") {
  SharedVector<int> a = {1, 2, 3};
  SharedVector<int> b = a;
  CHECK(a.same(b));
  b.push_back(4);
  CHECK(a.get() == std::vector<int>{1, 2, 3});
  CHECK(b.get() == std::vector<int>{1, 2, 3, 4});
  const int* const place = b.get().data();
  b.edit()[0] = 9;
  CHECK(b.get().data() == place);
  a = SharedVector<int>();
  CHECK(a.empty());
  CHECK(a == SharedVector<int>(std::vector<int>{}));
}

TEST_CASE("copies of a document are read and dropped by other threads while one is edited") {
  Document document = tracks(200);
  for (int round = 0; round < 50; ++round) {
    std::thread reader([copy = document] {
      std::size_t letters = 0;
      for_each_node(copy.nodes, "", [&](const std::string& path, const DocNode&) { letters += path.size(); });
      CHECK(letters > 0);
    });
    for (int i = 0; i < 200; i += 7) edit_node(document, "t" + std::to_string(i))->params["gain_db"] = -1.0 - round;
    reader.join();
  }
  CHECK(find_node(document, "t0")->params.at("gain_db") == Value(-50.0));
}
