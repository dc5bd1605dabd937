// A queue as part of the document: its one text form, its limits, its edits, what the compiler makes of it.
#include "server/session/queue.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/util/json_util.h>
#include <rapidcheck.h>

#include <algorithm>

#include "server/session/edit.hpp"
#include "server/session/plan_compiler.hpp"
#include "server/session/session_file.hpp"

using namespace continuo;
using namespace continuo::session;

namespace {

UidSource uids() {
  return [next = rt::Uid{0}]() mutable { return ++next; };
}

Document with_player(const std::string& queue = "", const std::string& params = "") {
  std::string text = "{\"format\":1,\"nodes\":[{\"id\":\"p\",\"type\":\"player\"" +
                     (params.empty() ? "" : ",\"params\":{" + params + "}") +
                     (queue.empty() ? "" : ",\"queue\":[" + queue + "]") + "}]}";
  auto document = parse_session(text, uids());
  REQUIRE_MESSAGE(document, (document ? "" : document.error().message));
  return *std::move(document);
}

Result<EditResult> edit(Document& document, std::string json) {
  std::ranges::replace(json, '\'', '"');
  v1::ApplyRequest request;
  REQUIRE(google::protobuf::util::JsonStringToMessage("{\"operations\":[" + json + "]}", &request).ok());
  return apply_operations(document, request.operations(), [next = rt::Uid{1000}]() mutable { return ++next; });
}

}  // namespace

TEST_CASE("a queue has one text form, and comes back as it was") {
  CHECK(rc::check([] {
    Document document = with_player();
    auto& queue = document.nodes.edit(1).queue;
    for (int i = *rc::gen::inRange(0, 6); i > 0; --i) {
      QueueItem item;
      item.file = *rc::gen::element<std::string>("a.wav", "r:b.flac", "with \"quotes\"");
      item.in_frame = *rc::gen::inRange<std::int64_t>(0, 1000);
      item.out_frame = *rc::gen::element<std::int64_t>(0, 1001, std::int64_t{1} << 48);
      item.loops = *rc::gen::inRange<std::uint32_t>(0, 4);
      item.gain_db = *rc::gen::inRange(-300, 49) / 2.0;
      item.fade_in_ms = *rc::gen::inRange(0, 100) / 8.0;
      item.fade_out_ms = *rc::gen::inRange(0, 100) / 8.0;
      item.fade_in_curve = *rc::gen::element(QueueCurve::linear, QueueCurve::equal_power);
      item.fade_out_curve = *rc::gen::element(QueueCurve::linear, QueueCurve::equal_power);
      item.crossfade_ms = *rc::gen::inRange(0, 100) / 8.0;
      item.crossfade_curve = *rc::gen::element(QueueCurve::linear, QueueCurve::equal_power);
      queue.push_back(item);
    }
    const std::string text = print_session(document);
    auto again = parse_session(text, uids());
    RC_ASSERT(static_cast<bool>(again));
    RC_ASSERT(print_session(*again) == text);
    for (QueueItem& item : again->nodes.edit(1).queue.edit()) item.uid = 0;
    RC_ASSERT(again->nodes[1].queue == queue);
    auto node = node_from_struct(node_to_struct(document.nodes[1]), "node", uids());
    RC_ASSERT(static_cast<bool>(node));
    for (QueueItem& item : node->queue.edit()) item.uid = 0;
    RC_ASSERT(node->queue == queue);
  }));
}

TEST_CASE("a queue of a bad shape is refused with its place") {
  const auto refused = [](const std::string& node, const std::string& field) {
    const auto parsed = parse_session("{\"format\":1,\"nodes\":[{\"id\":\"p\"," + node + "}]}", uids());
    CAPTURE(node);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().field.find(field) == 0);
  };
  const std::string player = "\"type\":\"player\",";
  refused(player + "\"queue\":[{}]", "nodes[0].queue[0].file");
  refused(player + "\"queue\":[{\"file\":\"a\",\"in_frame\":-1}]", "nodes[0].queue[0].in_frame");
  refused(player + "\"queue\":[{\"file\":\"a\"},{\"file\":\"a\",\"in_frame\":5,\"out_frame\":5}]",
          "nodes[0].queue[1].out_frame");
  refused(player + "\"queue\":[{\"file\":\"a\",\"loops\":1000001}]", "nodes[0].queue[0].loops");
  refused(player + "\"queue\":[{\"file\":\"a\",\"fade_in_ms\":600001}]", "nodes[0].queue[0].fade_in_ms");
  refused(player + "\"queue\":[{\"file\":\"a\",\"fade_in_curve\":\"x\"}]", "nodes[0].queue[0].fade_in_curve");
  refused(player + "\"queue\":[{\"file\":\"a\",\"colour\":1}]", "nodes[0].queue[0]");
  refused("\"type\":\"noise\",\"queue\":[{\"file\":\"a\"}]", "nodes[0].queue");
  refused(player + "\"params\":{\"file\":\"b\"},\"queue\":[{\"file\":\"a\"}]", "nodes[0].params.file");
  refused(player + "\"queue\":[{\"file\":\"a\",\"crossfade_ms\":-1}]", "nodes[0].queue[0].crossfade_ms");
  refused(player + "\"queue\":[{\"file\":\"a\",\"crossfade_curve\":\"x\"}]", "nodes[0].queue[0].crossfade_curve");
  std::string many;
  for (std::size_t i = 0; i <= kMaxQueueItems; ++i) many += std::string(i == 0 ? "" : ",") + "{\"file\":\"a\"}";
  refused(player + "\"queue\":[" + many + "]", "nodes[0].queue");
}

