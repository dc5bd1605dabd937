#include "rt/device_output.hpp"

#include <doctest/doctest.h>

#include <bit>

#include "rt/dsp/math.hpp"
#include "rt/nodes/recorder.hpp"
#include "tests/support/poison.hpp"
#include "tests/support/streams.hpp"

namespace {

using namespace continuo;
using test::Rig;

/// The device's inputs straight to its outputs.
struct WireRig : Rig {
  explicit WireRig(std::vector<float> sound, float ceiling) : Rig(1) {
    in = {std::move(sound)};
    renderer.set_ceiling(ceiling);
    test::PlanBuilder b;
    b.node(node(rt::device_output_kind()), b.node(node(rt::device_input_kind()), {}, 1), 0);
    send(b.build(), {});
  }
};

}  // namespace

TEST_CASE("no sample leaves above the ceiling, every sample up to it leaves bit by bit, and those beyond are counted") {
  for (const double db : {0.0, -0.5, -6.0, -60.0})
    for (const auto& pattern : test::buffer_patterns()) {
      const float ceiling = rt::dsp::db_to_gain(db);
      std::vector<float> sound;
      for (int i = 0; i < 2000; ++i) sound.push_back(test::probe(i) * 2.0f);
      sound[10] = ceiling;
      sound[11] = -ceiling;
      sound[12] = std::nextafter(ceiling, 2.0f);
      sound[13] = -std::nextafter(ceiling, 2.0f);
      sound[14] = -0.0f;
      sound[15] = std::numeric_limits<float>::max();
      sound[16] = -std::numeric_limits<float>::max();
      WireRig rig(sound, ceiling);
      rig.run(2000, pattern);
      std::uint64_t beyond = 0;
      for (std::size_t i = 0; i < sound.size(); ++i) {
        const float expected = std::min(std::max(sound[i], -ceiling), ceiling);
        beyond += expected != sound[i];
        REQUIRE(std::bit_cast<std::uint32_t>(rig.out[0][i]) == std::bit_cast<std::uint32_t>(expected));
      }
      CHECK(rig.counters().ceiling_samples == beyond);
      CHECK(beyond > 100);
    }
}

TEST_CASE("the ceiling is behind the level: what a fade brings below it is whole, a level above 1 does not pass it") {
  WireRig rig(std::vector<float>(1000, 1.5f), 1.0f);
  rig.send(Rig::value_of(rt::Action::Kind::output_level, 0.5));
  rig.send(Rig::value_of(rt::Action::Kind::output_level, 4.0), 500);
  rig.run(1000);
  CHECK(rig.out[0][499] == 0.75f);
  CHECK(rig.out[0][500] == 1.0f);
  CHECK(rig.counters().ceiling_samples == 500);
}

TEST_CASE("without a ceiling everything passes, and what is no number never does") {
  WireRig rig({}, std::numeric_limits<float>::infinity());
  rig.in = {std::vector<float>(100, std::numeric_limits<float>::max())};
  rig.run(100);
  CHECK(rig.out[0] == rig.in[0]);
  CHECK(rig.counters().ceiling_samples == 0);
}

TEST_CASE("a take does not hear the ceiling, the level or the device's fade") {
  test::FakeWriter disk(1);
  Rig rig(1);
  rig.renderer.set_ceiling(0.25f);
  test::PlanBuilder b;
  const auto source =
      b.node(rig.adopt(std::make_unique<test::PoisonNode>(1, std::vector<test::Poison>{}, 0.5f)), {}, 1);
  b.node(rig.adopt(std::make_unique<rt::RecorderNode>(2)), source, 0);
  b.node(rig.node(rt::device_output_kind()), source, 0);
  rig.send(b.build(), {Rig::record(1, &disk.sink), Rig::value_of(rt::Action::Kind::output_level, 0.0),
                       Rig::value_of(rt::Action::Kind::output_level, 1.0, 2400)});
  rig.run(4000, {256});
  disk.drain();
  CHECK(disk.take[0] == std::vector<float>(4000, 0.5f));
  CHECK(rig.out[0][0] == 0.0f);
  for (std::size_t i = 1; i < 4000; ++i) {
    REQUIRE(rig.out[0][i] >= rig.out[0][i - 1]);
    REQUIRE(rig.out[0][i] - rig.out[0][i - 1] < 0.5f / 2400.0f * 1.01f);
    REQUIRE(rig.out[0][i] <= 0.25f);
  }
  CHECK(rig.out[0].back() == 0.25f);
}
