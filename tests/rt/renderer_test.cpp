#include "rt/renderer.hpp"

#include <doctest/doctest.h>
#include <immintrin.h>

#include <cmath>
#include <limits>

#include "rt/dsp/math.hpp"
#include "rt/nodes/gain.hpp"
#include "tests/support/poison.hpp"
#include "tests/support/rig.hpp"

// The renderer's own promises: when a command is applied, in which order, and what happens when there is no room.
namespace {

using namespace continuo;
using rt::Action;
using rt::Event;
using test::Rig;
using Kind = rt::Action::Kind;

/// Writes what the renderer told it: out 0 the engine frame, out 1 the timeline frame, out 2 the block's begin, out 3
/// param 0.
class Witness final : public rt::NodeKind {
 public:
  constexpr Witness() noexcept : NodeKind("witness") {}
  void process(rt::Step& step, const rt::Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const rt::Member& m : step.members)
      for (std::uint32_t i = 0; i < slice.frames; ++i) {
        m.to(0, slice)[i] = static_cast<float>(slice.engine_frame + i);
        m.to(1, slice)[i] = static_cast<float>(slice.timeline_frame + (slice.rolling ? i : 0));
        m.to(2, slice)[i] = static_cast<float>(slice.block_frame());
        m.to(3, slice)[i] = static_cast<float>(m.node->params[0].at(slice.engine_frame + i));
      }
  }
};
constinit const Witness kWitness;

struct WitnessRig : Rig {
  explicit WitnessRig(bool with_plan = true) : Rig(4), node_(node(kWitness, {0.0})) {
    if (with_plan) send(plan(), {});
  }
  std::unique_ptr<rt::RenderPlan> plan(std::uint64_t id = 1, std::uint32_t generation = 1) {
    test::PlanBuilder b(48000.0, id);
    auto c = b.node(node_, {}, 4);
    b.node(output_, c, 0);
    return b.build(generation);
  }
  rt::Node& node_;
  rt::Node& output_ = node(rt::device_output_kind());
  std::vector<float>& engine() { return out[0]; }
  std::vector<float>& timeline() { return out[1]; }
  std::vector<float>& block() { return out[2]; }
  std::vector<float>& value() { return out[3]; }
};

}  // namespace

TEST_CASE("without a plan there is silence and a count, and an empty buffer is nothing") {
  WitnessRig rig(false);
  rig.run(100, {50});
  CHECK(rig.engine() == std::vector<float>(100, 0.0f));
  CHECK(rig.counters().buffers_without_plan == 2);
  rig.renderer.process({}, {}, 0);
  CHECK(rig.counters().buffers == 2);
  CHECK(rig.clock().engine_frame == 100);
}

TEST_CASE("a command with a frame is applied at exactly that sample, whatever the buffers") {
  for (const auto& pattern : test::buffer_patterns()) {
    WitnessRig rig;
    for (const rt::FrameCount f : {1, 63, 64, 65, 100, 511, 512, 900}) rig.set(0, 0, static_cast<double>(f), f);
    rig.run(1500, pattern);
    for (int i = 0; i < 1500; ++i) {
      double expected = 0;
      for (const int f : {1, 63, 64, 65, 100, 511, 512, 900}) expected = i >= f ? f : expected;
      REQUIRE(rig.value()[static_cast<std::size_t>(i)] == expected);
      REQUIRE(rig.engine()[static_cast<std::size_t>(i)] == i);
    }
    const auto events = rig.events();
    REQUIRE(events.size() == 9);
    for (std::size_t i = 1; i < events.size(); ++i) {
      CHECK(events[i].kind == Event::Kind::applied);
      CHECK(events[i].sequence == i + 1);
    }
    CHECK(events[8].frame == 900);
    CHECK(rig.clock().applied == 9);
    CHECK(rig.counters().events_lost == 0);
  }
}

TEST_CASE("now and the past are the first frame of the next buffer, in the order sent") {
  WitnessRig rig;
  rig.run(100);
  rig.set(0, 0, 1.0);
  rig.set(0, 0, 2.0, 37);
  rig.set(0, 0, 3.0, 100);
  rig.set(0, 0, 4.0);
  rig.run(10);
  CHECK(rig.value()[99] == 0.0f);
  CHECK(rig.value()[100] == 4.0f);
  const auto events = rig.events();
  REQUIRE(events.size() == 5);
  for (std::size_t i = 1; i < 5; ++i) {
    CHECK(events[i].sequence == i + 1);
    CHECK(events[i].frame == 100);
  }
}

