#include "rt/nodes/sweep.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/support/rig.hpp"

namespace {

using namespace continuo;
using test::Rig;
using Kind = rt::Action::Kind;

struct SweepRig : Rig {
  explicit SweepRig(const rt::SweepShape& shape, rt::FrameCount from = 0)
      : Rig(2), sweep(adopt(std::unique_ptr<rt::Node>(rt::make_sweep(1, shape)), {0.0})) {
    test::PlanBuilder b;
    b.node(node(rt::device_output_kind()), b.node(sweep, {}, 2), 0);
    send(b.build(), {Rig::locate(from), Rig::act(Kind::transport_start)});
  }
  rt::Node& sweep;
};

double farina(double f1, double f2, double seconds, double t) {
  const double l = std::log(f2 / f1);
  const double turns = f1 == f2 ? f1 * t : f1 * seconds / l * (std::exp(t * l / seconds) - 1.0);
  return std::sin(6.283185307179586476925 * (turns - std::floor(turns)));
}

}  // namespace

TEST_CASE("a sweep is Farina's at each frame, up, down and level, wherever playing began") {
  for (const auto& [f1, f2] : {std::pair{20.0, 20000.0}, {15000.0, 30.0}, {1000.0, 1000.0}})
    for (const rt::FrameCount from : {0, 33, 40000})
      for (const auto& pattern : test::buffer_patterns()) {
        SweepRig rig({.start_hz = f1, .end_hz = f2, .frames = 48000}, from);
        rig.run(3000, pattern);
        for (std::int64_t i = 0; i < 3000; ++i)
          REQUIRE(std::abs(static_cast<double>(rig.out[0][static_cast<std::size_t>(i)]) -
                           farina(f1, f2, 1.0, static_cast<double>(from + i) / 48000.0)) < 1e-6);
        CHECK(rig.out[0] == rig.out[1]);
      }
}

TEST_CASE("a sweep is silent after its end, or begins again after its gap, bit for bit") {
  SweepRig once({.start_hz = 100.0, .end_hz = 1000.0, .frames = 1000});
  SweepRig again({.start_hz = 100.0, .end_hz = 1000.0, .frames = 1000, .period = 1500});
  once.run(4000, {17});
  again.run(4000, {256});
  for (std::size_t i = 0; i < 4000; ++i) {
    REQUIRE(once.out[0][i] == (i < 1000 ? again.out[0][i] : 0.0f));
    REQUIRE(again.out[0][i] == (i % 1500 < 1000 ? again.out[0][i % 1500] : 0.0f));
  }
}

TEST_CASE("a sweep is silent while the timeline stands, before its beginning, and above half the rate") {
  SweepRig rig({.start_hz = 100.0, .end_hz = 96000.0, .frames = 4800});
  rig.send(Rig::act(Kind::transport_stop), 6000);
  rig.run(7000);
  const double crossing = 4800.0 * std::log(240.0) / std::log(960.0);
  for (std::size_t i = static_cast<std::size_t>(crossing) + 1; i < 7000; ++i) REQUIRE(rig.out[0][i] == 0.0f);
  CHECK(rig.out[0][static_cast<std::size_t>(crossing) - 5] != 0.0f);
  SweepRig still({.start_hz = 100.0, .end_hz = 200.0, .frames = 4800});
  still.send(Rig::act(Kind::transport_stop), 1000);
  still.run(2000);
  for (std::size_t i = 1000; i < 2000; ++i) REQUIRE(still.out[0][i] == 0.0f);
}
