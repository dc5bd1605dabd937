#include "rt/automation.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "rt/nodes/equalizer.hpp"
#include "rt/nodes/gain.hpp"
#include "tests/support/rig.hpp"

// Parameters that follow the timeline: every segment begins on its sample, whatever the buffers; nothing jumps under
// sound; and where there is no room the newcomer goes without.
namespace {

using namespace continuo;
using rt::AutomationLane;
using rt::FrameCount;
using rt::Segment;
using test::Rig;
using Kind = rt::Action::Kind;
using LanePtr = std::shared_ptr<const AutomationLane>;

LanePtr lane_of(std::vector<rt::AutomationPoint> points) {
  return std::make_shared<const AutomationLane>(AutomationLane{std::move(points)});
}

/// By hand, from the definition; libm, so within its last bits.
double reference(const AutomationLane& lane, FrameCount frame) {
  const auto& p = lane.points;
  if (frame < p.front().frame) return p.front().value;
  std::size_t i = 0;
  while (i + 1 < p.size() && p[i + 1].frame <= frame) ++i;
  if (i + 1 == p.size() || p[i].segment == Segment::hold) return p[i].value;
  const double x = static_cast<double>(frame - p[i].frame) / static_cast<double>(p[i + 1].frame - p[i].frame);
  if (p[i].segment == Segment::linear) return p[i].value + (p[i + 1].value - p[i].value) * x;
  return p[i].value * std::pow(p[i + 1].value / p[i].value, x);
}

/// Writes its parameter's value, sample by sample; counts how often it was told that something moves.
class Follower final : public rt::NodeKind {
 public:
  constexpr Follower() noexcept : NodeKind("follower") {}
  void begin_block(rt::Step& step, const rt::Slice& slice) const noexcept RT_NONBLOCKING override {
    step.moving = false;
    for (const rt::Member& m : step.members) {
      m.node->moving = m.node->params[0].moving(slice.block_frame());
      step.moving |= m.node->moving;
      ++step.notes[0];
    }
  }
  void process(rt::Step& step, const rt::Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const rt::Member& m : step.members)
      for (std::uint32_t i = 0; i < slice.frames; ++i)
        m.to(0, slice)[i] = static_cast<float>(m.node->params[0].at(slice.engine_frame + i));
  }
};
constinit const Follower kFollower;

struct Automated {
  std::uint32_t slot;
  LanePtr lane;
  std::uint32_t glide_frames = 0;
  FrameCount delay = 0;
  std::uint16_t param = 0;
};

void add_lanes(rt::RenderPlan& plan, const std::vector<Automated>& lanes) {
  for (const Automated& a : lanes)
    plan.lanes.push_back({&plan.nodes[a.slot], a.param, a.glide_frames, a.delay, a.lane, nullptr});
  std::sort(plan.lanes.begin(), plan.lanes.end(), [](const rt::PlanLane& a, const rt::PlanLane& b) {
    return a.entry->node != b.entry->node ? a.entry->node < b.entry->node : a.param < b.param;
  });
}

/// `count` followers, each on an output of its own.
struct FollowRig : Rig {
  explicit FollowRig(std::size_t count = 1) : Rig(count) {
    for (std::size_t i = 0; i < count; ++i) followers.push_back(&node(kFollower, {0.0}));
  }
  std::unique_ptr<rt::RenderPlan> plan(const std::vector<Automated>& lanes) {
    test::PlanBuilder b;
    std::vector<std::size_t> all;
    for (rt::Node* f : followers) all.push_back(b.node(*f, {}, 1)[0]);
    b.node(output, all, 0);
    auto built = b.build();
    add_lanes(*built, lanes);
    return built;
  }
  void begin(const std::vector<Automated>& lanes, FrameCount from = 0) {
    send(plan(lanes), {locate(from), act(Kind::transport_start)});
  }
  std::vector<rt::Node*> followers;
  rt::Node& output = node(rt::device_output_kind());
};

const LanePtr& mixed() {
  static const LanePtr kLane = lane_of({{10, 1.0, Segment::linear},
                                        {75, -3.0, Segment::hold},
                                        {100, 5.0, Segment::exponential},
                                        {101, 7.0, Segment::exponential},
                                        {613, 0.25, Segment::linear},
                                        {640, 0.25, Segment::linear},
                                        {700, 2.0, Segment::linear}});
  return kLane;
}

