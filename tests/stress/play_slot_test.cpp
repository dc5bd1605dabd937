#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <random>
#include <thread>

#include "rt/nodes/player.hpp"
#include "tests/support/play_tables.hpp"
#include "tests/support/streams.hpp"

// A hundred readers of one player, while it is started, stopped, sent elsewhere and given other queues.
namespace {

using namespace continuo;
using test::FakeReader;
using test::Rig;
using Kind = rt::Action::Kind;

constexpr std::uint64_t kQueues = 150;
constexpr int kReaders = 100;
constexpr int kLooks = 20;  // of each reader, after each command

struct Queue {
  std::unique_ptr<rt::PlayTable> table;
  std::unique_ptr<FakeReader> disk;
};

}  // namespace

TEST_CASE("a hundred readers of a player: position, item and queue fit in every reading, and the last skip holds") {
  // All of them beforehand: a reader may look at the queue that a reading names.
  std::vector<Queue> queues(kQueues + 1);
  std::minstd_rand random(5);
  for (std::uint64_t revision = 1; revision <= kQueues; ++revision) {
    Queue& queue = queues[revision];
    queue.table = test::random_table(revision);
    const rt::FrameCount first = static_cast<rt::FrameCount>(random()) % queue.table->end;
    queue.disk =
        std::make_unique<FakeReader>(1, 1 << 11, first, queue.table->goes_round() ? rt::kEndless : queue.table->end);
    queue.disk->source.table = queue.table.get();
    queue.disk->source.told = true;
    queue.disk->source.joins = {revision % 3 == 0, static_cast<rt::FrameCount>(random() % 100), 1 << 20};
    queue.disk->fill();
  }
  Rig rig(1);
  auto& player = rig.adopt(std::make_unique<rt::PlayerNode>(1, true, 0, 1), {0.0});
  test::PlanBuilder b;
  b.node(rig.node(rt::device_output_kind()), b.node(player, {}, 1), 0);
  rig.send(b.build(), {});

  std::atomic<std::uint64_t> round{0};  // 0: none yet; the last is kOver
  constexpr std::uint64_t kOver = UINT64_MAX;
  std::atomic<std::uint64_t> readings{0}, misfits{0};
  const auto read = [&] {
    const std::shared_ptr<const rt::PlaySlot> slot = player.slot;
    rt::PlayReading before;
    for (std::uint64_t seen = 0; seen != kOver; seen = round.load(std::memory_order_acquire)) {
      for (int i = 0; i < kLooks; ++i) {
        rt::PlayReading r;
        if (!slot->try_read(r) || r.state == rt::PlayReading::State::none) continue;
        readings.fetch_add(1, std::memory_order_relaxed);
        const bool fits = r.revision >= 1 && r.revision <= kQueues && test::fits(r, *queues[r.revision].table);
        if (!fits || r.revision < before.revision || r.engine_frame < before.engine_frame)
          misfits.fetch_add(1, std::memory_order_relaxed);
        before = r;
      }
      round.wait(seen, std::memory_order_acquire);
    }
  };
  std::atomic<bool> stop{false};
  std::thread audio([&] {
    std::vector<float> left(512);
    float* out[1] = {left.data()};
    for (std::uint32_t n = 1; !stop.load(std::memory_order_acquire); n = n * 5 % 509 + 1)
      rig.renderer.process({}, {out, 1}, n);
  });
  std::vector<std::thread> readers;
  for (int i = 0; i < kReaders; ++i) readers.emplace_back(read);

  std::uint64_t applied = 0;
  const auto settle = [&](std::uint64_t most_under_way) {
    while (rig.sequence - applied > most_under_way) {
      for (const rt::Event& e : rig.events()) {
        REQUIRE(e.kind == rt::Event::Kind::applied);
        REQUIRE(e.sequence == ++applied);
      }
      std::this_thread::yield();
    }
  };
  for (std::uint64_t revision = 1; revision <= kQueues; ++revision) {
    rt::Action give = Rig::give(0, &queues[revision].disk->source);
    give.ramp_frames = 512;
    std::vector<rt::Action> actions{give};
    if (random() % 2 == 0) actions.push_back(Rig::act(random() % 4 == 0 ? Kind::player_stop : Kind::player_start));
    rig.send(nullptr, std::move(actions));
    if (random() % 4 == 0) rig.send(Rig::act(random() % 2 == 0 ? Kind::player_stop : Kind::player_start));
    round.store(revision, std::memory_order_release);
    round.notify_all();
    settle(random() % 8);
  }
  // Play and stop in any order, all under way at once: the last one holds.
  for (int i = 0; i < 20; ++i) rig.send(Rig::act(i % 2 == 0 ? Kind::player_start : Kind::player_stop));
  settle(0);
  rt::PlayReading last;
  while (!player.slot->try_read(last)) std::this_thread::yield();
  CHECK(last.revision == kQueues);
  CHECK(last.state == rt::PlayReading::State::stopped);
  round.store(kOver, std::memory_order_release);
  round.notify_all();
  for (std::thread& reader : readers) reader.join();
  stop.store(true, std::memory_order_release);
  audio.join();
  CHECK(misfits == 0);
  CHECK(readings > kReaders);
  rt::PlayReading after;
  REQUIRE(player.slot->try_read(after));
  CHECK(after.position == last.position);
}
