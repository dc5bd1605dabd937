// A team under fire: the driver renders without a rest, workers come and go, plans and parameters change, and every
// sample is the one that a single thread makes.
#include "rt/team.hpp"

#include <doctest/doctest.h>

#include "tests/support/task_plan.hpp"
#include "tests/support/workers.hpp"

namespace {

using namespace continuo;
using test::Rig;
using test::TaskPlan;

constexpr std::uint32_t kVoices = 24;

test::Channels sound(rt::Team* team, int rounds) {
  Rig rig(2);
  const TaskPlan voices(rig, kVoices);
  rig.renderer.use_team(team);
  rig.send(voices.build(true), {});
  for (int round = 0; round < rounds; ++round) {
    const auto voice = static_cast<std::uint32_t>(round) % kVoices;
    rig.set(2 * voice + 1, rt::GainParam::gain_db, -(round % 40), rt::kNow, 77);
    if (round % 5 == 0) rig.send(voices.build(true, static_cast<std::uint64_t>(round) + 2), {});
    rig.run(1 + static_cast<std::uint32_t>(round) * 37 % 600, {512});
    for (const rt::Event& event : rig.events()) REQUIRE(event.kind == rt::Event::Kind::applied);
  }
  return rig.out;
}

}  // namespace

TEST_CASE("a team under fire: plans, ramps and ragged buffers, three workers, the samples of one thread") {
  const test::Channels alone = sound(nullptr, 400);
  test::Workers workers(3);
  // On a machine that has no core to spare for them they may not come to it in one run.
  for (int run = 0; run == 0 || (workers.team.helped() == 0 && run < 200); ++run)
    REQUIRE(test::same_bits(sound(&workers.team, 400), alone));
  CHECK(workers.team.helped() > 0);
}

TEST_CASE("a renderer after the other uses one team, as long as one runs at a time") {
  test::Workers workers(2);
  const test::Channels alone = sound(nullptr, 40);
  for (int i = 0; i < 10; ++i) REQUIRE(test::same_bits(sound(&workers.team, 40), alone));
}
