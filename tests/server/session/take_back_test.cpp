#include "server/session/take_back.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/server/session/builders.hpp"

using namespace continuo;
using namespace continuo::session;

namespace {

using Ops = google::protobuf::RepeatedPtrField<v1::Operation>;

Document studio() {
  return test::document(
      "{'nodes': [{'id': 'a', 'type': 'track', 'label': 'A', 'params': {'gain_db': -3}, 'children': [{'id': 'eq', "
      "'type': 'eq'}, {'id': 'comp', 'type': 'compressor'}, {'id': 'p', 'type': 'player', 'queue': [{'file': "
      "'1.wav'}, {'file': '2.wav', 'out_frame': 100}, {'file': '3.wav'}]}]}, {'id': 'b', 'type': 'track', 'children': "
      "[{'id': 'q', 'type': 'player', 'params': {'file': 'x.wav'}}]}, {'id': 'g', 'type': 'container', 'children': "
      "[{'id': 'c', 'type': 'track'}, {'id': 'd', 'type': 'track', 'automation': {'gain_db': {'points': [{'frame': 0, "
      "'value': -6}, {'frame': 100, 'value': 0}]}}}]}, {'id': 'verb', 'type': 'bus'}, {'id': 'main', 'type': 'bus'}], "
      "'connections': [{'from': 'a', 'to': 'verb'}, {'from': 'a', 'to': 'main'}, {'from': 'b', 'to': 'main'}, {'from': "
      "'g/c', 'to': 'main'}, {'from': 'g/d', 'to': 'verb', 'gain_db': -3}, {'from': 'b', 'to': 'a/comp:sidechain'}, "
      "{'from': 'verb', 'to': 'main'}, {'from': 'main', 'to': 'out'}]}");
}

struct Applied {
  Document document;
  std::vector<v1::Operation> accepted;
};

/// Nothing where it is refused.
std::optional<Applied> apply(const Document& document, const Ops& operations, rt::Uid& next,
                             EditMode mode = EditMode::client) {
  Applied result{document, {}};
  auto edited = apply_operations(result.document, operations, [&next] { return next++; }, mode);
  if (!edited) return std::nullopt;
  result.accepted = std::move(edited->accepted);
  return result;
}

/// What a watcher's copy becomes. A connection's uid is told only where an undo brings it back.
void follow(Document& mirror, const std::vector<v1::Operation>& accepted) {
  Ops operations;
  for (const v1::Operation& operation : accepted) *operations.Add() = operation;
  rt::Uid none = 1u << 30;
  auto applied = apply(mirror, operations, none, EditMode::restore);
  RC_ASSERT(applied.has_value());
  mirror = applied->document;
}
Document without_wire_uids(Document document) {
  for (DocConnection& connection : document.connections.edit()) connection.uid = 0;
  return document;
}

std::vector<std::string> paths_of(const Document& document) {
  std::vector<std::string> paths;
  for_each_node(document.nodes, "", [&](const std::string& path, const DocNode&) { paths.push_back(path); });
  return paths;
}

v1::Operation any_operation(const Document& document) {
  const std::vector<std::string> paths = paths_of(document);
  const auto path = [&] { return *rc::gen::elementOf(paths); };
  const auto id = [] { return *rc::gen::element<std::string>("a", "b", "c", "d", "e", "eq", "p"); };
  v1::Operation op;
  switch (*rc::gen::inRange(0, 13)) {
    case 0: {
      op.mutable_add_node()->set_parent(*rc::gen::arbitrary<bool>() ? "" : path());
      auto& fields = *op.mutable_add_node()->mutable_node()->mutable_fields();
      fields["id"].set_string_value(id());
      fields["type"].set_string_value(*rc::gen::element<std::string>("track", "bus", "gain", "player", "container"));
      break;
    }
    case 1:
      op.mutable_remove_node()->set_path(path());
      break;
    case 2:
    case 3: {
      v1::MoveNode& move = *op.mutable_move_node();
      move.set_path(path());
      if (*rc::gen::arbitrary<bool>()) move.set_parent(*rc::gen::arbitrary<bool>() ? "" : path());
      if (*rc::gen::arbitrary<bool>()) move.set_id(id());
      if (*rc::gen::arbitrary<bool>()) move.set_before(id());
      break;
    }
    case 4: {
      v1::Connect& connect = *op.mutable_connect();
      connect.set_from(path());
      connect.set_to(path());
      if (*rc::gen::arbitrary<bool>()) connect.set_place(*rc::gen::inRange<std::uint32_t>(1, 12));
      if (*rc::gen::arbitrary<bool>()) {
        connect.add_channels()->set_from(*rc::gen::inRange<std::uint32_t>(1, 3));
        connect.mutable_channels(0)->set_to(1);
      }
      break;
    }
    case 5:
      if (!document.connections.empty()) {
        const auto& one = document.connections[*rc::gen::inRange<std::size_t>(0, document.connections.size())];
        op.mutable_disconnect()->set_from(to_string(one.from, true));
        op.mutable_disconnect()->set_to(to_string(one.to, false));
      }
      break;
    case 6:
    case 7: {
      op.mutable_set_params()->set_path(path());
      const auto name = *rc::gen::element<std::string>("gain_db", "pan", "mute", "file");
      auto& value = (*op.mutable_set_params()->mutable_values())[name];
      if (name == "mute")
        value.set_bool_value(*rc::gen::arbitrary<bool>());
      else if (name == "file")
        value.set_string_value(*rc::gen::element<std::string>("", "y.wav"));
      else
        value.set_number_value(*rc::gen::inRange(-1, 2));
      break;
    }
    case 8:
      op.mutable_set_label()->set_path(path());
      op.mutable_set_label()->set_label(id());
      break;
    case 9:
      if (*rc::gen::arbitrary<bool>()) {
        op.mutable_clear_automation()->set_path(path());
        op.mutable_clear_automation()->set_param("gain_db");
      } else {
        v1::SetAutomation& lane = *op.mutable_set_automation();
        lane.set_path(path());
        lane.set_param("gain_db");
        if (*rc::gen::arbitrary<bool>()) lane.set_on(*rc::gen::arbitrary<bool>());
        if (*rc::gen::arbitrary<bool>()) {
          lane.add_points()->set_frame(*rc::gen::inRange(0, 3));
          lane.mutable_points(0)->set_value(-1.0);
        }
      }
      break;
    default: {
      std::vector<std::pair<std::string, const DocNode*>> players;
      for_each_node(document.nodes, "", [&](const std::string& at, const DocNode& node) {
        if (node.type == "player") players.emplace_back(at, &node);
      });
      if (players.empty()) break;
      const auto& [at, player] = players[*rc::gen::inRange<std::size_t>(0, players.size())];
      const auto number = [n = player->queue.size()](v1::QueueRef& ref) {
        ref.set_number(*rc::gen::inRange<std::uint32_t>(1, static_cast<std::uint32_t>(n) + 2));
      };
      switch (*rc::gen::inRange(0, 4)) {
        case 0:
          op.mutable_queue_insert()->set_path(at);
          op.mutable_queue_insert()->add_items()->set_file("n1.wav");
          op.mutable_queue_insert()->add_items()->set_file("n2.wav");
          if (*rc::gen::arbitrary<bool>()) number(*op.mutable_queue_insert()->mutable_before());
          break;
        case 1:
          op.mutable_queue_remove()->set_path(at);
          number(*op.mutable_queue_remove()->add_items());
          break;
        case 2:
          op.mutable_queue_move()->set_path(at);
          number(*op.mutable_queue_move()->mutable_item());
          if (*rc::gen::arbitrary<bool>()) number(*op.mutable_queue_move()->mutable_before());
          break;
        default:
          op.mutable_queue_set()->set_path(at);
          number(*op.mutable_queue_set()->mutable_item());
          op.mutable_queue_set()->mutable_values()->set_out_frame(*rc::gen::inRange(1, 5));
          op.mutable_queue_set()->mutable_values()->set_gain_db(*rc::gen::inRange(-3, 3));
      }
    }
  }
  return op;
}

/// One that is accepted: operations that would be refused are left out.
std::optional<Applied> any_transaction(const Document& document, rt::Uid& next) {
  Applied all{document, {}};
  for (int count = *rc::gen::inRange(1, 6); count > 0; --count) {
    Ops one;
    *one.Add() = any_operation(all.document);
    if (auto applied = apply(all.document, one, next)) {
      all.document = std::move(applied->document);
      for (v1::Operation& operation : applied->accepted) all.accepted.push_back(std::move(operation));
    }
  }
  if (all.accepted.empty() || all.document == document) return std::nullopt;
  return all;
}

std::string text_of(const Ops& operations) {
  std::string text;
  for (const v1::Operation& operation : operations) text += operation.ShortDebugString() + "\n";
  return text;
}

}  // namespace

