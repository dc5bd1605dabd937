// What a node remembers of a sample that is no number: who is blamed, and what is left when it is heard again.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "rt/dsp/convolution_plan.hpp"
#include "rt/nodes/compressor.hpp"
#include "rt/nodes/convolver.hpp"
#include "rt/nodes/delay.hpp"
#include "rt/nodes/delay_line.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/gate.hpp"
#include "rt/nodes/limiter.hpp"
#include "rt/nodes/reverb.hpp"
#include "tests/rt/guard_rig.hpp"

namespace {

using namespace continuo;
using namespace test::guard;
using test::Channels;
using test::kInfinity;
using test::kNan;
using test::PlanBuilder;
using test::Rig;

}  // namespace

TEST_CASE("an equaliser that an infinity blew up is the culprit where it goes on alone, and is new after its second") {
  Channels reference;
  for (const auto& pattern : test::buffer_patterns()) {
    Rig rig(1);
    PlanBuilder b;
    rt::Node& source = poison(rig, 1, {{700, 701, kInfinity}});
    b.node(rig.node(rt::device_output_kind()), through_eq(b, eq(rig, 2), b.node(source, {}, 1)), 0);
    rig.send(b.build(), {});
    rig.run(kSecond + 12000, pattern);
    const auto faults = faults_of(rig);
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].node == 2);
    CHECK(faults[0].frame == 1088);
    CHECK(std::abs(rig.out[0][699] - 0.5f) < 1e-3f);
    for (std::size_t i = 700; i < 1088 + kSecond; ++i) REQUIRE(rig.out[0][i] == 0.0f);
    CHECK(rig.out[0][1088 + kSecond] != 0.0f);
    CHECK(std::abs(rig.out[0].back() - 0.5f) < 1e-3f);
    if (reference.empty()) reference = rig.out;
    REQUIRE(test::same_bits(rig.out, reference));
  }
}

TEST_CASE("an equaliser in a tile between two gains is found, silenced there and blamed alone") {
  for (const bool tap : {false, true})  // somebody else reads what the equalisers give, too
    for (const auto& pattern : test::buffer_patterns()) {
      Rig rig(5);
      PlanBuilder b;
      const Channel source = b.node(poison(rig, 1, {{700, 701, kInfinity}}), {}, 1);
      const Channel clean = b.node(poison(rig, 2, {}), {}, 2);
      const Channel in{clean[0], source[0], clean[1]};
      std::vector<PlanBuilder::Place> before, middle, after;
      const Channel a = b.channels(3), m = b.channels(3), z = b.channels(3);
      for (std::size_t k = 0; k < 3; ++k) {
        before.push_back({&rig.node(rt::gain_kind(), {0.0}, 10 + k), {in[k]}, {a[k]}});
        middle.push_back({&eq(rig, 20 + k), {a[k]}, {m[k]}, 1});
        after.push_back({&rig.node(rt::gain_kind(), {-6.0}, 30 + k), {m[k]}, {z[k]}});
      }
      b.batch(before);
      b.batch(middle);
      b.batch(after);
      b.node(rig.node(rt::device_output_kind()), {z[0], z[1], z[2], m[0], m[1]}, 0);
      auto plan = b.build();
      for (const std::size_t s : {2u, 3u}) {
        plan->steps[s].stays = true;
        plan->steps[s].unpacks = s == 3 && tap;
        plan->steps[s + 1].packed = true;
      }
      rig.send(std::move(plan), {});
      rig.run(kSecond + 6000, pattern);
      const auto faults = faults_of(rig);
      REQUIRE(faults.size() == 1);
      CHECK(faults[0].node == 21);
      for (std::size_t i = 0; i < rig.out[0].size(); ++i) {
        REQUIRE(std::abs(rig.out[0][i]) > 0.2f);  // its neighbours do not notice
        REQUIRE(rig.out[2][i] == rig.out[0][i]);
        if (i >= 700 && i < 1088 + kSecond) REQUIRE(rig.out[1][i] == 0.0f);
      }
      CHECK(std::abs(rig.out[1].back() - rig.out[0].back()) < 1e-3f);
      if (tap) CHECK(rig.out[4][1088 + kSecond - 1] == 0.0f);
      if (tap) CHECK(rig.out[4][1088 + kSecond] != 0.0f);
    }
}

