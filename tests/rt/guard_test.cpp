#include "rt/guard.hpp"

#include <doctest/doctest.h>

#include <utility>

#include "rt/nodes/gain.hpp"
#include "rt/nodes/mix.hpp"
#include "rt/nodes/recorder.hpp"
#include "tests/rt/guard_rig.hpp"
#include "tests/support/streams.hpp"

namespace {

using namespace continuo;
using namespace test::guard;
using test::Channels;
using test::kInfinity;
using test::kNan;
using test::PlanBuilder;
using test::Poison;
using test::Rig;

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
