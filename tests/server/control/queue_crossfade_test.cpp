// Crossfades and whole rounds of a queue over the API, in the sound of a stepped device; and what a hundred readers are
// told while all of it goes on.
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "tests/server/control/queue_rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

namespace {

using Player = v1::GetStatusResponse::Player;

/// Its first channel. No two of them share a sample.
std::vector<float> write_signal(Rig& rig, const std::string& name, std::size_t frames, float scale) {
  std::vector<float> samples = ramp_signal(2, frames);
  for (float& sample : samples) sample *= scale;
  rig.write_wav(name, 2, 48'000, samples);
  std::vector<float> first;
  for (std::size_t i = 0; i < frames; ++i) first.push_back(samples[2 * i]);
  return first;
}

/// Onto the end of `to`, by hand.
void crossfade(std::vector<float>& to, const std::vector<float>& next, std::size_t overlap) {
  const std::size_t join = to.size() - overlap;
  for (std::size_t i = 0; i < overlap; ++i)
    to[join + i] = static_cast<float>(
        static_cast<double>(to[join + i]) * (static_cast<double>(overlap - i) / static_cast<double>(overlap)) +
        static_cast<double>(next[i]) * (static_cast<double>(i) / static_cast<double>(overlap)));
  to.insert(to.end(), next.begin() + static_cast<std::ptrdiff_t>(overlap), next.end());
}

/// From the frame on at which it was played.
void check_heard(const Heard& heard, std::int64_t played, const std::vector<float>& expected, std::size_t from = 0,
                 std::size_t until = SIZE_MAX) {
  const auto known = heard.rig.hardware->recording(0).size() + static_cast<std::size_t>(heard.from - played);
  for (std::size_t i = from; i < std::min({known, until, expected.size()}); ++i) {
    CAPTURE(i);
    REQUIRE(heard.at(played + static_cast<std::int64_t>(i)) == expected[i]);
  }
}

std::string loop(bool on) {
  return "{'setParams':{'path':'a/p','values':{'loop':" + std::string(on ? "true" : "false") + "}}}";
}
std::string skip(int by) { return "{'skip':{'path':'a/p','by':" + std::to_string(by) + "}}"; }
std::string ops(const std::string& operations) { return "{'operations':[" + operations + "]}"; }

}  // namespace

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

TEST_CASE("plays and stops that race: the one that was taken last holds") {
  Rig rig;
  write_signal(rig, "s.wav", 200'000, 0.5f);
  rig.applied(kPlayer);
  rig.applied(ops(insert(item("s.wav")) + "," + loop(true)));
  CHECK(rc::check([&] {
    const auto plays = *rc::gen::nonEmpty<std::vector<bool>>();
    std::vector<std::int64_t> frames;
    for (const bool play : plays) {
      rig.engine->apply(Rig::request(ops(play ? kPlay : "{'stop':{'players':['a/p']}}")), [&](const auto& answer) {
        RC_ASSERT(static_cast<bool>(answer));
        frames.push_back(answer->engine_frame());
      });
      if (*rc::gen::inRange(0, 3) == 0) rig.hardware->run(*rc::gen::inRange<std::uint32_t>(1, 500));
    }
    RC_ASSERT(rig.until([&] { return frames.size() == plays.size(); }));
    RC_ASSERT(std::ranges::is_sorted(frames));
    RC_ASSERT(player(rig).rolling() == plays.back());
  }));
}

TEST_CASE("a hundred readers, while others seek, skip, edit the queue and change items, in any order") {
  Rig rig;
  write_signal(rig, "s.wav", 9000, 0.5f);
  write_signal(rig, "t.wav", 3000, -0.25f);
  rig.applied(kPlayer);
  rig.applied(ops(insert(item("s.wav") + "," + item("t.wav")) + "," + kPlay));
  std::map<std::uint64_t, std::vector<std::uint64_t>> queues;  // uids, by revision
  std::vector<Player> readings;
  std::size_t known = 0, unknown = 0;
  CHECK(rc::check([&] {
    std::size_t asked = 0, answered = 0;
    readings.clear();
    const auto look = [&] {
      rig.engine->list_params("a/p", [&](const Result<v1::ListParamsResponse>& params) {
        RC_ASSERT(static_cast<bool>(params));
        std::vector<std::uint64_t> uids;
        for (const v1::QueueItem& each : params->queue()) uids.push_back(each.uid());
        if (params->queue_revision() == 0) return;
        RC_ASSERT(queues.try_emplace(params->queue_revision(), uids).first->second == uids);  // a revision is one queue
      });
    };
    const auto read = [&](int count) {
      for (int i = 0; i < count; ++i)
        rig.engine->status([&](const Result<v1::GetStatusResponse>& status) {
          RC_ASSERT(static_cast<bool>(status));
          readings.push_back(status->players(0));
        });
    };
    const auto apply = [&](const std::string& operation) {
      ++asked;
      look();
      rig.engine->apply(Rig::request(ops(operation)), [&](const auto&) {
        ++answered;
        look();
      });
    };
    for (int step = *rc::gen::inRange(1, 12); step > 0; --step) {
      const std::string file = *rc::gen::element<std::string>("s.wav", "t.wav");
      const std::string more = *rc::gen::element<std::string>("", ",'crossfadeMs':30", ",'outFrame':'700'");
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
          apply(insert(item(file, more), *rc::gen::element<std::string>("", ",'before':{'current':true}")));
          break;
        case 1:
          apply("{'queueRemove':{'path':'a/p','items':[{'current':true}]}}");
          break;
        case 2:
          apply("{'queueMove':{'path':'a/p','item':{'current':true}}}");
          break;
        case 3:
          apply("{'queueSet':{'path':'a/p','item':{'current':true},'values':{'file':'media:" + file + "'" + more +
                "}}}");
          break;
        case 4:
          apply(loop(*rc::gen::arbitrary<bool>()));
          break;
        case 5:
          apply("{'stop':{'players':['a/p']}}");
          break;
        case 6:
          apply(kPlay);
          break;
        default:
          apply(skip(*rc::gen::inRange(-3, 4)));
      }
      read(100);
      for (int turn = *rc::gen::inRange(0, 8); turn > 0; --turn) {
        rig.turns(1);
        read(*rc::gen::inRange(0, 20));
        rig.hardware->run(*rc::gen::inRange<std::uint32_t>(1, 900));
      }
    }
    RC_ASSERT(rig.until([&] { return answered == asked; }));
    rig.turns(3);
    look();
    read(1);
    rig.turns(3);
    RC_ASSERT(!readings.empty());
    std::uint64_t revision = 0;
    std::int64_t frame = 0;
    for (const Player& now : readings) {
      RC_ASSERT(now.position_frame() >= 0);
      if (now.has_duration_frames()) RC_ASSERT(now.position_frame() <= now.duration_frames());
      if (now.queue_revision() == 0) continue;  // it is empty
      RC_ASSERT(now.queue_revision() >= revision);
      RC_ASSERT(now.engine_frame() >= frame);
      revision = now.queue_revision();
      frame = now.engine_frame();
      const auto queue = queues.find(revision);
      ++(queue == queues.end() ? unknown : known);
      if (queue == queues.end()) continue;  // two edits in a row, and nobody asked between them
      RC_ASSERT(queue->second.size() == now.item_count());
      if (now.item_index() == 0) continue;
      RC_ASSERT(now.item_index() <= now.item_count());
      RC_ASSERT(queue->second[now.item_index() - 1] == now.item_uid());
      RC_ASSERT(now.item_position_frame() >= 0);
      RC_ASSERT(now.item_position_frame() <= now.item_frames());
    }
  }));
  CHECK(known > 10 * unknown);
  CHECK(rig.status().counters().commands_orphaned() == 0);
}
