#include "rt/guard.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "rt/dsp/convolution.hpp"
#include "rt/nodes/compressor.hpp"
#include "rt/nodes/convolver.hpp"
#include "rt/nodes/delay.hpp"
#include "rt/nodes/delay_line.hpp"
#include "rt/nodes/equalizer.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/gate.hpp"
#include "rt/nodes/limiter.hpp"
#include "rt/nodes/mix.hpp"
#include "rt/nodes/recorder.hpp"
#include "rt/nodes/reverb.hpp"
#include "tests/support/poison.hpp"
#include "tests/support/streams.hpp"

namespace {

using namespace continuo;
using test::Channels;
using test::kInfinity;
using test::kNan;
using test::PlanBuilder;
using test::Poison;
using test::PoisonNode;
using test::Rig;

using Channel = std::vector<std::size_t>;
constexpr rt::FrameCount kSecond = 48000;

std::vector<rt::Fault> faults_of(Rig& rig) {
  std::vector<rt::Fault> faults;
  for (rt::Fault fault; rig.renderer.faults().try_pop(fault);) faults.push_back(fault);
  return faults;
}

rt::Node& poison(Rig& rig, rt::Uid uid, std::vector<Poison> doses, float level = 0.5f) {
  return rig.adopt(std::make_unique<PoisonNode>(uid, std::move(doses), level));
}

std::vector<double> peak_eq(double db) {
  std::vector<double> params(rt::EqParam::count, 0.0);
  for (std::uint32_t b = 0; b < rt::kEqBands; ++b) {
    params[b * rt::EqParam::per_band + rt::EqParam::freq_hz] = 1000.0;
    params[b * rt::EqParam::per_band + rt::EqParam::gain_db] = db;
    params[b * rt::EqParam::per_band + rt::EqParam::q] = 1.0;
    params[b * rt::EqParam::per_band + rt::EqParam::enabled] = 1.0;
  }
  return params;
}
rt::Node& eq(Rig& rig, rt::Uid uid, double db = 6.0) {
  const rt::EqBand band{rt::dsp::BandType::peak, 1};
  return rig.adopt(std::unique_ptr<rt::Node>(rt::make_eq(uid, {&band, 1})), peak_eq(db));
}
Channel through_eq(PlanBuilder& b, rt::Node& node, const Channel& in) {
  const Channel out = b.channels(in.size());
  b.batch({{&node, in, out, 1}});
  return out;
}

/// A source that is wrong, straight to the device.
struct SourceRig : Rig {
  explicit SourceRig(std::vector<Poison> doses, double rate = 48000.0) : Rig(1, rate) {
    PlanBuilder b(rate);
    b.node(node(rt::device_output_kind()), b.node(poison(*this, 42, std::move(doses)), {}, 1), 0);
    send(b.build(), {});
  }
};

}  // namespace

TEST_CASE("a node that gives a NaN is muted for exactly one second of frames, and comes back: any buffers, any rate") {
  for (const float value : {kNan, kInfinity, -kInfinity})
    for (const double rate : {48000.0, 44100.0}) {
      const auto second = static_cast<std::size_t>(rate);
      Channels reference;
      for (const auto& pattern : test::buffer_patterns()) {
        SourceRig rig({{1000, 2000, value}}, rate);
        rig.run(static_cast<std::uint32_t>(1088 + second + 3000), pattern);
        // Looked at behind frame 1023, judged one block later.
        const auto faults = faults_of(rig);
        REQUIRE(faults.size() == 1);
        CHECK(faults[0].node == 42);
        CHECK(faults[0].frame == 1088);
        CHECK(faults[0].muted_until == static_cast<rt::FrameCount>(1088 + second));
        CHECK(rig.counters().node_faults == 1);
        CHECK(rig.counters().non_finite_samples == 88);
        for (std::size_t i = 0; i < rig.out[0].size(); ++i)
          REQUIRE(rig.out[0][i] == (i < 1000 || i >= 1088 + second ? 0.5f : 0.0f));
        if (reference.empty()) reference = rig.out;
        REQUIRE(test::same_bits(rig.out, reference));
      }
    }
}

