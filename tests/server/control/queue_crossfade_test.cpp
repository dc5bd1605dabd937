// Crossfades of a queue over the API, in the sound of a stepped device.
#include <string>

#include "tests/server/control/queue_signals.hpp"

using namespace continuo;
using namespace continuo::control::test;

using Player = v1::GetStatusResponse::Player;

TEST_CASE("a crossfade is heard as it is written down, and the one that comes in is the item from its first frame on") {
  Rig rig;
  std::vector<float> expected = write_signal(rig, "s.wav", 20'000, 0.5f);
  crossfade(expected, write_signal(rig, "t.wav", 30'000, -0.25f), 4800);
  rig.applied(kPlayer);
  rig.applied(ops(insert(item("s.wav") + "," + item("t.wav", ",'crossfadeMs':100"))));
  rig.hardware->run(4800);
  Heard heard(rig);
  const auto played = rig.applied(ops(kPlay)).engine_frame();
  rig.hardware->run(static_cast<std::uint32_t>(played + 16'000 - static_cast<std::int64_t>(rig.hardware->frames())));
  auto now = player(rig);
  CHECK(now.item_index() == 2);
  CHECK(now.item_position_frame() == now.engine_frame() - played - 15'200);
  CHECK(now.item_frames() == 30'000);
  CHECK(now.duration_frames() == 45'200);
  CHECK(now.state() == Player::STATE_PLAYING);
  rig.hardware->run(40'000);
  check_heard(heard, played, expected);
  CHECK(player(rig).state() == Player::STATE_ENDED);
}

TEST_CASE("edits while two items sound: the crossfade is ended as it was begun, whatever becomes of what goes out") {
  Rig rig;
  std::vector<float> expected = write_signal(rig, "s.wav", 100'000, 0.5f);
  crossfade(expected, write_signal(rig, "t.wav", 200'000, -0.25f), 96'000);
  write_signal(rig, "u.wav", 50'000, 0.125f);
  rig.applied(kPlayer);
  rig.applied(ops(insert(item("s.wav") + "," + item("t.wav", ",'crossfadeMs':2000"))));
  rig.hardware->run(4800);
  Heard heard(rig);
  const auto played = rig.applied(ops(kPlay)).engine_frame();
  rig.hardware->run(8000);
  const std::string first = "{'uid':'" + std::to_string(uid_of(rig, 0)) + "'}";
  const std::uint64_t current = uid_of(rig, 1);
  for (const std::string& edit : {insert(item("u.wav"), ",'before':{'current':true}"), insert(item("u.wav")),
                                  "{'queueRemove':{'path':'a/p','items':[" + first + "]}}", loop(true),
                                  insert(item("u.wav", ",'crossfadeMs':5000"), ",'after':{'current':true}"),
                                  insert(item("u.wav"), ",'before':{'current':true}"), loop(false)}) {
    CAPTURE(edit);
    rig.applied(ops(edit));
    rig.hardware->run(2000);
    const Player now = player(rig);
    CHECK(now.item_uid() == current);
    CHECK(now.item_position_frame() == now.engine_frame() - played - 4000);
  }
  REQUIRE(static_cast<std::int64_t>(rig.hardware->frames()) < played + 100'000);  // else it was not while two sounded
  rig.hardware->run(40'000);
  check_heard(heard, played, expected);
  CHECK(rig.status().counters().starved_frames() == 0);
}

TEST_CASE("an item that is skipped to begins in full, whatever its crossfade, and what follows it crossfades again") {
  Rig rig;
  write_signal(rig, "s.wav", 100'000, 0.5f);
  std::vector<float> expected = write_signal(rig, "t.wav", 20'000, -0.25f);
  crossfade(expected, write_signal(rig, "u.wav", 20'000, 0.125f), 9600);
  rig.applied(kPlayer);
  rig.applied(ops(
      insert(item("s.wav") + "," + item("t.wav", ",'crossfadeMs':200") + "," + item("u.wav", ",'crossfadeMs':200")) +
      "," + kPlay));
  rig.hardware->run(4800);
  Heard heard(rig);
  const auto skipped = rig.applied(ops(skip(1))).engine_frame();
  CHECK(player(rig).item_index() == 2);
  rig.hardware->run(25'000);
  check_heard(heard, skipped, expected, 512);
  // An edit under it leaves it as it is.
  Heard again(rig);
  const auto back = rig.applied(ops(skip(-1))).engine_frame();
  rig.hardware->run(1000);
  rig.applied(ops(insert(item("s.wav"), ",'before':{'current':true}")));
  rig.hardware->run(10'000);
  check_heard(again, back, expected, 512);
}

TEST_CASE("an item of another rate that plays is not touched by edits of what comes behind it") {
  Rig rig;
  std::vector<float> samples = ramp_signal(2, 150'000);
  rig.write_wav("r.wav", 2, 44'100, samples);
  write_signal(rig, "s.wav", 50'000, 0.25f);
  rig.applied(kPlayer);
  const auto heard_of = [&](bool edited) {
    rig.applied(ops(insert(part("r.wav", 0, 70'000) + "," + part("r.wav", 70'000, 150'000))));
    rig.hardware->run(4800);
    Heard heard(rig);
    const auto played = rig.applied(ops(kPlay)).engine_frame();
    for (const std::string& edit :
         {insert(item("s.wav")), insert(item("s.wav", ",'crossfadeMs':30")), loop(true), loop(false)}) {
      if (edited) rig.applied(ops(edit));
      rig.hardware->run(3000);
    }
    rig.hardware->run(static_cast<std::uint32_t>(played + 60'000 - static_cast<std::int64_t>(rig.hardware->frames())));
    std::vector<float> all;
    for (std::int64_t i = 0; i < 60'000; ++i) all.push_back(heard.at(played + i));
    rig.applied(ops("{'stop':{'players':['a/p']}},{'queueRemove':{'path':'a/p','all':true}}"));
    rig.hardware->run(4800);
    return all;
  };
  const auto plain = heard_of(false);
  const auto edited = heard_of(true);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    CAPTURE(i);
    REQUIRE(edited[i] == plain[i]);
  }
  CHECK(rig.status().counters().starved_frames() == 0);
}

TEST_CASE("an item without an end: what follows is reached by a skip") {
  Rig rig;
  write_signal(rig, "s.wav", 3000, 0.5f);
  const auto t = write_signal(rig, "t.wav", 20'000, -0.25f);
  rig.applied(kPlayer);
  rig.applied(ops(insert(item("s.wav", ",'loops':0") + "," + item("t.wav")) + "," + kPlay));
  rig.hardware->run(20'000);
  CHECK(player(rig).item_index() == 1);
  CHECK_FALSE(player(rig).has_item_frames());
  CHECK_FALSE(player(rig).has_duration_frames());
  Heard heard(rig);
  const auto skipped = rig.applied(ops(skip(1))).engine_frame();
  CHECK(player(rig).item_index() == 2);
  CHECK(player(rig).item_frames() == 20'000);
  rig.hardware->run(22'000);
  check_heard(heard, skipped, t, 512);
  CHECK(player(rig).state() == Player::STATE_ENDED);
  rig.applied(ops(skip(-2)));
  CHECK(player(rig).item_index() == 1);
}

TEST_CASE("a queue that was emptied and filled again goes on counting its revisions") {
  Rig rig;
  write_signal(rig, "s.wav", 3000, 0.5f);
  rig.applied(kPlayer);
  rig.applied(ops(insert(item("s.wav"))));
  rig.applied(ops(insert(item("s.wav"))));
  CHECK(player(rig).queue_revision() == 2);
  rig.applied(ops("{'queueRemove':{'path':'a/p','all':true}}"));
  rig.applied(ops(insert(item("s.wav"))));
  CHECK(player(rig).queue_revision() > 2);
}