TEST_CASE("any transactions: taken back in reverse the document is what it was, uids and orders included, and again") {
  std::size_t taken_back = 0, of_many = 0;
  CHECK(rc::check([&] {
    rt::Uid next = 10'000;
    std::vector<Document> documents = {studio()};
    std::vector<DocumentChange> changes;
    Document mirror = documents[0];
    for (int i = 0; i < 8; ++i) {
      const auto made = any_transaction(documents.back(), next);
      if (!made) continue;
      changes.push_back(changes_between(documents.back(), made->document));
      RC_ASSERT(!changes.back().empty());
      documents.push_back(made->document);
      follow(mirror, made->accepted);
      RC_ASSERT(without_wire_uids(mirror) == without_wire_uids(made->document));
    }
    Document now = documents.back();
    std::vector<DocumentChange> undos(changes.size());
    const auto step = [&](const DocumentChange& change, const Document& wanted) {
      const auto inverse = inverse_of(now, change);
      if (!inverse) RC_FAIL(inverse.error().field + ": " + inverse.error().message);
      const auto applied = apply(now, *inverse, next, EditMode::restore);
      if (!applied) RC_FAIL("refused:\n" + text_of(*inverse));
      if (!(applied->document == wanted))
        RC_FAIL(text_of(*inverse) + print_session(now) + print_session(wanted) + print_session(applied->document));
      DocumentChange done = changes_between(now, applied->document);
      follow(mirror, applied->accepted);
      now = applied->document;
      RC_ASSERT(without_wire_uids(mirror) == without_wire_uids(now));
      ++taken_back;
      of_many += inverse->size() > 3 ? 1u : 0u;
      return done;
    };
    for (std::size_t i = changes.size(); i-- > 0;) undos[i] = step(changes[i], documents[i]);
    for (std::size_t i = 0; i < changes.size(); ++i) changes[i] = step(undos[i], documents[i + 1]);
    for (std::size_t i = changes.size(); i-- > 0;) step(changes[i], documents[i]);
  }));
  CHECK(taken_back > 500);
  CHECK(of_many > 50);
}

