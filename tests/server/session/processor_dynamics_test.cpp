#include <doctest/doctest.h>

#include <cmath>

#include "rt/nodes/gate.hpp"
#include "rt/nodes/limiter.hpp"
#include "server/session/processor.hpp"
#include "tests/server/session/offline_rig.hpp"

using namespace continuo;
using namespace continuo::session;
using session::test::document;

namespace {

ProcessorShape shape(const std::string& params, double rate, std::uint32_t channels = 2) {
  const Document doc = document("{'nodes': [{'id': 'p', 'type': 'limiter', 'params': {" + params + "}}]}");
  return shape_of_processor(*find_node(doc, "p"), channels, rate);
}

}  // namespace

TEST_CASE("limiter: its shape states its latency, and what makes it another node") {
  const ProcessorShape usual = shape("", 48000.0);
  CHECK(usual.kind == &rt::limiter_kind());
  CHECK(usual.out_count == 2);
  CHECK(usual.latency_frames == rt::limiter_latency_frames(240));
  CHECK(usual.lookahead_frames == 0);
  CHECK_FALSE(usual.takes_key);
  for (const double rate : {8000.0, 44100.0, 48000.0, 192000.0})
    for (const double ms : {0.5, 5.0, 20.0}) {
      const ProcessorShape s = shape("'lookahead_ms': " + std::to_string(ms), rate);
      CHECK(s.latency_frames == rt::limiter_latency_frames(static_cast<std::uint32_t>(std::lround(ms * 1e-3 * rate))));
    }
  CHECK(shape("'ceiling_db': -7, 'release_ms': 10, 'bypass': true", 48000.0).variant == usual.variant);
  CHECK(shape("'bypass': true", 48000.0).latency_frames == usual.latency_frames);
  CHECK(shape("'lookahead_ms': 6", 48000.0).variant != usual.variant);
  CHECK(shape("", 48000.0, 3).variant != usual.variant);
}

TEST_CASE("limiter: in a document, quiet sound comes out as late as stated and otherwise the same") {
  session::test::Rig rig(2);
  rig.input = [](std::uint32_t c, rt::FrameCount frame) {
    return static_cast<float>((frame * 7919 + c * 31) % 1000 - 500) * 0x1p-14f;
  };
  rig.take(
      document("{'nodes': [{'id': 'l', 'type': 'limiter'}], 'connections': [{'from': 'in', 'to': 'l'}, {'from': "
               "'l', 'to': 'out'}]}"));
  const session::test::Sound out = rig.render(9000, 512);
  const std::uint32_t late = rt::limiter_latency_frames(240);
  for (std::uint32_t c = 0; c < 2; ++c)
    for (std::uint32_t i = 5000; i < 9000; ++i) REQUIRE(out[c][i] == rig.input(c, i - late));
}

TEST_CASE("gate: it has a key and no latency") {
  const Document doc = document("{'nodes': [{'id': 'g', 'type': 'gate'}]}");
  const ProcessorShape s = shape_of_processor(*find_node(doc, "g"), 3, 48000.0);
  CHECK(s.kind == &rt::gate_kind());
  CHECK(s.out_count == 3);
  CHECK(s.latency_frames == 0);
  CHECK(s.settle_frames == 336);  // seven attacks of 1 ms
  const Document slow = document("{'nodes': [{'id': 'g', 'type': 'gate', 'params': {'attack_ms': 900}}]}");
  CHECK(shape_of_processor(*find_node(slow, "g"), 3, 48000.0).settle_frames == 4800);
  CHECK(s.takes_key);
  CHECK(takes_key("gate"));
  CHECK(takes_key("compressor"));
  CHECK_FALSE(takes_key("limiter"));
  CHECK(make_processor(*find_node(doc, "g"), 3, 48000.0)->params.size() == rt::GateParam::count);
}

TEST_CASE("gate: in a document, its key opens it") {
  for (const bool keyed : {false, true}) {
    session::test::Rig rig(2);
    rig.input = [](std::uint32_t c, rt::FrameCount) { return c == 0 ? 0.001f : 0.5f; };
    rig.take(
        document(std::string("{'nodes': [{'id': 'g', 'type': 'gate'}], 'connections': [{'from': 'in:1', 'to': 'g'}, "
                             "{'from': 'g', 'to': 'out:1'}") +
                 (keyed ? ", {'from': 'in:2', 'to': 'g:sidechain'}]}" : "]}")));
    const float last = rig.render(60000, 512)[0].back();
    CHECK(std::abs(last) < (keyed ? 0.0011f : 1e-6f));
    CHECK(std::abs(last) > (keyed ? 0.0009f : 0.0f));
  }
}

TEST_CASE("gate: one that comes into a sound that opens it is not heard to come") {
  session::test::Rig rig(1, 1);
  rig.input = [](std::uint32_t, rt::FrameCount) { return 0.5f; };
  rig.take(document("{'connections': [{'from': 'in', 'to': 'out'}]}"));
  (void)rig.render(6400, 100);
  rig.take(
      document("{'nodes': [{'id': 'g', 'type': 'gate', 'params': {'attack_ms': 10}}], 'connections': [{'from': 'in', "
               "'to': 'g'}, {'from': 'g', 'to': 'out'}]}"));
  const std::vector<float> out = rig.render(48000, 100)[0];
  for (const float x : out) REQUIRE(std::abs(x - 0.5f) < 0.002f);
}
