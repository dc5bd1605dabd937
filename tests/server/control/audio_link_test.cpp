#include "server/control/audio_link.hpp"

#include <vector>

#include "doctest/doctest.h"
#include "rt/nodes/gain.hpp"

using namespace continuo;
using continuo::control::AudioLink;
using Fate = AudioLink::Fate;

namespace {

rt::Action value(std::uint32_t slot, double to) {
  rt::Action action;
  action.node.slot = slot;
  action.value = to;
  return action;
}

rt::Action level(double to) {
  rt::Action action = value(0, to);
  action.kind = rt::Action::Kind::output_level;
  return action;
}

struct Sound {
  explicit Sound(AudioLink& audio_link) : link(audio_link) {}
  void step(std::uint32_t frames = 64) {
    std::vector<float> left(frames);
    float* channels[] = {left.data()};
    link.renderer().process({}, {channels, 1}, frames);
  }
  AudioLink& link;
};

AudioLink::Retire nothing() {
  return [](const auto&, const auto&) {};
}

}  // namespace

TEST_CASE("what does not fit into the ring waits in order; nothing is lost, each hears its frame once") {
  AudioLink link(48'000.0, nothing());
  Sound sound(link);
  std::vector<int> order;
  const int count = static_cast<int>(AudioLink::kRing) + 100;
  for (int i = 0; i < count; ++i) {
    link.send_value(level(0.5), [&order, i](Fate fate, rt::FrameCount) {
      CHECK(fate == Fate::applied);
      order.push_back(i);
    });
  }
  CHECK(link.waiting() == 100);
  for (int i = 0; i < 4 && link.outstanding(); ++i) {
    sound.step();
    link.poll();
  }
  CHECK_FALSE(link.outstanding());
  REQUIRE(order.size() == static_cast<std::size_t>(count));
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE(
    "while the audio thread stands still the newest value takes the place of the older one, which is never called "
    "applied") {
  AudioLink link(48'000.0, nothing());
  Sound sound(link);
  for (std::size_t i = 0; i < AudioLink::kRing; ++i) link.send_value(level(1.0));
  int superseded = 0;
  int orphaned = 0;
  for (int i = 0; i < 10'000; ++i) {
    link.send_value(value(static_cast<std::uint32_t>(i % 2), i), [&](Fate fate, rt::FrameCount) {
      superseded += fate == Fate::superseded;
      orphaned += fate == Fate::orphaned;
    });
  }
  CHECK(link.waiting() == 2);  // the bound: one a parameter
  CHECK(superseded == 9998);
  // A value that comes behind a batch does not overtake it.
  bool batch_home = false;
  link.send({}, [&](Fate, rt::FrameCount) { batch_home = true; });
  link.send_value(value(0, 7.0), [&](Fate fate, rt::FrameCount) {
    CHECK(batch_home);
    orphaned += fate == Fate::orphaned;
  });
  CHECK(link.waiting() == 4);
  for (int i = 0; i < 4; ++i) {
    sound.step();
    link.poll();
  }
  CHECK(orphaned == 3);  // there is no node: said so, not called applied
  CHECK(superseded == 9998);
  CHECK_FALSE(link.outstanding());
}

TEST_CASE("a value for another frame takes nobody's place, where the newest would take that of one for the same") {
  AudioLink link(48'000.0, nothing());
  Sound sound(link);
  for (std::size_t i = 0; i < AudioLink::kRing; ++i) link.send_value(level(1.0));
  int superseded = 0, home = 0;
  const auto then = [&](Fate fate, rt::FrameCount) { ++(fate == Fate::superseded ? superseded : home); };
  for (const rt::FrameCount frame : {100, 200, 200, 300}) link.send_value(value(0, 1.0), then, frame);
  CHECK(link.waiting() == 3);
  CHECK(superseded == 1);
  for (int i = 0; i < 8; ++i) {
    sound.step();
    link.poll();
  }
  CHECK(home == 3);
  CHECK_FALSE(link.outstanding());
}

TEST_CASE("batches in flight are bounded, come home whole, and are lost aloud at the end") {
  int retired = 0;
  int lost = 0;
  {
    AudioLink link(48'000.0, [&](const auto& actions, const auto&) { retired += static_cast<int>(actions.size()); });
    Sound sound(link);
    std::size_t sent = 0;
    for (; link.room(); ++sent) {
      AudioLink::Shipment shipment;
      shipment.actions = {level(0.1), level(0.2)};
      link.send(std::move(shipment));
    }
    CHECK(sent == AudioLink::kMaxBatches);
    sound.step();
    CHECK_FALSE(link.room());  // not home before they are looked for
    link.poll();
    CHECK(link.room());
    CHECK(retired == 2 * static_cast<int>(sent));
    AudioLink::Shipment later;
    later.actions = {level(0.3)};
    later.frame = 1'000'000;
    link.send(std::move(later), [&](Fate fate, rt::FrameCount) { lost += fate == Fate::lost; });
    sound.step();
    link.poll();
    CHECK(link.outstanding());
  }
  CHECK(retired == 2 * static_cast<int>(AudioLink::kMaxBatches) + 1);
  CHECK(lost == 1);
}

TEST_CASE("a plan that was replaced comes home and is destroyed; the one in use at the end, too") {
  AudioLink link(48'000.0, nothing());
  Sound sound(link);
  for (int i = 0; i < 3; ++i) {
    AudioLink::Shipment shipment;
    shipment.plan = std::make_unique<rt::RenderPlan>();
    shipment.plan->slab = rt::make_aligned_floats(1 << 16);
    shipment.plan->slab_floats = 1 << 16;
    link.send(std::move(shipment));
    sound.step();
    link.poll();
  }
  CHECK_FALSE(link.outstanding());
}

TEST_CASE(
    "nothing overtakes what waits for a later frame but values of other parameters; free ones may go either way") {
  AudioLink link(48'000.0, nothing());
  Sound sound(link);
  std::vector<std::pair<char, rt::FrameCount>> order;
  const auto told = [&](char name) {
    return [&order, name](Fate, rt::FrameCount frame) { order.emplace_back(name, frame); };
  };
  const auto values = [](std::vector<rt::Action> actions, rt::FrameCount frame, bool free = false) {
    AudioLink::Shipment shipment;
    shipment.actions = std::move(actions);
    shipment.frame = frame;
    shipment.free = free;
    return shipment;
  };
  CHECK(link.send(values({value(1, 1), value(2, 1)}, 100), told('a')) == 100);
  CHECK(link.send(values({value(3, 1)}, rt::kNow), told('b')) == rt::kNow);
  CHECK(link.send(values({value(2, 2), value(4, 1)}, rt::kNow), told('c')) == 100);
  CHECK(link.send(values({value(4, 2)}, 50), told('d')) == 100);  // behind c, which it would overtake
  CHECK(link.send(values({value(1, 3)}, rt::kNow, true), told('e')) == rt::kNow);
  CHECK(link.send(values({value(1, 3)}, 150), told('f')) == 150);
  link.send_value(value(5, 1), told('g'));
  link.send_value(value(1, 4), told('h'));
  CHECK(link.send(values({level(0.5)}, rt::kNow), told('i')) == 150);  // no value: behind everything
  for (int i = 0; i < 4; ++i) {
    sound.step();
    link.poll();
  }
  using Told = std::vector<std::pair<char, rt::FrameCount>>;
  CHECK(order ==
        Told{{'b', 0}, {'e', 0}, {'g', 0}, {'a', 100}, {'c', 100}, {'d', 100}, {'f', 150}, {'h', 150}, {'i', 150}});
  CHECK_FALSE(link.outstanding());
  CHECK(link.send(values({level(0.5)}, rt::kNow)) == rt::kNow);  // all of it is done
}

TEST_CASE("landing applies what waits at once, in order, and before what follows; without it nothing is sent") {
  AudioLink link(48'000.0, nothing());
  Sound sound(link);
  link.land();
  CHECK_FALSE(link.outstanding());
  std::vector<std::pair<int, rt::FrameCount>> order;
  const auto at = [&](rt::FrameCount frame, int name) {
    AudioLink::Shipment shipment;
    shipment.actions = {level(0.5)};
    shipment.frame = frame;
    link.send(std::move(shipment), [&order, name](Fate fate, rt::FrameCount applied) {
      CHECK(fate == Fate::applied);
      order.emplace_back(name, applied);
    });
  };
  at(100'000, 1);
  at(200'000, 2);
  sound.step();
  link.poll();
  CHECK(order.empty());
  at(300'000, 3);  // not yet with the audio thread's schedule
  link.land();
  at(rt::kNow, 4);
  sound.step();
  link.poll();
  using Told = std::vector<std::pair<int, rt::FrameCount>>;
  CHECK(order == Told{{1, 64}, {2, 64}, {3, 64}, {4, 64}});
  CHECK_FALSE(link.outstanding());
}

TEST_CASE("the audio thread's schedule is never filled: what would, waits here, and landing reaches it, too") {
  AudioLink link(48'000.0, nothing());
  Sound sound(link);
  std::size_t applied = 0;
  constexpr std::size_t kMore = 100;
  for (std::size_t i = 0; i < AudioLink::kMaxAhead + kMore; ++i) {
    link.send_value(
        level(0.5),
        [&](Fate fate, rt::FrameCount frame) {
          CHECK(fate == Fate::applied);
          CHECK(frame == 64);
          ++applied;
        },
        1'000'000);
  }
  sound.step();
  link.poll();
  CHECK(link.waiting() == kMore);
  CHECK(applied == 0);
  link.land();
  sound.step();
  link.poll();
  CHECK(applied == AudioLink::kMaxAhead + kMore);
  CHECK(link.renderer().counters().commands_refused.load() == 0);
}