void check_follows(const std::vector<float>& out, const AutomationLane& lane, FrameCount from, std::size_t first = 0) {
  for (std::size_t i = first; i < out.size(); ++i) {
    CAPTURE(i);
    REQUIRE(out[i] == doctest::Approx(reference(lane, from + static_cast<FrameCount>(i))).epsilon(1e-6));
  }
}

}  // namespace

TEST_CASE("a lane is what its points say, at every frame") {
  for (FrameCount f = -100; f < 1000; ++f)
    REQUIRE(mixed()->at(f) == doctest::Approx(reference(*mixed(), f)).epsilon(1e-14));
  CHECK(mixed()->at(99) == -3.0);
  CHECK(mixed()->at(100) == 5.0);
  CHECK(mixed()->at(101) == 7.0);
  const auto twice = lane_of({{5, 1.0, Segment::linear}, {5, 2.0, Segment::linear}, {5, 3.0, Segment::linear}});
  CHECK(twice->at(4) == 1.0);
  CHECK(twice->at(5) == 3.0);
  // Longer than 32 bits of frames.
  const auto longest = lane_of({{0, 0.0, Segment::linear}, {FrameCount{1} << 40, 1.0, Segment::linear}});
  CHECK(longest->at(FrameCount{1} << 39) == 0.5);
}

TEST_CASE("every segment begins on its sample, with the same bits for all buffers") {
  test::Channels first;
  for (const auto& pattern : test::buffer_patterns()) {
    FollowRig rig;
    rig.begin({{0, mixed()}});
    rig.run(1000, pattern);
    check_follows(rig.out[0], *mixed(), 0);
    CHECK(rig.out[0][75] == -3.0f);
    CHECK(rig.out[0][99] == -3.0f);
    CHECK(rig.out[0][100] == 5.0f);
    if (first.empty()) first = rig.out;
    CHECK(test::same_bits(rig.out, first));
  }
}

TEST_CASE("a start anywhere is right from the first sample, and has the bits of the whole") {
  FollowRig whole;
  whole.begin({{0, mixed()}});
  whole.run(1000);
  for (const FrameCount from : {1, 9, 10, 11, 74, 75, 76, 100, 333, 640, 700, 900}) {
    CAPTURE(from);
    FollowRig rig;
    rig.begin({{0, mixed()}}, from);
    rig.run(static_cast<std::uint32_t>(1000 - from), {17});
    const test::Channels part = {{whole.out[0].begin() + from, whole.out[0].end()}};
    CHECK(test::same_bits(rig.out, part));
  }
}

TEST_CASE("inside a segment nothing is done, and what stands still is left alone") {
  FollowRig rig;
  const auto lane = lane_of({{0, 1.0, Segment::hold}, {640, 2.0, Segment::linear}});
  auto plan = rig.plan({{0, lane}});
  const rt::Step& step = plan->steps[0];
  rig.send(std::move(plan), {rig.act(Kind::transport_start)});
  rig.run(6400);
  CHECK(step.notes[0] <= 3);  // at 0 and at 640, and where begin_block() found out
}

TEST_CASE("while the timeline stands the value does, and at a start it goes on") {
  for (const auto& pattern : test::buffer_patterns()) {
    FollowRig rig;
    const auto lane = lane_of({{0, 0.0, Segment::linear}, {1000, 1000.0, Segment::linear}});
    rig.begin({{0, lane, 32}});
    rig.send(rig.act(Kind::transport_stop), 100);
    rig.send(rig.act(Kind::transport_start), 300);
    rig.run(600, pattern);
    for (std::size_t i = 0; i < 600; ++i) {
      CAPTURE(i);
      const double at = i < 100 ? static_cast<double>(i) : i < 300 ? 100.0 : static_cast<double>(i) - 200.0;
      REQUIRE(rig.out[0][i] == static_cast<float>(at));
    }
  }
}