TEST_CASE("of two people, one takes back what the other built on: it is put back as it was, or refused whole") {
  std::size_t done = 0, refused = 0;
  CHECK(rc::check([&] {
    rt::Uid next = 10'000;
    Document now = studio();
    std::vector<DocumentChange> changes;
    for (int i = 0; i < 6; ++i) {
      const auto made = any_transaction(now, next);
      if (!made) continue;
      changes.push_back(changes_between(now, made->document));
      now = made->document;
    }
    if (changes.empty()) return;
    const DocumentChange& change = changes[*rc::gen::inRange<std::size_t>(0, changes.size())];
    const Document before = now;
    const auto inverse = inverse_of(now, change);
    RC_ASSERT(now == before);
    if (!inverse) {
      RC_ASSERT(inverse.error().kind == ErrorKind::aborted);
      RC_ASSERT(!inverse.error().field.empty());
      ++refused;
      return;
    }
    const auto applied = apply(now, *inverse, next, EditMode::restore);
    if (!applied) {  // what was built on it forbids it: too deep, a cycle, ...
      ++refused;
      return;
    }
    ++done;
    // What it touched is as it was; nothing else moved.
    const Outline after(applied->document), then(now);
    std::vector<rt::Uid> touched;
    for (const auto& one : change.nodes) {
      touched.push_back(one.uid);
      RC_ASSERT(after.has(one.uid) == one.before.has_value());
      if (!one.before || !one.after) continue;
      const DocNode &was = *one.before->node, &is = *one.after->node, &got = *after.at(one.uid).node;
      if (was.label != is.label) RC_ASSERT(got.label == was.label);
      for (const auto& [name, value] : was.params)
        if (!is.params.contains(name) || is.params.at(name) != value) RC_ASSERT(got.params.at(name) == value);
      if (one.before->parent != one.after->parent) RC_ASSERT(after.at(one.uid).parent == one.before->parent);
    }
    for (const auto& [uid, item] : then.items()) {
      if (uid == 0 || std::ranges::find(touched, uid) != touched.end()) continue;
      RC_ASSERT(after.has(uid));
      RC_ASSERT(same_values(*after.at(uid).node, *item.node));
      RC_ASSERT(after.at(uid).parent == item.parent);
      RC_ASSERT(after.at(uid).id == item.id);
    }
  }));
  CHECK(done > 20);
  CHECK(refused > 0);
}

