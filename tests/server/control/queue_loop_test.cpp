// A queue that goes round, over the API, in the sound of a stepped device.
#include <string>

#include "tests/server/control/queue_signals.hpp"

using namespace continuo;
using namespace continuo::control::test;

using Player = v1::GetStatusResponse::Player;

TEST_CASE("a queue goes round: bit for bit, with the right status, and loop may be switched under sound") {
  for (const bool fades : {false, true}) {
    CAPTURE(fades);
    Rig rig;
    const auto s = write_signal(rig, "s.wav", 5000, 0.5f), t = write_signal(rig, "t.wav", 7000, -0.25f);
    std::vector<float> expected = s;
    for (int round = 0; round < 9; ++round) {
      crossfade(expected, t, 0);
      crossfade(expected, s, fades ? 960 : 0);
    }
    const std::int64_t length = fades ? 11'040 : 12'000;
    rig.applied(kPlayer);
    rig.applied(ops(insert(item("s.wav", fades ? ",'crossfadeMs':20" : "") + "," + item("t.wav")) + "," + loop(true)));
    rig.hardware->run(4800);
    Heard heard(rig);
    const auto played = rig.applied(ops(kPlay)).engine_frame();
    for (int i = 0; i < 20; ++i) {
      rig.hardware->run(2100);
      const Player now = player(rig);
      const std::int64_t at = (now.engine_frame() - played) % length;
      CHECK(now.duration_frames() == length);
      CHECK(now.position_frame() == at);
      CHECK(now.item_index() == (at < 5000 ? 1u : 2u));
      CHECK(now.item_position_frame() == (at < 5000 ? at : at - 5000));
      CHECK(now.item_frames() == (at < 5000 ? 5000 : 7000));
      CHECK(now.state() == Player::STATE_PLAYING);
    }
    check_heard(heard, played, expected);
    CHECK(rig.status().counters().starved_frames() == 0);
  }
}

TEST_CASE("a loop is switched off and on under sound without a seam, and ends with the round that is heard") {
  Rig rig;
  std::vector<float> expected = write_signal(rig, "s.wav", 5000, 0.5f);
  const auto t = write_signal(rig, "t.wav", 60'000, -0.25f), s = expected;
  crossfade(expected, t, 0);
  crossfade(expected, s, 960);
  crossfade(expected, t, 0);
  const std::int64_t length = 64'040;
  rig.applied(kPlayer);
  rig.applied(ops(insert(item("s.wav", ",'crossfadeMs':20") + "," + item("t.wav")) + "," + loop(true)));
  rig.hardware->run(4800);
  Heard heard(rig);
  const auto played = rig.applied(ops(kPlay)).engine_frame();
  const auto run_to = [&](std::int64_t frame) {
    while (static_cast<std::int64_t>(rig.hardware->frames()) < played + frame) {
      rig.hardware->run(1000);
      rig.turns(5);
    }
  };
  run_to(10'000);
  rig.applied(ops(loop(false)));
  rig.applied(ops(loop(true)));
  run_to(length + 10'000);
  CHECK(player(rig).duration_frames() == length);
  rig.applied(ops(loop(false)));
  CHECK(player(rig).duration_frames() == 65'000);
  run_to(length + 65'000 + 1000);
  CHECK(player(rig).state() == Player::STATE_ENDED);
  CHECK(player(rig).position_frame() == 65'000);
  check_heard(heard, played, expected);
  CHECK(heard.at(played + length + 65'000) == 0.0f);
  CHECK(rig.status().counters().starved_frames() == 0);
}

TEST_CASE("next and previous go round where the queue does") {
  Rig rig;
  write_signal(rig, "s.wav", 50'000, 0.5f);
  rig.applied(kPlayer);
  rig.applied(ops(insert(item("s.wav") + "," + item("s.wav") + "," + item("s.wav")) + "," + loop(true) + "," + kPlay));
  const auto skipped = [&](int by) {
    rig.applied(ops(skip(by)));
    CHECK(player(rig).item_position_frame() < 20'000);
    return player(rig).item_index();
  };
  CHECK(skipped(-1) == 3);
  CHECK(skipped(1) == 1);
  CHECK(skipped(5) == 3);
  CHECK(skipped(-1000) == 2);
  rig.applied(ops(loop(false)));
  CHECK(skipped(2) == 0);
}
