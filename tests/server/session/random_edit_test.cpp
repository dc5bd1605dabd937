#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <deque>

#include "tests/server/session/offline_rig.hpp"
#include "tests/server/session/plan_checks.hpp"
#include "tests/server/session/random_document.hpp"

using namespace continuo;
using namespace continuo::session;

namespace {

// The device's inputs stand still, so that whatever moves in the output was moved by an edit.
float standing(std::uint32_t channel, rt::FrameCount) { return 1.0f - 0.1f * static_cast<float>(channel); }

struct Played {
  std::vector<float> before;  // the last frame
  float peak = 0.0f;
  float worst = 0.0f;  // greatest step
  void add(const test::Sound& out) {
    before.resize(out.size(), 0.0f);
    for (std::size_t c = 0; c < out.size(); ++c) {
      for (const float sample : out[c]) {
        worst = std::max(worst, std::abs(sample - before[c]));
        peak = std::max(peak, std::abs(sample));
        before[c] = sample;
      }
    }
  }
};

}  // namespace

TEST_CASE("any session into any other, at any moment: no click, and in the end the new session alone") {
  CHECK(rc::check([](std::uint32_t seed) {
    test::Rig rig(2, 4);
    rig.input = standing;
    rig.request.faded_plan = 0;
    std::deque<std::pair<std::uint64_t, rt::FrameCount>> plans;  // id, first frame
    rt::FrameCount now = 0;
    Played played;
    Document document;
    const auto go = [&](std::uint32_t frames) {
      while (!plans.empty() && plans.front().second + kEditFadeFrames <= now) {
        rig.request.faded_plan = plans.front().first;
        plans.pop_front();
      }
      rig.take(document);
      RC_ASSERT(test::fault_of(*rig.plan) == "");
      plans.emplace_back(rig.plan->id, now);
      played.add(rig.render(frames));
      now += frames;
    };
    for (std::uint32_t k = 0; k < 5; ++k) {
      document = test::random_document(seed + k, {.roots = 5, .connections = 10, .steady = true, .sounding = true});
      RC_ASSERT(static_cast<bool>(validate(document)));
      go(std::vector<std::uint32_t>{64, 200, 600, 1100}[(seed / 7 + k) % 4]);
      if (k == 0) played.worst = 0.0f;  // from nothing to something
    }
    for (int i = 0; i < 4; ++i) go(600);
    RC_ASSERT(!rig.last.fading);
    RC_ASSERT(rig.last.actions.empty());
    // Some fades may lie one behind the other, and several be summed; a click would be a step of a whole path's level.
    RC_ASSERT(played.worst <= (1.0f + played.peak) * 6.0f / static_cast<float>(kEditFadeFrames));

    test::Rig fresh(2, 4);
    fresh.input = standing;
    fresh.take(document);
    RC_ASSERT(fresh.plan->members.size() == rig.plan->members.size());
    RC_ASSERT(fresh.plan->slab_floats == rig.plan->slab_floats);
    RC_ASSERT(fresh.render(64) == rig.render(64));
  }));
}