TEST_CASE("what is due together is applied in the order sent, also where it was sent in another order of frames") {
  WitnessRig rig;
  rig.set(0, 0, 5.0, 200);
  rig.set(0, 0, 1.0, 150);
  rig.set(0, 0, 6.0, 200);
  rig.set(0, 0, 2.0, 150);
  rig.run(150);
  rig.set(0, 0, 3.0);  // sent after those that fall due with it
  rig.run(100);
  CHECK(rig.value()[150] == 3.0f);
  CHECK(rig.value()[200] == 6.0f);
  std::vector<std::uint64_t> order;
  for (const Event& e : rig.events()) order.push_back(e.sequence);
  CHECK(order == std::vector<std::uint64_t>{1, 3, 5, 6, 2, 4});
}

TEST_CASE("a batch is one frame: the plan first, then every action, and the old plan comes home in it") {
  WitnessRig rig;
  rig.run(10);
  rig.send(rig.plan(2, 2),
           {Rig::value_of(Kind::set_param, 9.0, 0, {0, 2}), Rig::locate(1000), Rig::act(Kind::transport_start)},
           77);  // slot 0 is generation 2 from here
  rig.run(190, {17});
  const auto events = rig.events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].batch->plan == nullptr);
  REQUIRE(events[1].batch != nullptr);
  REQUIRE(events[1].batch->plan != nullptr);
  CHECK(events[1].batch->plan->id == 1);
  CHECK(events[1].frame == 77);
  CHECK(rig.value()[76] == 0.0f);
  CHECK(rig.value()[77] == 9.0f);
  CHECK(rig.timeline()[76] == 0.0f);
  CHECK(rig.timeline()[77] == 1000.0f);
  CHECK(rig.timeline()[199] == 1122.0f);
  CHECK(rig.counters().commands_orphaned == 0);
  CHECK(rig.clock().timeline_frame == 1123);
  CHECK(rig.clock().rolling == 1);
}

TEST_CASE("blocks begin at the grid, at applied commands, and at start, stop and locate, and buffers do not show") {
  WitnessRig reference;
  for (std::size_t p = 0; p < test::buffer_patterns().size(); ++p) {
    WitnessRig other;
    WitnessRig& rig = p == 0 ? reference : other;
    rig.set(0, 0, 1.0, 70);
    rig.send(Rig::locate(1000), 200);  // 1000 = 15 * 64 + 40
    rig.send(Rig::act(Kind::transport_start), 300);
    rig.send(Rig::act(Kind::transport_stop), 500);
    rig.run(700, test::buffer_patterns()[p]);
    if (p != 0) REQUIRE(test::same_bits(rig.out, reference.out));
  }
  std::vector<int> begins;
  for (const float b : reference.block())
    if (begins.empty() || begins.back() != static_cast<int>(b)) begins.push_back(static_cast<int>(b));
  // Standing: multiples of 64. Rolling from 300 on, at timeline 1000: the first grid point is 24 frames on, then
  // each 64.
  CHECK(begins == std::vector<int>{0, 64, 70, 128, 192, 200, 256, 300, 324, 388, 452, 500, 512, 576, 640});
}

TEST_CASE("a full schedule refuses the newcomer: its batch comes home unapplied, and now-commands still pass") {
  WitnessRig rig;
  rig.run(1);
  for (std::size_t i = 0; i < rt::Renderer::kScheduleCapacity; ++i) rig.set(0, 0, 1.0, 100000);
  const std::uint64_t refused_value = rig.set(0, 0, 2.0, 50000);
  const std::uint64_t refused_batch = rig.send(rig.plan(2), {Rig::act(Kind::transport_start)}, 60000);
  const std::uint64_t now = rig.set(0, 0, 3.0);
  rig.run(1);
  CHECK(rig.value()[1] == 3.0f);
  const auto events = rig.events();
  REQUIRE(events.size() == 4);
  CHECK(events[1].kind == Event::Kind::refused);
  CHECK(events[1].sequence == refused_value);
  CHECK(events[2].kind == Event::Kind::refused);
  CHECK(events[2].sequence == refused_batch);
  CHECK(events[2].batch->plan->id == 2);
  CHECK(events[3].kind == Event::Kind::applied);
  CHECK(events[3].sequence == now);
  CHECK(rig.counters().commands_refused == 2);
  rig.run(100000, {4000});
  CHECK(rig.events().size() == rt::Renderer::kScheduleCapacity);
  CHECK(rig.clock().rolling == 0);
  CHECK(rig.counters().events_lost == 0);
}

