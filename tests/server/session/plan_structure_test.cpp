#include <doctest/doctest.h>

#include <algorithm>

#include "rt/nodes/gain.hpp"
#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/plan_checks.hpp"

using namespace continuo;
using namespace continuo::session;
using continuo::session::test::document;
using continuo::session::test::Rig;

TEST_CASE("plans are numbered, nodes outlive them, slots change hands with a new generation") {
  Rig rig(2, 2);
  rig.request.fade_edits = false;
  const Document one = document("{'nodes': [{'id': 'a', 'type': 'gain'}, {'id': 'b', 'type': 'gain'}]}");
  rig.take(one);
  const rt::NodeRef a = *rig.compiler.param_target(find_node(one, "a")->uid);
  const rt::NodeRef b = *rig.compiler.param_target(find_node(one, "b")->uid);
  CHECK(a.generation == 1);
  CHECK_FALSE(a.slot == b.slot);
  CHECK(rig.plan->id == 1);
  const rt::Node* node_b = rig.plan->nodes[b.slot].node;
  rig.render(64);

  Document two = one;
  two.nodes.erase(*two.nodes.find("a"));
  rig.take(two);
  CHECK(rig.plan->id == 2);
  CHECK(rig.plan->nodes[a.slot].node == nullptr);
  CHECK(rig.plan->nodes[b.slot].node == node_b);
  CHECK(rig.destroyed == 0);  // not while the audio thread may hold it
  rig.render(64);
  CHECK(rig.destroyed == 1);

  DocNode fresh;
  fresh.id = "c";
  fresh.type = "gain";
  fresh.uid = 500;
  two.nodes.insert(1, fresh);
  rig.take(two);
  const rt::NodeRef c = *rig.compiler.param_target(500);
  CHECK(c.slot == a.slot);
  CHECK(c.generation == 2);
  CHECK(rig.plan->nodes[c.slot].generation == 2);
  CHECK(rig.plan->nodes.size() == 2);
  rig.render(64);
}

TEST_CASE("another file, mode, place or rate makes another player; another gain does not") {
  Rig rig(0, 2);
  rig.request.fade_edits = false;
  rig.media["x.wav"] = rig.media["y.wav"] = {.channels = 2, .sample_rate_hz = 48000, .frames = 100};
  Document doc = document("{'nodes': [{'id': 'p', 'type': 'player', 'params': {'file': 'x.wav'}}]}");
  const auto player = [&doc]() -> DocNode& { return doc.nodes.edit(1); };
  const auto fresh = [&] {
    rig.take(doc);
    rig.render(64);
    return rig.last.players[0].fresh;
  };
  CHECK(fresh());
  CHECK_FALSE(fresh());
  player().params["gain_db"] = -3.0;
  CHECK_FALSE(fresh());
  for (const auto& [name, value] : std::map<std::string, Value>{
           {"file", std::string("y.wav")}, {"mode", std::string("free")}, {"start_s", 1.0}, {"loop", true}}) {
    CAPTURE(name);
    player().params[name] = value;
    CHECK(fresh());
    CHECK_FALSE(fresh());
  }
  rig.request.shape.sample_rate_hz = 44100.0;
  CHECK(fresh());
  rig.media["y.wav"].channels = 1;
  CHECK(fresh());
  CHECK(rig.destroyed == 6);
}

TEST_CASE("batches: equal nodes share steps of at most 16 lanes, a wider one runs alone") {
  Rig rig(32, 2);
  std::string nodes;
  std::string connections = "{'from': 'in', 'to': 'wide'}";
  for (int i = 1; i <= 32; ++i) {
    nodes += "{'id': 'g" + std::to_string(i) + "', 'type': 'gain'}, ";
    connections += ", {'from': 'in:" + std::to_string(i) + "', 'to': 'g" + std::to_string(i) + "'}, {'from': 'g" +
                   std::to_string(i) + "', 'to': 'out'}";
  }
  rig.take(document("{'nodes': [" + nodes + "{'id': 'wide', 'type': 'gain'}], 'connections': [" + connections + "]}"));
  CHECK(test::fault_of(*rig.plan).empty());
  std::vector<std::uint32_t> lanes;
  for (const rt::Step& step : rig.plan->steps) {
    if (step.kind == &rt::gain_kind()) lanes.push_back(step.lanes);
  }
  std::sort(lanes.begin(), lanes.end());
  CHECK(lanes == std::vector<std::uint32_t>{16, 16, 32});
}

TEST_CASE("buffers are used again: a long chain needs few") {
  Rig rig(2, 2);
  std::string children;
  for (int i = 0; i < 200; ++i)
    children += std::string(i == 0 ? "" : ", ") + "{'id': 'g" + std::to_string(i) + "', 'type': '" +
                (i % 2 == 0 ? "gain" : "pan") + "'}";
  rig.take(document("{'nodes': [{'id': 'a', 'type': 'track', 'children': [" + children +
                    "]}], 'connections': [{'from': 'in', 'to': 'a'}, {'from': 'a', 'to': 'out'}]}"));
  CHECK(test::fault_of(*rig.plan).empty());
  std::set<const float*> buffers(rig.plan->out_pointers.begin(), rig.plan->out_pointers.end());
  CHECK(buffers.size() <= 8);
  const test::Sound out = rig.render(64);
  for (std::size_t i = 0; i < 64; ++i) CHECK(out[0][i] == test::test_sample("in", 0, static_cast<rt::FrameCount>(i)));
}
