// A player's queue over the API, in the sound of a stepped device: joins, edits under sound, skips, what is said of it.
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tests/server/control/queue_rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

TEST_CASE("a file in parts in a queue is the file: no join is heard") {
  Rig rig;
  const auto source = ramp_signal(2, 60'000);
  rig.write_wav("s.wav", 2, 48'000, source);
  rig.applied(kPlayer);
  rig.applied("{'operations':[" +
              insert(part("s.wav", 0, 7) + "," + part("s.wav", 7, 20'001) + "," + part("s.wav", 20'001, 20'002) + "," +
                     item("s.wav", ",'inFrame':'20002'")) +
              "]}");
  rig.hardware->run(4800);
  Heard heard(rig);
  const auto played = rig.applied("{'operations':[" + kPlay + "]}");
  rig.hardware->run(62'000);
  for (std::size_t i = 0; i < 62'000 - 512; ++i) {
    CAPTURE(i);
    REQUIRE(heard.at(played.engine_frame() + static_cast<std::int64_t>(i)) == (i < 60'000 ? source[2 * i] : 0.0f));
  }
  const auto now = player(rig);
  CHECK(now.duration_frames() == 60'000);
  CHECK(now.position_frame() == 60'000);
  CHECK(now.item_count() == 4);
  CHECK(now.item_index() == 0);
  CHECK(rig.status().counters().starved_frames() == 0);
}

TEST_CASE("edits of a queue under sound: what plays and stays has no seam, whatever comes before and behind it") {
  Rig rig;
  const auto source = ramp_signal(2, 200'000);
  rig.write_wav("s.wav", 2, 48'000, source);
  rig.write_wav("t.wav", 2, 48'000, ramp_signal(2, 3000));
  rig.applied(kPlayer);
  rig.applied("{'operations':[" + insert(item("s.wav")) + "]}");
  rig.hardware->run(4800);
  Heard heard(rig);
  const auto played = rig.applied("{'operations':[" + kPlay + "]}");
  const std::string ref = "{'uid':'" + std::to_string(uid_of(rig, 0)) + "'}";
  for (const std::string& edit :
       {insert(item("t.wav"), ",'before':{'current':true}"), insert(item("t.wav") + "," + item("t.wav")),
        insert(item("t.wav"), ",'after':{'current':true}"),
        std::string("{'queueMove':{'path':'a/p','item':{'current':true}}}"),
        "{'queueMove':{'path':'a/p','item':" + ref + ",'before':{'uid':'" + std::to_string(uid_of(rig, 0)) + "'}}}"}) {
    CAPTURE(edit);
    if (edit.find("'before':{'uid'") == std::string::npos) rig.applied("{'operations':[" + edit + "]}");
    rig.hardware->run(2000);
    CHECK(player(rig).item_uid() == uid_of(rig, static_cast<int>(player(rig).item_index()) - 1));
  }
  for (std::int64_t i = 0;
       i + played.engine_frame() < heard.from + static_cast<std::int64_t>(rig.hardware->recording(0).size()); ++i) {
    CAPTURE(i);
    REQUIRE(heard.at(played.engine_frame() + i) == source[2 * static_cast<std::size_t>(i)]);
  }
  const auto now = player(rig);
  CHECK(now.item_count() == 5);
  CHECK(now.item_index() == 5);
  CHECK(now.queue_revision() == 5);
  CHECK(now.item_position_frame() == static_cast<std::int64_t>(rig.hardware->frames()) - played.engine_frame());
  CHECK(now.position_frame() == now.item_position_frame() + 4 * 3000);
  CHECK(rig.status().counters().starved_frames() == 0);
}

TEST_CASE("the item that plays is removed or changed: the next takes over, and nothing steps") {
  Rig rig;
  rig.write_wav("s.wav", 2, 48'000, smooth(200'000, 0.01, 0.5f));
  rig.write_wav("t.wav", 2, 48'000, smooth(200'000, 0.007, 0.4f));
  rig.applied(kPlayer);
  rig.applied("{'operations':[" + insert(item("s.wav") + "," + item("t.wav") + "," + item("s.wav")) + "," + kPlay +
              "]}");
  rig.hardware->run(5000);
  Heard heard(rig);
  const auto second = uid_of(rig, 1);
  rig.applied("{'operations':[{'queueRemove':{'path':'a/p','items':[{'current':true}]}}]}");
  rig.hardware->run(3000);
  auto now = player(rig);
  CHECK(now.item_uid() == second);
  CHECK(now.item_index() == 1);
  CHECK(now.item_count() == 2);
  CHECK(now.rolling());
  rig.applied("{'operations':[{'queueSet':{'path':'a/p','item':{'current':true},'values':{'gainDb':-12}}}]}");
  rig.hardware->run(3000);
  CHECK(player(rig).item_uid() == second);
  CHECK(player(rig).item_position_frame() > 6000);
  rig.applied("{'operations':[{'skip':{'path':'a/p','by':1}}]}");
  rig.hardware->run(3000);
  CHECK(player(rig).item_index() == 2);
  rig.applied("{'operations':[{'queueRemove':{'path':'a/p','all':true}}]}");
  rig.hardware->run(3000);
  const auto got = rig.hardware->recording(0);
  for (std::size_t i = 1; i < got.size(); ++i) {
    CAPTURE(i);
    REQUIRE(std::abs(got[i] - got[i - 1]) < 0.02f);
  }
  CHECK(got.back() == 0.0f);
}

TEST_CASE("skip, skip, skip ends where the last one says, heard or not") {
  Rig rig;
  rig.write_wav("s.wav", 2, 48'000, smooth(100'000, 0.01, 0.5f));
  rig.applied(kPlayer);
  std::string items;
  for (int i = 0; i < 8; ++i) items += (i == 0 ? "" : ",") + item("s.wav");
  rig.applied("{'operations':[" + insert(items) + "," + kPlay + "]}");
  rig.hardware->run(1000);
  for (const bool frozen : {false, true}) {
    CAPTURE(frozen);
    rig.stepping = !frozen;
    int left = 3;
    for (int i = 0; i < 3; ++i)
      rig.engine->apply(Rig::request("{'operations':[{'skip':{'path':'a/p','by':1}}],'maxWaitMs':1}"),
                        [&](const auto& answer) {
                          CHECK(answer);
                          --left;
                        });
    REQUIRE(rig.until([&] { return left == 0; }));
    if (!frozen) rig.turns(20);
    CHECK(player(rig).item_index() == 4u);  // what is told is what is heard
    rig.stepping = true;
    rig.turns(20);
    CHECK(player(rig).item_index() == (frozen ? 7u : 4u));
  }
  const auto skipped = [&](const std::string& steps) {
    rig.applied("{'operations':[" + steps + "]}");
    return player(rig).item_index();
  };
  const auto skip = [](int by) { return "{'skip':{'path':'a/p','by':" + std::to_string(by) + "}}"; };
  CHECK(skipped(skip(-1)) == 6);
  CHECK(skipped(skip(-100)) == 1);
  CHECK(skipped(skip(3) + "," + skip(-1)) == 3);
  CHECK(skipped("{'skip':{'path':'a/p','item':{'uid':'" + std::to_string(uid_of(rig, 4)) + "'}}}") == 5);
  CHECK(skipped(skip(100)) == 0);
  CHECK(player(rig).position_frame() == player(rig).duration_frames());
  CHECK(skipped(skip(-1)) == 8);
  rig.applied("{'operations':[{'stop':{'players':['a/p']}}]}");
  CHECK(skipped(skip(-5)) == 3);
  rig.hardware->run(2000);
  CHECK(player(rig).item_position_frame() == 0);  // it stays stopped
  CHECK_FALSE(player(rig).rolling());
}

TEST_CASE("bad edits of a queue are refused, with their field, and all or nothing") {
  Rig rig;
  rig.write_wav("s.wav", 2, 48'000, smooth(1000, 0.01, 0.5f));
  rig.applied(kPlayer);
  rig.applied("{'operations':[" + insert(item("s.wav")) + "]}");
  const std::string before = rig.session();
  const auto refused = [&](const std::string& operations, ErrorKind kind, const std::string& field) {
    CAPTURE(operations);
    const auto answer = rig.apply("{'operations':[" + operations + "]}");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind == kind);
    CHECK(answer.error().field == field);
    CHECK(rig.session() == before);
  };
  const auto invalid = ErrorKind::invalid_argument;
  refused(insert(item("gone.wav")), ErrorKind::not_found, "operations[0].queue_insert.items[0].file");
  refused(insert(item("s.wav")) + "," + insert("{'loops':2}"), invalid, "operations[1].queue_insert.items[0].file");
  refused(insert(item("s.wav", ",'inFrame':'9','outFrame':'9'")), invalid,
          "operations[0].queue_insert.items[0].out_frame");
  refused(insert(item("s.wav", ",'gainDb':25")), invalid, "operations[0].queue_insert.items[0].gain_db");
  refused(insert(item("s.wav", ",'fadeInCurve':'steep'")), invalid,
          "operations[0].queue_insert.items[0].fade_in_curve");
  refused(insert(item("s.wav"), ",'before':{'uid':'77'}"), ErrorKind::not_found,
          "operations[0].queue_insert.before.uid");
  refused("{'queueRemove':{'path':'a/p'}}", invalid, "operations[0].queue_remove.items");
  refused("{'queueMove':{'path':'a/p'}}", invalid, "operations[0].queue_move.item");
  refused("{'queueInsert':{'path':'a','items':[" + item("s.wav") + "]}}", invalid, "operations[0].queue_insert.path");
  refused(insert(item("s.wav", ",'crossfadeMs':600001")), invalid, "operations[0].queue_insert.items[0].crossfade_ms");
  refused(insert(item("s.wav", ",'crossfadeCurve':'steep'")), invalid,
          "operations[0].queue_insert.items[0].crossfade_curve");
  refused("{'skip':{'path':'a/p'}}", invalid, "operations[0].skip");
  refused("{'queueRemove':{'path':'a/p','all':true}},{'skip':{'path':'a/p','by':1}}", ErrorKind::failed_precondition,
          "operations[1].skip.path");
}

TEST_CASE("a queue is saved, loaded and rendered; a missing file of it is passed over and named") {
  Rig rig;
  rig.write_wav("s.wav", 2, 48'000, ramp_signal(2, 5000));
  const std::string session =
      "{'format':1,'nodes':[{'id':'a','type':'track','children':[{'id':'p','type':'player','queue':[{'file':'media:s."
      "wav',"
      "'in_frame':100,'out_frame':1100,'loops':2,'gain_db':-6,'fade_in_ms':1,'fade_out_ms':2,'fade_out_curve':'equal_"
      "power'},{'file':'media:gone.wav'},{'file':'media:s.wav'}]}]}],'connections':[{'from':'a','to':'out'}]}";
  REQUIRE(rig.load(session));
  const std::string saved = rig.session();
  REQUIRE(rig.load(saved));
  CHECK(rig.session() == saved);
  CHECK(saved.find("\"fade_out_curve\": \"equal_power\"") != std::string::npos);
  const auto status = rig.status();
  CHECK(status.timeline_end_frame() == 7000);
  REQUIRE(status.players_size() == 1);
  CHECK(status.players(0).item_count() == 3);
  CHECK(status.players(0).duration_frames() == 7000);
  REQUIRE(status.reasons_size() == 1);
  CHECK(status.reasons(0).find("gone.wav") != std::string::npos);
  rig.applied("{'operations':[{'locate':{'timelineFrame':'2000'}}]}");
  CHECK(player(rig).item_index() == 3);
}

TEST_CASE(
    "any edits, skips, starts and stops: the item that is named is the one that is heard, and no position is beyond") {
  Rig rig;
  rig.buffer = 1000;
  // Each file is one level: what is heard says which it is.
  for (int i = 1; i <= 4; ++i)
    rig.write_wav("l" + std::to_string(i) + ".wav", 2, 48'000,
                  std::vector<float>(2 * 40'000, static_cast<float>(i) / 8.0f));
  rig.applied(kPlayer);
  rig.applied("{'operations':[" + insert(item("l1.wav")) + "," + kPlay + "]}");
  rig.hardware->run(4800);
  CHECK(rc::check([&] {
    for (int step = *rc::gen::inRange(1, 5); step > 0; --step) {
      const auto ref = [&]() -> std::string {
        const auto params =
            rig.answer<v1::ListParamsResponse>([&](auto done) { rig.engine->list_params("a/p", std::move(done)); });
        RC_ASSERT(static_cast<bool>(params));
        if (params->queue_size() == 0 || *rc::gen::inRange(0, 3) == 0) return "{'current':true}";
        return "{'uid':'" + std::to_string(params->queue(*rc::gen::inRange(0, params->queue_size())).uid()) + "'}";
      };
      const std::string place = *rc::gen::element<std::string>("before", "after");
      const std::string file = "l" + std::to_string(*rc::gen::inRange(1, 5)) + ".wav";
      std::string operation;
      switch (*rc::gen::inRange(0, 10)) {
        case 0:
        case 1:
          operation = insert(part(file, 100, *rc::gen::inRange<std::size_t>(101, 9000)), ",'" + place + "':" + ref());
          break;
        case 2:
          operation = insert(item(file));
          break;
        case 3:
          operation = "{'queueRemove':{'path':'a/p','items':[" + ref() + "]}}";
          break;
        case 4:
          operation = "{'queueMove':{'path':'a/p','item':" + ref() + ",'" + place + "':" + ref() + "}}";
          break;
        case 5:
          operation = "{'queueSet':{'path':'a/p','item':" + ref() + ",'values':{'inFrame':'" +
                      std::to_string(*rc::gen::inRange(0, 90)) +
                      "','crossfadeMs':" + std::to_string(*rc::gen::element(0, 1, 20, 1000)) + "}}}";
          break;
        case 9:
          operation = "{'setParams':{'path':'a/p','values':{'loop':" +
                      std::string(*rc::gen::arbitrary<bool>() ? "true" : "false") + "}}}";
          break;
        case 6:
          operation = "{'skip':{'path':'a/p','by':" + std::to_string(*rc::gen::inRange(-3, 4)) + "}}";
          break;
        case 7:
          operation = "{'stop':{'players':['a/p']}}";
          break;
        default:
          operation = kPlay;
      }
      static_cast<void>(rig.apply("{'operations':[" + operation + "]}"));  // many are refused: the queue may be empty
      rig.hardware->run(*rc::gen::inRange<std::uint32_t>(1, 3000));
      rig.turns(3);
      const auto now = player(rig);
      RC_ASSERT(now.has_duration_frames());
      RC_ASSERT(now.position_frame() >= 0 && now.position_frame() <= now.duration_frames());
      if (now.item_index() == 0) RC_ASSERT(now.position_frame() == now.duration_frames());
      if (now.item_index() == 0) continue;
      RC_ASSERT(now.item_position_frame() >= 0 && now.item_position_frame() < now.item_frames());
      RC_ASSERT(now.item_position_frame() <= now.position_frame());
      const auto params =
          rig.answer<v1::ListParamsResponse>([&](auto done) { rig.engine->list_params("a/p", std::move(done)); });
      RC_ASSERT(static_cast<bool>(params));
      RC_ASSERT(params->queue_size() == static_cast<int>(now.item_count()));
      const auto& named = params->queue(static_cast<int>(now.item_index()) - 1);
      RC_ASSERT(named.uid() == now.item_uid());
      // In the middle of an item, past all fades, the level is the named file's.
      const std::int64_t left = now.item_frames() - now.item_position_frame();
      const bool long_fades = std::ranges::any_of(params->queue(), [](const v1::QueueItem& each) {
        return each.crossfade_ms() > 20.0;
      });
      if (!now.rolling() || left < 20'000 || long_fades) continue;  // each question lets some of it pass
      rig.hardware->run(2000);
      const auto heard = rig.hardware->last_output(0);
      const float wanted = static_cast<float>(named.file()[7] - '0') / 8.0f;
      RC_ASSERT(heard.back() == wanted);
    }
  }));
  CHECK(rig.status().counters().starved_frames() == 0);
  CHECK(rig.status().counters().commands_orphaned() == 0);
}

TEST_CASE("128 players start on the same sample, which is the one that the answer names") {
  Rig rig;
  auto click = std::vector<float>(2000, 0.0f);
  click[0] = 1.0f / 256.0f;
  click[1] = -1.0f / 512.0f;
  rig.write_wav("c.wav", 1, 48'000, click);
  std::string add, play;
  for (int i = 0; i < 128; ++i) {
    const std::string id = "t" + std::to_string(i);
    add += (i == 0 ? "" : ",") + std::string("{'addNode':{'node':{'id':'") + id +
           "','type':'track','children':[{'id':'p','type':'player','params':{'mode':'free','file':'media:c.wav'}}]}}},"
           "{'connect':{'from':'" +
           id + "','to':'out:1','channels':[{'from':1,'to':1}]}}";
    play += (i == 0 ? "'" : ",'") + id + "/p'";
  }
  rig.applied("{'operations':[" + add + "]}");
  rig.hardware->run(4800);
  Heard heard(rig);
  const std::int64_t frame = rig.applied("{'operations':[{'play':{'players':[" + play + "]}}]}").engine_frame();
  rig.hardware->run(2000);
  CHECK(heard.at(frame - 1) == 0.0f);
  const float loud = heard.at(frame);
  CHECK(loud > 0.3f);
  CHECK(heard.at(frame + 1) == -loud / 2.0f);
  for (std::int64_t i = 2; i < 1500; ++i) REQUIRE(heard.at(frame + i) == 0.0f);
}
