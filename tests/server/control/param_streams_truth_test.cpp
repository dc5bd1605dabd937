// Streams of parameters beside others, and over a device that stands still: sound, document and watchers agree in the
// end.
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "server/control/param_streams.hpp"
#include "tests/server/control/param_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

TEST_CASE("the device frozen, 3,000 sets by Apply: none is called applied, and the newest are heard when it wakes") {
  ParamRig rig(4);
  rig.stepping = false;
  int answers = 0, lies = 0;
  std::vector<double> newest(4);
  for (int i = 0; i < 3000; ++i) {
    const int track = (i * 7) % 4;
    newest[static_cast<std::size_t>(track)] = -0.01 * i - 1.0;
    auto request = Rig::request("{'operations':[{'setParams':{'path':'t" + std::to_string(track) +
                                "','values':{'gain_db':" + std::to_string(-0.01 * i - 1.0) +
                                "},'rampMs':0}}],'wait':'WAIT_COMMITTED'}");
    rig.engine->apply(std::move(request), [&](const Result<v1::ApplyResponse>& answer) {
      ++answers;
      lies += !answer || answer->outcome() != v1::ApplyResponse::OUTCOME_COMMITTED;
    });
    if (i % 500 == 499) REQUIRE(rig.until([&] { return answers == i + 1; }));
  }
  CHECK(lies == 0);
  rig.stepping = true;
  rig.turns(30);
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(rig.level(i) == doctest::Approx(newest[i]).epsilon(1e-3));
}

TEST_CASE("the device frozen, 3,000 values by a stream: in the document, nothing called applied, the newest heard") {
  ParamRig rig(4);
  Mirror mirror(rig);
  StreamClient client(rig);
  client.bind({"t0.gain_db", "t1.gain_db", "t2.gain_db", "t3.gain_db"});
  client.set({{0, -1}});
  client.wait();
  const std::uint64_t applied = client.sequence;
  rig.stepping = false;
  std::vector<double> newest(4);
  for (int i = 0; i < 3000; ++i) {
    const auto track = static_cast<std::uint32_t>((i * 7) % 4);
    newest[track] = -0.01 * i - 1.0;
    client.set({{track, newest[track]}});
    if (i % 100 == 0) rig.turns(1);
  }
  // The document has them though the sound has not.
  const std::string last = "-30.99";
  REQUIRE(rig.until([&] { return holds(rig.session(), last); }));
  CHECK(mirror.text() == rig.session());
  CHECK(client.last().applied_sequence() == applied);
  // And again: what came while others are under way.
  client.set({{3, -50}});
  newest[3] = -50;
  REQUIRE(rig.until([&] { return holds(rig.session(), "-50"); }));
  CHECK(client.last().applied_sequence() == applied);
  rig.stepping = true;
  client.wait();
  rig.turns(3);
  for (std::uint32_t i = 0; i < 4; ++i) CHECK(rig.level(i) == doctest::Approx(newest[i]).epsilon(1e-3));
  CHECK(mirror.text() == rig.session());
  const Report& report = client.last();
  CHECK(report.received() == 3002);
  CHECK(report.refused() == 0);
  CHECK(report.coalesced() > 2500);
}

TEST_CASE("two streams and a plain client on one parameter: what is heard is what the document says") {
  ParamRig rig;
  Mirror mirror(rig);
  StreamClient one(rig, "user one"), two(rig, "user two");
  one.bind({"t0.gain_db"});
  two.bind({"t0.gain_db", "t1.gain_db"});
  for (int i = 0; i < 200; ++i) {
    one.set({{0, -1 - 0.01 * i}});
    two.set({{0, -20 - 0.01 * i}, {1, -0.05 * i}});
    if (i % 20 == 0) rig.applied("{'operations':[{'setParams':{'path':'t0','values':{'gain_db':-55},'rampMs':0}}]}");
    rig.turns(1);
  }
  one.wait();
  two.wait();
  rig.turns(3);
  const std::string session = rig.session();
  CHECK(mirror.text() == session);
  const double heard = rig.level(0);
  const double wanted = holds(session, "-2.99") ? -2.99 : -21.99;
  CHECK(heard == doctest::Approx(wanted).epsilon(1e-4));
  CHECK(rig.level(1) == doctest::Approx(-0.05 * 199).epsilon(1e-4));
}