TEST_CASE("what stays wrong is muted again, second after second, and told each time") {
  SourceRig rig({{1000, rt::kEndless, kNan}});
  rig.run(4 * kSecond, {512});
  const auto faults = faults_of(rig);
  REQUIRE(faults.size() == 4);
  for (std::size_t k = 1; k < 4; ++k) {
    CHECK(faults[k].frame > faults[k - 1].muted_until);
    CHECK(faults[k].frame <= faults[k - 1].muted_until + rt::FrameCount{rt::kGuardFrames + rt::kBlockFrames});
  }
  CHECK(rig.counters().node_faults == 4);
  for (std::size_t i = 1000; i < rig.out[0].size(); ++i) REQUIRE(rig.out[0][i] == 0.0f);
}

TEST_CASE("what was wrong for a moment between two looks is not blamed") {
  SourceRig rig({{100, 300, kNan}, {960, 1030, kNan}});
  rig.run(3000);
  CHECK(faults_of(rig).empty());
  CHECK(rig.counters().non_finite_samples == 270);
  CHECK(rig.out[0][1030] == 0.5f);
}

TEST_CASE("while the timeline rolls the guard's grid is the timeline's, and a plan in between changes nothing") {
  for (const auto& pattern : test::buffer_patterns()) {
    Rig rig(1);
    rt::Node& source = poison(rig, 7, {{900, 3000, kNan}});
    rt::Node& output = rig.node(rt::device_output_kind());
    const auto plan = [&] {
      PlanBuilder b;
      b.node(output, b.node(source, {}, 1), 0);
      return b.build();
    };
    rig.send(plan(), {Rig::locate(1000), Rig::act(rt::Action::Kind::transport_start)});
    rig.send(plan(), {}, 1080);   // suspect
    rig.send(plan(), {}, 20000);  // muted
    rig.run(60000, pattern);
    const auto faults = faults_of(rig);
    REQUIRE(faults.size() == 1);
    CHECK(faults[0].frame == 1112);  // timeline frame 2112: the look was behind frame 2047
    CHECK(rig.out[0][1111 + kSecond] == 0.0f);
    CHECK(rig.out[0][1112 + kSecond] == 0.5f);
  }
}

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

TEST_CASE("seventeen at once: each is named, in one step or in two, and the others sound on") {
  for (const std::size_t per_step : {1u, 16u})
    for (const auto& pattern : test::buffer_patterns()) {
      Rig rig(18);
      PlanBuilder b;
      Channel all;
      std::vector<PlanBuilder::Place> places;
      for (std::size_t k = 0; k < 18; ++k) {
        const Channel out{b.channel()};
        all.push_back(out[0]);
        places.push_back(
            {&poison(rig, 100 + k, k == 9 ? std::vector<Poison>{} : std::vector<Poison>{{1000, 2000, kNan}}), {}, out});
        if (places.size() == per_step) b.batch(std::exchange(places, {}));
      }
      if (!places.empty()) b.batch(places);
      b.node(rig.node(rt::device_output_kind()), all, 0);
      rig.send(b.build(), {});
      rig.run(3000, pattern);
      const auto faults = faults_of(rig);
      REQUIRE(faults.size() == 17);
      for (std::size_t k = 0; k < 17; ++k) {
        CHECK(faults[k].node == 100 + k + (k >= 9 ? 1 : 0));
        CHECK(faults[k].frame == 1088);
      }
      for (std::size_t c = 0; c < 18; ++c) CHECK(rig.out[c].back() == (c == 9 ? 0.5f : 0.0f));
    }
}

TEST_CASE("sums and edges have no name: nobody is blamed for their overflow, and the device is silent") {
  Rig rig(1);
  PlanBuilder b;
  const Channel loud = b.node(poison(rig, 1, {}, 3e38f), {}, 2);
  const Channel sum = b.node(rig.node(rt::mix_kind(), {}, 0), loud, 1);
  const Channel edge = b.in_place(rig.node(rt::edge_kind(), {2.0}, 3), sum);
  const Channel out = through_eq(b, eq(rig, 4), edge);
  b.node(rig.node(rt::device_output_kind()), out, 0);
  rig.send(b.build(), {});
  rig.run(5000);
  CHECK(faults_of(rig).empty());
  CHECK(rig.out[0] == std::vector<float>(5000, 0.0f));
}

