// Render workers: when they are awake, and that it does not matter to a sample whether they are.
#include "server/device/render_workers.hpp"

#include <doctest/doctest.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <semaphore>
#include <thread>

#include "server/device/device.hpp"
#include "server/device/wake_plan.hpp"
#include "tests/support/task_plan.hpp"

namespace rt = continuo::rt;
using namespace continuo::device;
using continuo::test::Rig;

namespace {

constexpr std::int64_t kPeriod = 1'333'333;  // 64 frames at 48 kHz

}  // namespace

TEST_CASE("workers: two cores are left to others, and there is a most") {
  CHECK(RenderWorkers::bearable(0, 64) == 0);
  CHECK(RenderWorkers::bearable(1, 3) == 1);
  CHECK(RenderWorkers::bearable(5, 4) == 2);
  CHECK(RenderWorkers::bearable(1, 2) == 0);
  CHECK(RenderWorkers::bearable(1, 0) == 0);
  CHECK(RenderWorkers::bearable(500, 500) == RenderWorkers::kMost);
}

TEST_CASE("render workers: cores that the process is kept from do not count") {
  std::uint32_t before = 0, kept_to_one = 0;
  std::thread([&] {
    before = RenderWorkers::usable_cores();
    cpu_set_t all, one;
    REQUIRE(sched_getaffinity(0, sizeof all, &all) == 0);
    CPU_ZERO(&one);
    for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i)
      if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
    REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
    kept_to_one = RenderWorkers::usable_cores();
  }).join();
  CHECK(before >= 1);
  CHECK(before <= std::max(std::thread::hardware_concurrency(), 1u));
  CHECK(kept_to_one == 1);
}

TEST_CASE("wake plan: asleep until callbacks come, then one search, then awake shortly before each") {
  WakePlan plan;
  CHECK(plan.next(1000).look_until_ns == 0);
  CHECK(plan.next(1000).sleep_until_ns == 1000 + WakePlan::kIdleNs);
  plan.overslept();  // the first has come
  CHECK_FALSE(plan.knows());
  CHECK(plan.next(5000).sleep_until_ns == 5000);
  CHECK(plan.next(5000).look_until_ns > 5000);
  plan.saw(100'000, kPeriod);
  CHECK(plan.knows());
  const WakePlan::Next next = plan.next(200'000);
  CHECK(next.sleep_until_ns == 100'000 + kPeriod - plan.lead_ns());
  CHECK(next.look_until_ns == 100'000 + kPeriod + kPeriod / 2);
  CHECK(plan.lead_ns() == kPeriod / 8);
  // Never awake for more than its lead and half a period, however long a period is.
  for (const std::int64_t period : {std::int64_t{1}, kPeriod, std::int64_t{5'333'333}, std::int64_t{340'000'000}}) {
    plan.saw(0, period);
    CHECK(plan.lead_ns() >= WakePlan::kLeastLeadNs);
    CHECK(plan.lead_ns() <= WakePlan::kMostLeadNs);
    CHECK(plan.next(0).look_until_ns > plan.next(0).sleep_until_ns);
  }
}

TEST_CASE("wake plan: one miss is looked for again in its place, several put it to sleep, the next callback wakes it") {
  WakePlan plan;
  plan.saw(0, kPeriod);
  plan.missed();
  CHECK(plan.knows());
  CHECK(plan.next(0).sleep_until_ns == 2 * kPeriod - plan.lead_ns());
  plan.missed();
  CHECK_FALSE(plan.knows());
  CHECK(plan.next(7).look_until_ns == 7 + kPeriod * 3 / 2);
  for (std::uint32_t i = 2; i < WakePlan::kMostMisses; ++i) {
    CHECK(plan.next(7).look_until_ns != 0);
    plan.missed();
  }
  CHECK(plan.next(7).look_until_ns == 0);
  plan.overslept();
  CHECK(plan.next(7).look_until_ns != 0);
  plan.saw(9, kPeriod);
  CHECK(plan.knows());
}

TEST_CASE("workers beside callbacks that come without a rest: they help, and every sample is one thread's") {
  constexpr std::uint32_t kVoices = 24;
  const auto play = [](RenderWorkers* workers, std::uint32_t frames, const auto& enough) {
    Rig rig(2);
    const continuo::test::TaskPlan voices(rig, kVoices);
    if (workers != nullptr) rig.renderer.use_team(&workers->team());
    rig.send(voices.build(true), {});
    rig.set(3, rt::GainParam::gain_db, -20.0, 500, 2000);
    for (std::uint32_t done = 0; done < frames || !enough(); done += 64) {
      if (done > (64u << 20)) break;  // whoever never comes
      if (workers != nullptr) workers->begin(64);
      rig.run(64);
      if (workers != nullptr) workers->end();
      if (done + 64 > frames)
        for (auto& channel : rig.out) channel.resize(frames);
    }
    return rig.out;
  };
  const auto alone = play(nullptr, 12'800, [] { return true; });
  RenderWorkers workers(2, 0);
  workers.set_sample_rate(48000.0);
  CHECK(workers.warning().empty());  // nothing was asked for
  const auto together = play(&workers, 12'800, [&] { return workers.team().helped() > 0; });
  CHECK(workers.team().helped() > 0);
  CHECK(continuo::test::same_bits(together, alone));
}

namespace {

/// The engine's callback in small. Says when a worker has been awake for enough of them.
struct Voices final : AudioCallback {
  static constexpr std::uint64_t kEnough = 50;

  RenderWorkers workers{1, 0};
  Rig rig{0};
  const continuo::test::TaskPlan plan{rig, 24};
  std::atomic<bool> said{false};
  std::binary_semaphore enough{0};

  Voices() {
    workers.set_sample_rate(48000.0);
    rig.renderer.use_team(&workers.team());
    rig.send(plan.build(true), {});
  }
  void audio_callback(rt::InputBlock in, rt::OutputBlock out, std::uint32_t frames) noexcept RT_NONBLOCKING override {
    workers.begin(frames);
    rig.renderer.process(in, out, frames);
    workers.end();
    if (workers.seen() < kEnough || workers.team().helped() == 0 || said.exchange(true)) return;
    rt::exempt([&] { enough.release(); });  // a test's own signal
  }
};

}  // namespace

TEST_CASE("workers beside the clock device: awake before the callback, and the callback counts on") {
  Voices voices;
  auto device = make_clock_device({.sample_rate_hz = 48'000.0, .buffer_frames = 64, .priority = 0});
  REQUIRE(device);
  REQUIRE((*device)->start(voices));
  CHECK(voices.enough.try_acquire_for(std::chrono::seconds(30)));
  (*device)->stop();
  CHECK(voices.rig.counters().buffers >= Voices::kEnough);
}

TEST_CASE("workers without a device: born, bored and gone") {
  for (int i = 0; i < 20; ++i) {
    RenderWorkers workers(3, i % 2 == 0 ? 0 : 40);
    CHECK(workers.seen() == 0);
  }
}