TEST_CASE("a locate under sound glides to where the lane will be, then follows") {
  test::Channels first;
  for (const auto& pattern : test::buffer_patterns()) {
    FollowRig rig;
    const auto lane = lane_of({{0, 0.0, Segment::linear}, {10000, 10000.0, Segment::linear}});
    rig.begin({{0, lane, 100}});
    rig.send(std::unique_ptr<rt::RenderPlan>(), {rig.locate(5000)}, 200);
    rig.run(600, pattern);
    const std::vector<float>& out = rig.out[0];
    CHECK(out[200] == 200.0f);
    for (std::size_t i = 201; i < 300; ++i)
      REQUIRE(out[i] == doctest::Approx(200.0 + (5100.0 - 200.0) * static_cast<double>(i - 200) / 100.0));
    for (std::size_t i = 300; i < 600; ++i) REQUIRE(out[i] == static_cast<float>(5000 + i - 200));
    if (first.empty()) first = rig.out;
    CHECK(test::same_bits(rig.out, first));
  }
}

TEST_CASE("a locate while it stands glides and stays, and a start in the middle of a glide glides on") {
  FollowRig rig;
  const auto lane = lane_of({{0, 0.0, Segment::linear}, {10000, 10000.0, Segment::linear}});
  rig.send(rig.plan({{0, lane, 100}}), {});
  rig.send(rig.locate(1000), 64);
  rig.send(rig.locate(2000), 500);
  rig.send(rig.act(Kind::transport_start), 550);
  rig.run(1000, {31});
  const std::vector<float>& out = rig.out[0];
  CHECK(out[64] == 0.0f);
  CHECK(out[164] == 1000.0f);
  CHECK(out[499] == 1000.0f);
  CHECK(out[550] == doctest::Approx(1500.0));
  CHECK(out[600] == doctest::Approx(1500.0 + (2100.0 - 1500.0) / 2));
  for (std::size_t i = 650; i < 1000; ++i) REQUIRE(out[i] == static_cast<float>(2000 + i - 550));
  for (std::size_t i = 1; i < 1000; ++i) REQUIRE(std::abs(out[i] - out[i - 1]) <= 10.01f);
}

TEST_CASE("a plan with the same lane changes nothing, another lane is gone to, and without one the value stays") {
  FollowRig rig(2);
  const auto lane = lane_of({{0, 0.0, Segment::linear}, {1000, 1000.0, Segment::linear}});
  const auto other = lane_of({{0, 500.0, Segment::hold}});
  rig.begin({{0, lane, 10}, {1, lane, 10}});
  rig.run(100, {50});
  rig.send(rig.plan({{0, lane, 10}, {1, other, 10}}), {});
  rig.run(100, {50});
  rig.send(rig.plan({{1, other, 10}}), {Rig::value_of(Kind::set_param, 7.0, 50, {0, 1})});
  rig.run(100, {50});
  for (std::size_t i = 0; i < 200; ++i) REQUIRE(rig.out[0][i] == static_cast<float>(i));
  CHECK(rig.out[0][200] == 200.0f);
  CHECK(rig.out[0][250] == 7.0f);
  CHECK(rig.out[0][299] == 7.0f);
  CHECK(rig.out[1][100] == 100.0f);
  CHECK(rig.out[1][105] == doctest::Approx(300.0));
  CHECK(rig.out[1][110] == 500.0f);
  CHECK(rig.out[1][299] == 500.0f);
}

TEST_CASE("a node behind a latency follows that much later") {
  FollowRig rig(2);
  rig.begin({{0, mixed()}, {1, mixed(), 0, 37}});
  rig.run(1000, {64});
  for (std::size_t i = 37; i < 1000; ++i) REQUIRE(rig.out[1][i] == rig.out[0][i - 37]);
}

TEST_CASE("many lanes with boundaries of their own, some in common, do not disturb each other") {
  constexpr std::size_t kLanes = 40;
  std::vector<Automated> lanes;
  for (std::uint32_t n = 0; n < kLanes; ++n) {
    std::vector<rt::AutomationPoint> points;
    for (FrameCount f = n; f < 2000; f += 50 + 7 * (n % 9)) {
      const double value = 1.0 + static_cast<double>(test::probe(f, n));
      points.push_back({f, value + 0.01, f % 3 == 0 ? Segment::exponential : Segment::linear});
    }
    lanes.push_back({n, lane_of(points)});
  }
  test::Channels first;
  for (const auto& pattern : test::buffer_patterns()) {
    FollowRig rig(kLanes);
    rig.begin(lanes);
    rig.run(1900, pattern);
    if (first.empty()) {
      first = rig.out;
      for (std::size_t n = 0; n < kLanes; ++n) check_follows(rig.out[n], *lanes[n].lane, 0);
    }
    CHECK(test::same_bits(rig.out, first));
  }
}