TEST_CASE("a take never holds what is no number, and says how often it would have") {
  for (const auto& pattern : test::buffer_patterns()) {
    test::FakeWriter disk(2);
    Rig rig(0);
    PlanBuilder b;
    const Channel in = b.node(poison(rig, 1, {{520, 560, kNan}, {650, 660, kInfinity}}), {}, 1);
    rt::Node& recorder = rig.adopt(std::make_unique<rt::RecorderNode>(2));
    b.node(recorder, in, 0);
    rig.send(b.build(), {});
    rig.send(nullptr, {Rig::record(1, &disk.sink)});
    rig.run(900, pattern);
    disk.drain();
    REQUIRE(disk.length() == 900);
    for (std::size_t i = 0; i < 900; ++i)
      REQUIRE(disk.take[0][i] == ((i >= 520 && i < 560) || (i >= 650 && i < 660) ? 0.0f : 0.5f));
    CHECK(rig.counters().non_finite_recorded == 50);
  }
}

TEST_CASE("the device's input: what is no number is taken as silence, counted, and named once a second") {
  Rig rig(2);
  rig.in = {std::vector<float>(100000, 0.25f), std::vector<float>(100000, 0.5f)};
  for (std::size_t i = 100; i < 60000; ++i) rig.in[0][i] = i % 2 != 0 ? kNan : kInfinity;
  PlanBuilder b;
  b.node(rig.node(rt::device_output_kind()), b.node(rig.node(rt::device_input_kind(), {}, 77), {}, 2), 0);
  rig.send(b.build(), {});
  rig.run(100000, {100});
  const auto faults = faults_of(rig);
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].node == 77);
  CHECK(faults[0].muted_until == 0);
  CHECK(faults[1].frame >= faults[0].frame + kSecond - 64);
  CHECK(rig.counters().non_finite_inputs == 59900);
  CHECK(rig.counters().non_finite_samples == 0);
  for (std::size_t i = 0; i < 100000; ++i) {
    REQUIRE(rig.out[0][i] == (i >= 100 && i < 60000 ? 0.0f : 0.25f));
    REQUIRE(rig.out[1][i] == 0.5f);
  }
}

TEST_CASE("the log of faults: filled, over-filled, wrapped; the newcomer is lost and counted") {
  rt::FaultLog log;
  rt::Fault fault;
  CHECK_FALSE(log.try_pop(fault));
  for (rt::FrameCount round = 0; round < 3; ++round) {
    for (std::uint32_t i = 0; i < rt::FaultLog::kCapacity; ++i)
      REQUIRE(log.try_push({.node = i, .frame = round, .muted_until = 0}));
    CHECK_FALSE(log.try_push({.node = 9999, .frame = round, .muted_until = 0}));
    CHECK(log.dropped() == static_cast<std::uint64_t>(round + 1));
    for (std::uint32_t i = 0; i < rt::FaultLog::kCapacity; ++i) {
      REQUIRE(log.try_pop(fault));
      REQUIRE(fault.node == i);
      REQUIRE(fault.frame == round);
    }
    CHECK_FALSE(log.try_pop(fault));
    REQUIRE(log.try_push({.node = 1, .frame = round, .muted_until = 0}));  // the next round begins elsewhere
    REQUIRE(log.try_pop(fault));
  }
}

TEST_CASE("more faults than the log holds: all are counted, all are muted") {
  Rig rig(1);
  PlanBuilder b;
  constexpr std::size_t kMany = rt::FaultLog::kCapacity + 30;
  Channel all;
  for (std::size_t k = 0; k < kMany; ++k) all.push_back(b.node(poison(rig, k + 1, {{0, 5000, kNan}}), {}, 1)[0]);
  b.node(rig.node(rt::device_output_kind()), b.node(rig.node(rt::mix_kind(), {}, 0), all, 1), 0);
  rig.send(b.build(), {});
  rig.run(1000);
  CHECK(rig.counters().node_faults == kMany);
  CHECK(rig.renderer.faults().dropped() == 30);
  CHECK(faults_of(rig).size() == rt::FaultLog::kCapacity);
  CHECK(rig.counters().non_finite_samples == 576);
}