TEST_CASE("queue edits do to the list what they say, and no more than 1000 items fit") {
  Document document = with_player();
  CHECK(rc::check([&document] {
    document = with_player();
    std::vector<std::string> model;
    int fresh = 0;
    for (int step = *rc::gen::inRange(0, 12); step > 0; --step) {
      const SharedVector<QueueItem> queue = document.nodes[1].queue;  // before the edit
      const auto pick = [&] { return *rc::gen::inRange<std::size_t>(0, model.size()); };
      const auto ref = [&](std::size_t i) { return "{'uid':'" + std::to_string(queue[i].uid) + "'}"; };
      const int kind = model.empty() ? 0 : *rc::gen::inRange(0, 3);
      if (kind == 0) {
        const std::string name = std::to_string(++fresh);
        const bool placed = !model.empty() && *rc::gen::arbitrary<bool>();
        const bool after = *rc::gen::arbitrary<bool>();
        const std::size_t at = placed ? pick() : model.size();
        const std::string where = placed ? std::string(after ? ",'after':" : ",'before':") + ref(at) : "";
        RC_ASSERT(static_cast<bool>(
            edit(document, "{'queueInsert':{'path':'p','items':[{'file':'" + name + "'}]" + where + "}}")));
        for (QueueItem& item : document.nodes.edit(1).queue.edit())  // each edit's source of numbers begins anew
          if (item.file == name) item.uid = 5000 + static_cast<rt::Uid>(fresh);
        model.insert(model.begin() + static_cast<std::ptrdiff_t>(at + (placed && after ? 1 : 0)), name);
      } else if (kind == 1) {
        const std::size_t at = pick();
        RC_ASSERT(static_cast<bool>(edit(document, "{'queueRemove':{'path':'p','items':[" + ref(at) + "]}}")));
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        const std::size_t from = pick(), to = pick();
        const bool after = *rc::gen::arbitrary<bool>();
        const bool moves = static_cast<bool>(edit(document, "{'queueMove':{'path':'p','item':" + ref(from) +
                                                                (after ? ",'after':" : ",'before':") + ref(to) + "}}"));
        RC_ASSERT(moves == (from != to));  // beside itself there is no place
        if (from == to) continue;
        const std::string moved = model[from], mark = model[to];
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(from));
        model.insert(std::ranges::find(model, mark) + (after ? 1 : 0), moved);
      }
      std::vector<std::string> got;
      for (const QueueItem& item : document.nodes[1].queue) got.push_back(item.file);
      RC_ASSERT(got == model);
    }
  }));
  document = with_player();
  std::string items;
  for (int i = 0; i < 1000; ++i) items += std::string(i == 0 ? "" : ",") + "{'file':'a'}";
  CHECK(edit(document, "{'queueInsert':{'path':'p','items':[" + items + "]}}"));
  const auto more = edit(document, "{'queueInsert':{'path':'p','items':[{'file':'a'}]}}");
  REQUIRE_FALSE(more);
  CHECK(more.error().reason == "TOO_MANY");
}

TEST_CASE("the compiler knows each item's place, and passes over what cannot be played") {
  const Document document = with_player(
      "{\"file\":\"a\",\"in_frame\":10,\"loops\":3,\"fade_in_ms\":1},{\"file\":\"gone\"},{\"file\":\"b\",\"out_frame\":"
      "99999},{\"file\":\"a\",\"in_frame\":100}");
  const MediaTable media{{"a", {1, 48000, 100}}, {"b", {2, 44100, 500}}};
  PlanCompiler compiler;
  CompileRequest request;
  request.document = &document;
  request.media = &media;
  const Compiled compiled = compiler.compile(request);
  REQUIRE(compiled.players.size() == 1);
  const CompiledPlayer& player = compiled.players[0];
  CHECK(player.queue);
  CHECK(player.channels == 2);
  REQUIRE(player.items.size() == 4);
  CHECK(player.items[0].begin == 10);
  CHECK(player.items[0].end == 100);
  CHECK(player.items[0].loops == 3);
  CHECK(player.items[0].fade_in == 48);
  CHECK(player.items[1].begin == player.items[1].end);
  CHECK(player.items[2].end == 500);
  CHECK(player.items[3].begin == player.items[3].end);
}
