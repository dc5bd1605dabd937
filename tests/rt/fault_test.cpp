#include "rt/fault.hpp"

#include <doctest/doctest.h>

#include "rt/nodes/mix.hpp"
#include "tests/rt/guard_rig.hpp"

namespace {

using namespace continuo;
using namespace test::guard;
using test::kNan;
using test::PlanBuilder;
using test::Rig;

}  // namespace

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