TEST_CASE("beyond the pool's bound the newcomer stays where it is, is counted, and gets in when there is room") {
  constexpr std::size_t kLanes = rt::Renderer::kAutomationCapacity;
  FollowRig rig(8);
  const auto ramp = lane_of({{0, 0.0, Segment::linear}, {100000, 100000.0, Segment::linear}});
  // Lanes enough on parameters of one node, and one on another's, which comes later.
  rt::Node& wide = rig.node(kFollower, std::vector<double>(kLanes, 0.0));
  rig.followers[0] = &wide;
  std::vector<Automated> lanes;
  for (std::size_t p = 0; p < kLanes; ++p) lanes.push_back({0, ramp, 0, 0, static_cast<std::uint16_t>(p)});
  rig.begin(lanes);
  rig.run(100);
  CHECK(rig.counters().automation_refused == 0);
  lanes.push_back({5, ramp});
  rig.send(rig.plan(lanes), {});
  rig.run(100);
  CHECK(rig.counters().automation_refused == 1);
  CHECK(rig.out[5][199] == 0.0f);
  CHECK(rig.out[0][199] == 199.0f);
  CHECK(wide.params.back().at(200) == 200.0);
  lanes.erase(lanes.begin());
  rig.send(rig.plan(lanes), {});
  rig.run(100);
  CHECK(rig.counters().automation_refused == 1);
  CHECK(rig.out[5][299] == 299.0f);
}

TEST_CASE("a fader under a lane has the level of every sample, and an equaliser the same bits for all buffers") {
  test::Channels first;
  const auto fade = lane_of({{0, -60.0, Segment::linear}, {500, 0.0, Segment::hold}, {700, -6.0, Segment::linear}});
  const auto pitch = lane_of({{20, 200.0, Segment::exponential}, {800, 4000.0, Segment::linear}, {900, 1000.0}});
  for (const auto& pattern : test::buffer_patterns()) {
    Rig rig(2);
    rig.in.resize(1);
    for (int i = 0; i < 1500; ++i) rig.in[0].push_back(test::probe(i));
    test::PlanBuilder b;
    auto in = b.node(rig.node(rt::device_input_kind()), {}, 1);
    auto gain = b.node(rig.node(rt::gain_kind(), {0.0}), in, 1);
    const rt::EqBand band{.type = rt::dsp::BandType::peak, .sections = 1};
    auto& eq = rig.adopt(std::unique_ptr<rt::Node>(rt::make_eq(7, {&band, 1})));
    eq.params[rt::EqParam::freq_hz] = rt::Param(1000.0, rt::Curve::exponential);
    eq.params[rt::EqParam::gain_db] = rt::Param(12.0);
    eq.params[rt::EqParam::q] = rt::Param(1.0);
    eq.params[rt::EqParam::enabled] = rt::Param(1.0);
    const auto out = b.channels(1);
    b.batch({{&eq, in, out, rt::eq_sections({&band, 1})}});
    b.node(rig.node(rt::device_output_kind()), {gain[0], out[0]}, 0);
    auto plan = b.build();
    add_lanes(*plan, {{1, fade, 64, 0, rt::GainParam::gain_db}, {2, pitch, 64, 0, rt::EqParam::freq_hz}});
    rig.send(std::move(plan), {rig.act(Kind::transport_start)});
    rig.send(std::unique_ptr<rt::RenderPlan>(), {rig.locate(100)}, 1111);
    rig.run(1500, pattern);
    for (std::size_t i = 0; i < 1111; ++i) {
      const double gain_at = std::pow(10.0, reference(*fade, static_cast<FrameCount>(i)) / 20.0);
      REQUIRE(rig.out[0][i] == doctest::Approx(static_cast<double>(rig.in[0][i]) * gain_at).epsilon(1e-5));
    }
    if (first.empty()) first = rig.out;
    CHECK(test::same_bits(rig.out, first));
  }
}
