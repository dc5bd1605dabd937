// What a player publishes of itself: in every reading the item, its queue, the position and the lengths fit together.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <deque>

#include "rt/nodes/player.hpp"
#include "tests/support/play_tables.hpp"
#include "tests/support/streams.hpp"

namespace {

using namespace continuo;
using test::FakeReader;
using test::Rig;
using Kind = rt::Action::Kind;
using State = rt::PlayReading::State;

struct SlotRig : Rig {
  explicit SlotRig(bool free, rt::FrameCount start = 0)
      : Rig(1), player(adopt(std::make_unique<rt::PlayerNode>(1, free, start, 1), {0.0})) {
    test::PlanBuilder b;
    b.node(node(rt::device_output_kind()), b.node(player, {}, 1), 0);
    send(b.build(), {});
  }
  rt::PlayReading reading() const {
    rt::PlayReading r;
    REQUIRE(player.slot->try_read(r));
    return r;
  }
  rt::PlayerNode& player;
};

/// A stream of a queue, ready to be lent.
struct Stream {
  explicit Stream(std::unique_ptr<rt::PlayTable> of, rt::FrameCount first = 0)
      : table(std::move(of)), disk(1, 1 << 16, first, table->goes_round() ? rt::kEndless : table->end) {
    disk.source.table = table.get();
    disk.source.told = true;
    disk.fill();
  }
  std::unique_ptr<rt::PlayTable> table;
  FakeReader disk;
};

}  // namespace

TEST_CASE("a player whose source nobody asks about publishes nothing, and one that is asked about all of it") {
  SlotRig rig(true);
  FakeReader quiet(1, 4096);
  quiet.fill();
  rig.send(nullptr, {Rig::give(0, &quiet.source), Rig::act(Kind::player_start)});
  rig.run(640);
  CHECK(rig.reading().state == State::none);

  Stream queue(test::make_table(3, {{100, 0}, {50, 20}, {30, 0}}), 90);
  rig.send(nullptr, {Rig::give(0, &queue.disk.source)});
  rig.run(7, {7});
  CHECK(rig.reading() == rt::PlayReading{.engine_frame = 647,
                                         .position = 97,
                                         .length = 160,
                                         .item = test::uid_of(3, 2),
                                         .item_position = 17,
                                         .item_frames = 50,
                                         .revision = 3,
                                         .number = 2,
                                         .count = 3,
                                         .state = State::playing});
  rig.send(Rig::act(Kind::player_stop), rig.clock().engine_frame + 3);
  rig.run(100, {100});
  auto now = rig.reading();
  CHECK(now.engine_frame == 747);
  CHECK(now.position == 100);
  CHECK(now.state == State::stopped);
  rig.send(Rig::act(Kind::player_start));
  rig.run(200, {64});
  now = rig.reading();
  CHECK(now.state == State::ended);
  CHECK(now.position == 160);
  CHECK(now.item == 0);
  CHECK(now.number == 0);
  CHECK(now.revision == 3);
}

TEST_CASE("what was applied is published before its event, also where no frame follows") {
  SlotRig rig(true);
  Stream queue(test::make_table(1, {{100, 0}, {50, 0}}), 120);
  rig.send(nullptr, {Rig::give(0, &queue.disk.source), Rig::act(Kind::player_start)});
  rig.run(1, {1});
  rig.send(Rig::act(Kind::player_stop));
  rig.run(1, {1});
  CHECK(rig.reading().state == State::stopped);
  CHECK(rig.reading().position == 121);
}

TEST_CASE("a player that follows the timeline: before its beginning, in it, behind it, and while it is located") {
  SlotRig rig(false, 1000);
  Stream queue(test::make_table(1, {{300, 0}, {200, 0}}));
  rig.send(nullptr, {Rig::give(0, &queue.disk.source), Rig::act(Kind::transport_start)});
  rig.run(500, {100});
  CHECK(rig.reading().state == State::waiting);
  CHECK(rig.reading().position == 0);
  CHECK(rig.reading().item == test::uid_of(1, 1));
  rig.run(850, {100});
  CHECK(rig.reading().state == State::playing);
  CHECK(rig.reading().number == 2);
  CHECK(rig.reading().item_position == 50);
  rig.run(200, {100});
  CHECK(rig.reading().state == State::ended);
  rig.send(nullptr, {Rig::locate(1100)});
  rig.run(64, {64});
  CHECK(rig.reading().position == 164);
  rig.send(Rig::act(Kind::transport_stop));
  rig.run(64, {64});
  CHECK(rig.reading().state == State::stopped);
}

TEST_CASE(
    "any exchanges, joins, starts and stops at any frames: every reading fits, and the last one is what was asked") {
  CHECK(rc::check([] {
    SlotRig rig(true);
    std::deque<Stream> streams;
    std::uint64_t revision = 0;
    rt::FrameCount position = 0;
    rt::FrameCount taken = 0;  // of the stream: a start goes on with what its ring brings next
    bool rolls = false;
    for (int step = *rc::gen::inRange(1, 40); step > 0; --step) {
      switch (streams.empty() ? 0 : *rc::gen::inRange(0, 5)) {
        case 0:
        case 1: {
          auto table = test::random_table(++revision);
          const bool joins = !streams.empty() && *rc::gen::arbitrary<bool>();
          const rt::FrameCount shift = joins ? *rc::gen::inRange<rt::FrameCount>(-position, 500) : 0;
          const rt::FrameCount first =
              joins ? position + shift
                    : *rc::gen::inRange<rt::FrameCount>(0, std::min<rt::FrameCount>(table->end, 5000));
          Stream& next = streams.emplace_back(std::move(table), first);
          next.disk.source.joins = {joins, shift, *rc::gen::inRange<rt::FrameCount>(0, 5000)};
          rt::Action give = Rig::give(0, &next.disk.source);
          give.ramp_frames = *rc::gen::element(0u, 512u);
          rig.send(nullptr, {give});
          position = taken = first;
          break;
        }
        case 2:
          rig.send(Rig::act(Kind::player_start));
          position = taken;
          rolls = true;
          break;
        case 3:
          rig.send(Rig::act(Kind::player_stop));
          rolls = false;
          break;
        default:
          break;
      }
      const auto frames = *rc::gen::inRange<std::uint32_t>(1, 700);
      rig.run(frames, {*rc::gen::inRange<std::uint32_t>(1, 200)});
      for (const rt::Event& e : rig.events()) RC_ASSERT(e.kind == rt::Event::Kind::applied);
      const rt::PlayTable& table = *streams.back().table;
      if (rolls) position += frames;
      if (rolls) taken = std::max(taken, table.goes_round() ? position : std::min(position, table.end));
      const rt::PlayReading r = rig.reading();
      RC_ASSERT(test::fits(r, table));
      RC_ASSERT(r.engine_frame == rig.clock().engine_frame);
      RC_ASSERT((r.state == State::stopped) == !rolls);
      const rt::PlayTable::Place place = table.find(position);
      RC_ASSERT(r.item == (place.row == nullptr ? 0 : place.row->uid));
      if (place.row != nullptr) RC_ASSERT(r.item_position == position - place.begin);
    }
  }));
}