TEST_CASE("a command waits in the ring while its event would not fit: nothing is lost, nothing overtakes") {
  WitnessRig rig(true);
  rig.run(1);
  (void)rig.events();
  // The event ring holds 8192 and nobody reads it. 4000 scheduled ones reserve their places.
  for (int i = 0; i < 4000; ++i) rig.set(0, 0, 0.5, 90000);
  for (int i = 0; i < 4100; ++i) rig.set(0, 0, static_cast<double>(i));
  rig.run(1);
  for (int i = 4100; i < 4300; ++i) rig.set(0, 0, static_cast<double>(i));
  rig.run(1);
  CHECK(rig.value().back() == 4191.0f);  // 8192 - 4000 fit
  auto events = rig.events();
  CHECK(events.size() == 4192);
  rig.run(1);
  CHECK(rig.value().back() == 4299.0f);
  rig.run(90000, {5000});
  CHECK(rig.value().back() == 0.5f);
  for (const Event& e : rig.events()) events.push_back(e);
  CHECK(events.size() == 8300);
  std::uint64_t last_now = 4001;
  for (const Event& e : events)
    if (e.frame < 90000) REQUIRE(e.sequence == ++last_now);
  CHECK(rig.counters().events_lost == 0);
}

TEST_CASE(
    "a command for a node that is gone is an orphan, with an event and a count, and a batch with one is applied") {
  WitnessRig rig;
  rig.run(1);
  Action gone = Rig::value_of(Kind::set_param, 4.0, 0, {0, 7});
  rig.send(gone);
  gone.node = {99, 1};
  rig.send(gone);
  rig.set(0, 5, 1.0);                                       // no such parameter
  rig.set(0, 0, std::numeric_limits<double>::quiet_NaN());  // no such number
  rig.send(Rig::act(Kind::player_start, 0));                // means nothing to this kind
  rig.send(Rig::give(0, nullptr));                          // hands over outside a batch: nothing could come home
  rig.send(nullptr, {gone, Rig::value_of(Kind::set_param, 6.0, 0, {0, 1})});
  rig.run(1);
  const auto events = rig.events();
  REQUIRE(events.size() == 8);
  for (std::size_t i = 1; i < 7; ++i) CHECK(events[i].kind == Event::Kind::orphaned);
  CHECK(events[7].kind == Event::Kind::applied);
  CHECK(rig.counters().commands_orphaned == 7);
  CHECK(rig.value()[1] == 6.0f);
}

TEST_CASE("output level: exactly 1 changes no bit, exactly 0 is silence, a ramp is per sample and from its frame") {
  for (const auto& pattern : test::buffer_patterns()) {
    Rig rig(1);
    rig.in = {std::vector<float>(1000)};
    for (int i = 0; i < 1000; ++i) rig.in[0][static_cast<std::size_t>(i)] = test::probe(i);
    rig.in[0][3] = -0.0f;
    test::PlanBuilder b;
    b.node(rig.node(rt::device_output_kind()), b.node(rig.node(rt::device_input_kind()), {}, 1), 0);
    rig.send(b.build(), {});
    rig.send(Rig::value_of(Kind::output_level, 0.0, 100), 300);
    rig.send(Rig::value_of(Kind::output_level, 1.0), 700);
    rig.run(1000, pattern);
    for (std::size_t i = 0; i < 1000; ++i) {
      const float factor = i < 300 || i >= 700 ? 1.0f
                           : i >= 400          ? 0.0f
                                               : static_cast<float>(1.0 - static_cast<double>(i - 300) / 100.0);
      if (factor == 1.0f)
        REQUIRE(std::bit_cast<std::uint32_t>(rig.out[0][i]) == std::bit_cast<std::uint32_t>(rig.in[0][i]));
      else
        REQUIRE(rig.out[0][i] == rig.in[0][i] * factor);
    }
  }
}

TEST_CASE("what is no number leaves the device as silence, and is counted") {
  Rig rig(2);
  rig.in = {{1.0f, 0.0f, 0.0f, 0.5f}, {0.0f, 0.25f, std::numeric_limits<float>::max(), 0.0f}};
  test::PlanBuilder b;
  const auto in = b.node(rig.node(rt::device_input_kind()), {}, 2);
  rt::Node& left = rig.adopt(
      std::make_unique<test::PoisonNode>(1, std::vector<test::Poison>{{1, 2, test::kNan}, {2, 3, test::kInfinity}}));
  rt::Node& right =
      rig.adopt(std::make_unique<test::PoisonNode>(2, std::vector<test::Poison>{{0, 1, -test::kInfinity}}));
  b.node(rig.node(rt::device_output_kind()), {b.node(left, {in[0]}, 1)[0], b.node(right, {in[1]}, 1)[0]}, 0);
  rig.send(b.build(), {});
  rig.run(4, {3});
  CHECK(rig.out[0] == std::vector<float>{1.0f, 0.0f, 0.0f, 0.5f});
  CHECK(rig.out[1] == std::vector<float>{0.0f, 0.25f, std::numeric_limits<float>::max(), 0.0f});
  CHECK(rig.counters().non_finite_samples == 3);
}

