// A team: whoever comes, and whenever, the samples are those of one thread.
#include "rt/team.hpp"

#include <doctest/doctest.h>
#include <immintrin.h>

#include <set>
#include <thread>

#include "rt/dsp/float_mode.hpp"
#include "tests/support/task_plan.hpp"
#include "tests/support/workers.hpp"

namespace {

using namespace continuo;
using test::Rig;
using test::TaskPlan;

constexpr std::uint32_t kVoices = 16;
constexpr std::uint32_t kFrames = 6000;

/// With a ramp, a command in the middle and another plan.
test::Channels sound(rt::Team* team, const std::vector<std::uint32_t>& buffers, bool cut = true) {
  Rig rig(2);
  const TaskPlan voices(rig, kVoices);
  rig.renderer.use_team(team);
  rig.send(voices.build(cut), {});
  rig.set(1, rt::GainParam::gain_db, -12.0, 100, 3000);
  rig.set(7, rt::GainParam::gain_db, 6.0, 1111);
  rig.send(voices.build(cut, 2), {}, 2345);
  rig.run(kFrames, buffers);
  CHECK(rig.counters().commands_orphaned == 0);
  return rig.out;
}

/// Notes who ran it, and in which mode.
class NotingKind final : public rt::NodeKind {
 public:
  constexpr NotingKind() : NodeKind("noting") {}
  void process(rt::Step& step, const rt::Slice& slice) const noexcept RT_NONBLOCKING override;
};
const NotingKind kNoting;
struct NotingNode final : rt::Node {
  explicit NotingNode(rt::Uid id) : Node(kNoting, id, 0) {}
  std::set<std::thread::id> threads;
  std::set<const float*> tiles;
  bool right_mode = true;
};
void NotingKind::process(rt::Step& step, const rt::Slice& slice) const noexcept RT_NONBLOCKING {
  for (const rt::Member& m : step.members) {
    auto& node = static_cast<NotingNode&>(*m.node);
    rt::exempt([&]() noexcept {
      node.threads.insert(std::this_thread::get_id());
      node.tiles.insert(slice.tile);
    });
    node.right_mode = node.right_mode && (_mm_getcsr() & ~0x3fu) == rt::dsp::FloatMode::kMode;
    for (std::uint32_t i = 0; i < slice.frames; ++i) m.to(0, slice)[i] = 1.0f;
  }
}

}  // namespace

TEST_CASE("a team gives the samples of one thread, with any number of workers, at any size of buffer") {
  const test::Channels alone = sound(nullptr, {64}, false);
  CHECK(alone[0][kFrames - 1] != 0.0f);
  CHECK(test::same_bits(sound(nullptr, {512}), alone));  // tasks, and no team
  for (const std::uint32_t count : {0u, 1u, 2u, 3u}) {
    test::Workers workers(count);
    for (const auto& buffers : test::buffer_patterns()) {
      if (buffers == std::vector<std::uint32_t>{1} && count > 1) continue;  // long, and nothing new
      CAPTURE(count);
      CHECK(test::same_bits(sound(&workers.team, buffers), alone));
    }
  }
}

TEST_CASE("a driver whose workers never come does it all; a plan without tasks is its own in any case") {
  test::Yielding pause;
  rt::Team team(3, pause);
  const test::Channels alone = sound(nullptr, {64}, false);
  CHECK(test::same_bits(sound(&team, {64}), alone));
  CHECK(test::same_bits(sound(&team, {256}, false), alone));
  CHECK(team.helped() == 0);
}

TEST_CASE("a worker that comes when nothing is open goes again, as often as it likes") {
  test::Yielding pause;
  rt::Team team(1, pause);
  CHECK_FALSE(team.help(0));
  (void)sound(&team, {64});
  for (int i = 0; i < 100; ++i) CHECK_FALSE(team.help(0));
  CHECK(team.helped() == 0);
}

TEST_CASE("each thread has a tile of its own and the floating-point mode, and gives the caller's mode back") {
  const unsigned before = _mm_getcsr();
  Rig rig(1);
  NotingNode* nodes[8];
  rt::Node& sum = rig.node(rt::mix_kind());
  rt::Node& output = rig.node(rt::device_output_kind());
  test::PlanBuilder b;
  std::vector<test::PlanBuilder::Channel> channels;
  for (std::uint32_t i = 0; i < 8; ++i) {
    nodes[i] = &rig.adopt(std::make_unique<NotingNode>(i + 1));
    channels.push_back(b.node(*nodes[i], {}, 1).front());
  }
  b.node(output, b.node(sum, channels, 1), 0);
  auto plan = b.build();
  for (std::uint32_t i = 0; i < 9; ++i) {
    plan->part_ends.push_back(i < 8 ? i + 1 : 10);
    plan->tasks.push_back({i, i + 1, 0, i < 8 ? 0u : 8u});
    if (i < 8) plan->tasks_before.push_back(i);
  }
  plan->root_tasks = 8;
  plan->marks = std::vector<rt::TaskMark>(9);
  test::Yielding pause;
  rt::Team team(1, pause);
  rig.renderer.use_team(&team);
  rig.send(std::move(plan), {});

  // Until the worker has run one of them at least.
  std::atomic<bool> over{false};
  unsigned worker_mode = 0, worker_before = 0;
  std::thread worker([&] {
    worker_before = _mm_getcsr();
    while (!over.load(std::memory_order_acquire))
      if (!team.help(0)) std::this_thread::yield();
    worker_mode = _mm_getcsr();
  });
  const auto tiles_seen = [&] {
    std::set<const float*> tiles;
    for (const NotingNode* node : nodes) tiles.insert(node->tiles.begin(), node->tiles.end());
    return tiles.size();
  };
  for (int i = 0; i < 1000000 && tiles_seen() < 2; ++i) {
    rig.run(64);
    rig.out[0].erase(rig.out[0].begin(), rig.out[0].end() - 64);
  }
  over.store(true, std::memory_order_release);
  worker.join();
  CHECK(team.helped() > 0);
  CHECK((worker_mode & ~0x3fu) == (worker_before & ~0x3fu));
  CHECK((_mm_getcsr() & ~0x3fu) == (before & ~0x3fu));
  std::set<std::thread::id> threads;
  std::set<const float*> tiles;
  for (const NotingNode* node : nodes) {
    CHECK(node->right_mode);
    threads.insert(node->threads.begin(), node->threads.end());
    tiles.insert(node->tiles.begin(), node->tiles.end());
  }
  CHECK(threads.size() == 2);
  CHECK(tiles.size() == 2);
  CHECK(rig.out[0].back() == 8.0f);
}