TEST_CASE("what lies behind a culprit is not blamed, and is well as soon as the culprit is silent: every memory") {
  using Make = std::function<rt::Node&(Rig&)>;
  const auto plan = rt::dsp::ConvolutionPlan::make(64, 3000);
  const std::vector<float> response(3000, 0.001f);
  const float* const channel = response.data();
  const std::shared_ptr<const rt::dsp::Impulse> impulse =
      rt::dsp::Impulse::make(plan, std::span<const float* const>(&channel, 1), response.size());
  REQUIRE(impulse != nullptr);
  const auto owned = [](Rig& rig, rt::Node* node, std::vector<double> params) -> rt::Node& {
    return rig.adopt(std::unique_ptr<rt::Node>(node), params);
  };
  struct Case {
    const char* name;
    std::uint32_t size;
    bool exact;  // what went in as no number is as if silence had gone in
    Make make;
  };
  const std::vector<Case> cases = {
      {"eq", 1, false, [](Rig& rig) -> rt::Node& { return eq(rig, 2); }},
      {"compressor", 0, false,
       [](Rig& rig) -> rt::Node& { return rig.node(rt::compressor_kind(), {-20, 4, 0, 2, 20, 0, 0, 10, 0}, 2); }},
      {"compressor, rms", 0, false,
       [](Rig& rig) -> rt::Node& { return rig.node(rt::compressor_kind(), {-20, 4, 0, 2, 20, 0, 1, 10, 0}, 2); }},
      {"gate", 0, false,
       [](Rig& rig) -> rt::Node& {
         return rig.node(rt::gate_kind(), std::vector<double>{-40, 4, 40, 3, 1, 5, 20, 0}, 2);
       }},
      {"limiter", 0, true,
       [&](Rig& rig) -> rt::Node& { return owned(rig, rt::make_limiter(2, 1, 100), {-1.0, 50.0, 0.0}); }},
      {"delay", 0, true,
       [&](Rig& rig) -> rt::Node& { return owned(rig, rt::make_delay(2, 1, 4000), {50.0, 0.5, 0.0, 0.0, 0.0}); }},
      {"delay line", 0, true, [&](Rig& rig) -> rt::Node& { return owned(rig, rt::make_delay_line(2, 1, 777), {}); }},
      {"reverb", 0, false,
       [&](Rig& rig) -> rt::Node& {
         return owned(rig, rt::make_reverb(2, 1, {}, 48000.0), {1.0, 0.5, 0.0, 0.0, 0.0});
       }},
      {"convolution", 0, true,
       [&](Rig& rig) -> rt::Node& {
         return rig.adopt(rt::make_convolver(2, {.impulse = impulse, .latency_frames = 64, .ins = 1, .outs = 1}),
                          {0.0, 0.0, 0.0});
       }},
  };
  for (const Case& one : cases)
    for (const float value : {kNan, kInfinity, -kInfinity}) {
      CAPTURE(one.name);
      const auto run = [&](float bad, const std::vector<std::uint32_t>& pattern, std::vector<rt::Fault>& faults) {
        Rig rig(1);
        rig.in = {std::vector<float>(kSecond + 8000)};
        for (std::size_t i = 0; i < rig.in[0].size(); ++i) rig.in[0][i] = test::probe(static_cast<long>(i));
        PlanBuilder b;
        const Channel in = b.node(rig.node(rt::device_input_kind()), {}, 1);
        // A second of silence behind it, so that a run in which nobody is muted has the same sound.
        const Channel source = b.node(poison(rig, 1, {{1000, 1088 + kSecond, 0.0f}, {1000, 1100, bad}}), in, 1);
        const Channel out = b.channels(1);
        b.batch({{&one.make(rig), source, out, one.size}});
        b.node(rig.node(rt::device_output_kind()), out, 0);
        rig.send(b.build(), {});
        rig.run(kSecond + 8000, pattern);
        faults = faults_of(rig);
        return rig.out;
      };
      std::vector<rt::Fault> faults;
      const Channels silent = run(0.0f, {64}, faults);
      REQUIRE(faults.empty());
      const Channels reference = run(value, {64}, faults);
      REQUIRE(faults.size() == 1);
      CHECK(faults[0].node == 1);
      for (const auto& pattern : {std::vector<std::uint32_t>{1}, {17}, {65}, {256}, {1000}})
        REQUIRE(test::same_bits(run(value, pattern, faults), reference));
      float most = 0.0f;
      for (std::size_t i = 1088; i < reference[0].size(); ++i) {
        REQUIRE(std::isfinite(reference[0][i]));
        most = std::max(most, std::abs(reference[0][i]));
        if (one.exact && i >= 1100) REQUIRE(reference[0][i] == silent[0][i]);
      }
      CHECK(most > 0.1f);
      CHECK(most < 20.0f);
    }
}

TEST_CASE("an rms detector that swallowed an infinity works again at once") {
  Rig rig(1);
  PlanBuilder b;
  const Channel source = b.node(poison(rig, 1, {{700, 702, kInfinity}, {702, 703, kNan}}), {}, 1);
  const Channel out = b.channels(1);
  b.batch({{&rig.node(rt::compressor_kind(), {-20, 4, 0, 2, 20, 0, 1, 5, 0}, 2), source, out}});
  b.node(rig.node(rt::device_output_kind()), out, 0);
  rig.send(b.build(), {});
  rig.run(30000);
  CHECK(faults_of(rig).empty());
  CHECK(std::abs(rig.out[0].back() - rig.out[0][690]) < 0.02f);
}