TEST_CASE("subnormals are zero on the audio thread, and the caller's mode comes back") {
  const unsigned before = _mm_getcsr();
  for (const double db : {-6.0, 60.0}) {  // a result that is subnormal (FTZ), and an operand (DAZ)
    Rig rig(1);
    rig.in = {{db < 0 ? 1.2e-38f : 1e-39f, 1.0f}};
    test::PlanBuilder b;
    auto c = b.in_place(rig.node(rt::gain_kind(), {db}), b.node(rig.node(rt::device_input_kind()), {}, 1));
    b.node(rig.node(rt::device_output_kind()), c, 0);
    rig.send(b.build(), {});
    _mm_setcsr(0x1f80u | 0x6000u);  // a caller that rounds towards zero and keeps subnormals
    rig.run(2);
    const unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    CHECK((after & 0xffc0u) == (0x1f80u | 0x6000u));
    CHECK(std::bit_cast<std::uint32_t>(rig.out[0][0]) == 0u);
    CHECK(rig.out[0][1] == rt::dsp::db_to_gain(db));
  }
}

TEST_CASE("a step is worked out at a block's beginning, only when its plan is new or a member moves") {
  Rig rig(2);
  rig.in = {std::vector<float>(1000, 1.0f), std::vector<float>(1000, 1.0f)};
  test::PlanBuilder b;
  auto in = b.node(rig.node(rt::device_input_kind()), {}, 2);
  b.batch(
      {{&rig.node(rt::gain_kind(), {-6.0}), {in[0]}, {in[0]}}, {&rig.node(rt::gain_kind(), {0.0}), {in[1]}, {in[1]}}});
  auto faded = b.channels(2);
  b.batch({{&rig.node(rt::fader_kind(), {0.0, 0.0, 1.0, 0.0}), {in[0]}, {faded[0]}},
           {&rig.node(rt::fader_kind(), {0.0, 0.0, 1.0, 0.0}), {in[1]}, {faded[1]}}});
  b.node(rig.node(rt::device_output_kind()), faded, 0);
  auto plan = b.build();
  rt::RenderPlan* seen = plan.get();
  for (rt::Step& s : seen->steps) s.moving = false;
  rig.send(std::move(plan), {});
  rig.run(64);
  CHECK(rig.out[0][0] == rt::dsp::db_to_gain(-6.0));
  for (const rt::Step& s : seen->steps) CHECK_FALSE(s.moving);
  for (const std::size_t s : {1u, 2u}) {
    CHECK_FALSE(seen->steps[s].moving);
    rig.set(s == 1 ? 1 : 3, 0, -12.0, rt::kNow, 100);  // the first member moves, the last stands still
    rig.run(64);
    CHECK(seen->steps[s].moving);
    rig.run(64);
    CHECK(seen->steps[s].moving);
    rig.run(64);
    CHECK_FALSE(seen->steps[s].moving);
    CHECK(seen->steps[s].row(1)[0] == 0.0f);
  }
}

TEST_CASE("another rate between two devices begins a new block and reaches the kinds") {
  WitnessRig rig;
  rig.run(10);
  rig.renderer.set_sample_rate(96000.0);
  rig.run(10);
  CHECK(rig.block()[9] == 0.0f);
  CHECK(rig.block()[10] == 10.0f);
}

TEST_CASE("dismantled, a renderer gives back its plan and every batch that waits") {
  WitnessRig rig;
  rig.run(1);
  rig.send(rig.plan(2), {}, 5000);
  rig.set(0, 0, 1.0, 5000);
  rig.run(1);
  rig.send(rig.plan(3), {});
  rt::Renderer::Remains remains = rig.renderer.dismantle();
  REQUIRE(remains.batches.size() == 2);
  CHECK(remains.batches[0]->plan->id == 2);
  CHECK(remains.batches[1]->plan->id == 3);
  REQUIRE(remains.plan != nullptr);
  CHECK(remains.plan->id == 1);
  for (rt::Batch* batch : remains.batches) {
    delete batch->plan;
    delete batch;
  }
  delete remains.plan;
  CHECK(rig.renderer.dismantle().plan == nullptr);
}