TEST_CASE(
    "a gesture is one step of undo, whatever came between its values, and no edit's expected revision counts it") {
  ParamRig rig;
  StreamClient client(rig);
  client.bind({"t0.gain_db", "t1.gain_db"});
  const auto undo = [&] {
    return rig.answer<v1::ApplyResponse>([&](auto done) {
      rig.engine->undo(
          v1::UndoRequest(), [](const v1::ApplyRequest&) { return Result<>(); }, std::move(done), "user test");
    });
  };
  const auto before = rig.status().revision();
  for (int i = 1; i <= 5; ++i) {
    client.set({{0, -1.0 * i}});
    client.wait();
  }
  client.gesture();
  for (int i = 1; i <= 5; ++i) {
    client.set({{0, -10.0 - i}, {1, -20.0 - i}});
    client.wait();
    rig.applied("{'operations':[{'setLabel':{'path':'t1','label':'" + std::to_string(i) + "'}}]}");
  }
  auto edit = Rig::request("{'operations':[{'setLabel':{'path':'t0','label':'x'}}]}");
  *edit.mutable_expected_revision() = before;
  CHECK_FALSE(rig.apply(edit));  // the labels
  *edit.mutable_expected_revision() = rig.status().revision();
  client.set({{0, -16}});
  client.wait();
  CHECK(rig.apply(edit));  // but for the value
  REQUIRE(undo());
  rig.turns(3);
  rig.hardware->run(4800);
  CHECK(rig.level(0) == doctest::Approx(-5.0).epsilon(1e-3));
  CHECK(rig.level(1) == doctest::Approx(0.0).epsilon(1e-3));
  CHECK(holds(rig.session(), "\"x\""));
  REQUIRE(undo());
  rig.turns(3);
  rig.hardware->run(4800);
  CHECK(rig.level(0) == doctest::Approx(0.0).epsilon(1e-3));
}

TEST_CASE("property: streams, edits, frames, gestures and a device that stops: at the end all agree") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    ParamRig rig(4);
    Mirror mirror(rig);
    std::vector<std::unique_ptr<StreamClient>> clients;
    for (int c = 0; c < 3; ++c) {
      clients.push_back(std::make_unique<StreamClient>(rig));
      clients.back()->bind({"t0.gain_db", "t1.gain_db", "t2.gain_db", "t3.gain_db"});
    }
    std::int64_t last_frame = 0;
    const auto any = [&](unsigned many) { return static_cast<std::uint32_t>(random() % many); };
    const auto value = [&] { return -0.25 * static_cast<double>(random() % 200); };
    for (int step = 0; step < 300; ++step) {
      StreamClient& client = *clients[random() % clients.size()];
      switch (random() % 8) {
        case 0: {
          const auto frame = rig.now() + static_cast<std::int64_t>(random() % 6000) - 500;
          last_frame = std::max(last_frame, frame);
          client.set_at(frame, {{any(4), value()}, {any(4), value()}});
          break;
        }
        case 1:
          rig.stepping = random() % 3 != 0;
          break;
        case 2:
          rig.stepping = true;
          if (random() % 4 == 0) client.gesture();
          break;
        case 3:
          rig.stepping = true;
          rig.applied("{'operations':[{'setParams':{'path':'t" + std::to_string(random() % 3) +
                      "','values':{'gain_db':" + std::to_string(value()) + "},'rampMs':0}}]}");
          break;
        case 4: {
          rig.stepping = true;
          // A node moves to and fro: its handles stay.
          const bool there = holds(rig.session(), "\"id\": \"moved\"");
          rig.applied(there ? "{'operations':[{'moveNode':{'path':'moved','id':'t3'}}]}"
                            : "{'operations':[{'moveNode':{'path':'t3','id':'moved'}}]}");
          break;
        }
        default:
          client.set({{any(4), value()}, {any(4), value()}});
          rig.turns(static_cast<int>(random() % 3));
      }
    }
    rig.stepping = true;
    for (auto& client : clients) client->wait();
    REQUIRE(rig.until([&] { return rig.now() > last_frame + 4800; }));
    for (auto& client : clients) client->call.reset();
    for (auto& client : clients) {
      REQUIRE(rig.until([&] { return client->ended(); }));
      CHECK_FALSE(client->error());
      CHECK(client->last().refused() == 0);
    }
    rig.turns(5);
    const std::string session = rig.session();
    CHECK(mirror.text() == session);
    auto parsed = session::parse_session(session, [] { return rt::Uid{1}; });
    REQUIRE(parsed);
    std::uint32_t track = 0;
    session::for_each_node(parsed->nodes, "", [&](const std::string& path, const session::DocNode& node) {
      if (node.type != "track") return;
      CAPTURE(path);
      CHECK(rig.level(track++) == doctest::Approx(session::number_of(node, "gain_db")).epsilon(1e-3));
    });
    CHECK(track == 4);
  }
}