TEST_CASE("a change names what it touched, and only that is looked at") {
  const Document before = studio();
  rt::Uid next = 10'000;
  const auto uid = [&](const char* path) { return find_node(before, path)->uid; };
  const auto change = [&](const char* list) {
    const auto applied = apply(before, test::operations(list), next);
    REQUIRE(applied.has_value());
    return changes_between(before, applied->document);
  };
  CHECK(changes_between(before, before).empty());
  CHECK(change("[{'setParams': {'path': 'a', 'values': {'gain_db': -9}}}]").touched() == std::vector{uid("a")});
  CHECK(change("[{'setLabel': {'path': 'g/c', 'label': 'x'}}]").touched() == std::vector{uid("g/c")});
  auto ends = change("[{'connect': {'from': 'g/c', 'to': 'verb'}}]").touched();
  std::ranges::sort(ends);
  CHECK(ends == std::vector{uid("g/c"), uid("verb")});
  const auto renamed = change("[{'moveNode': {'path': 'g', 'id': 'h'}}]");
  CHECK(renamed.touched() == std::vector{uid("g")});  // not those below it, nor what is connected to them
}

TEST_CASE("taking back is refused where a later edit touched the same field, which is named") {
  const Document before = studio();
  rt::Uid next = 10'000;
  const auto refusal = [&](const char* first, const char* second) {
    const auto one = apply(before, test::operations(first), next);
    REQUIRE(one.has_value());
    const auto two = apply(one->document, test::operations(second), next);
    REQUIRE(two.has_value());
    const auto inverse = inverse_of(two->document, changes_between(before, one->document));
    if (inverse) return std::string("accepted");
    CHECK(inverse.error().kind == ErrorKind::aborted);
    CHECK(inverse.error().reason == "CHANGED_SINCE");
    return inverse.error().field;
  };
  const char* gain = "[{'setParams': {'path': 'a', 'values': {'gain_db': -9}}}]";
  CHECK(refusal(gain, "[{'setParams': {'path': 'a', 'values': {'gain_db': -8}}}]") == "a.gain_db");
  CHECK(refusal(gain, "[{'setParams': {'path': 'a', 'values': {'pan': 0.5}}}]") == "accepted");
  CHECK(refusal(gain, "[{'moveNode': {'path': 'a', 'parent': 'g', 'id': 'z'}}]") == "accepted");
  CHECK(refusal(gain, "[{'removeNode': {'path': 'a'}}]") == "a");
  const char* label = "[{'setLabel': {'path': 'a', 'label': 'x'}}]";
  CHECK(refusal(label, "[{'setLabel': {'path': 'a', 'label': 'y'}}]") == "a.label");
  const char* add = "[{'addNode': {'node': {'id': 'n', 'type': 'track'}}}]";
  CHECK(refusal(add, "[{'connect': {'from': 'n', 'to': 'main'}}]") == "connections");
  CHECK(refusal(add, "[{'addNode': {'parent': 'n', 'node': {'id': 'k', 'type': 'gain'}}}]") == "n/k");
  CHECK(refusal("[{'removeNode': {'path': 'b'}}]", "[{'moveNode': {'path': 'a', 'id': 'b'}}]") == "b");
  CHECK(refusal("[{'removeNode': {'path': 'g/c'}}]", "[{'removeNode': {'path': 'g'}}]") == "g/c");
  const char* queue = "[{'queueRemove': {'path': 'a/p', 'items': [{'number': 1}]}}]";
  CHECK(refusal(queue, "[{'queueInsert': {'path': 'a/p', 'items': [{'file': 'n.wav'}]}}]") == "accepted");
  CHECK(refusal("[{'queueMove': {'path': 'a/p', 'item': {'number': 1}}}]",
                "[{'queueInsert': {'path': 'a/p', 'items': [{'file': 'n.wav'}]}}]") == "a/p.queue");
  CHECK(refusal("[{'disconnect': {'from': 'a', 'to': 'verb'}}]", "[{'connect': {'from': 'a', 'to': 'verb'}}]") ==
        "connections");
}

TEST_CASE("a deleted track comes back in its place, with its uids, its connections and their order") {
  const Document before = studio();
  rt::Uid next = 10'000;
  const auto gone = apply(before, test::operations("[{'removeNode': {'path': 'a'}}]"), next);
  REQUIRE(gone.has_value());
  const auto inverse = inverse_of(gone->document, changes_between(before, gone->document));
  REQUIRE(static_cast<bool>(inverse));
  CHECK(inverse->at(0).has_add_node());
  const auto back = apply(gone->document, *inverse, next, EditMode::restore);
  REQUIRE(back.has_value());
  CHECK(back->document == before);
  CHECK(next == 10'000);  // not one number was new
  // A client that sends the same gets numbers of its own.
  const auto forged = apply(gone->document, *inverse, next);
  REQUIRE(forged.has_value());
  CHECK(find_node(forged->document, "a")->uid >= 10'000);
  CHECK(find_node(forged->document, "a/p")->queue[0].uid >= 10'000);
  CHECK(forged->document.connections[0].uid >= 10'000);
}
