// Streams of parameters through the whole engine: what is heard, what is in the document, what is told, and what ends
// one.
#include "server/control/param_streams.hpp"

#include <string>
#include <utility>
#include <vector>

#include "tests/server/control/param_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

TEST_CASE("a streamed value is heard, is in the document, and is told: one change for what came together") {
  ParamRig rig;
  Mirror mirror(rig);
  StreamClient client(rig);
  const auto handles = client.bind({"t0.gain_db", "t1.gain_db", "t0.mute", "t0.gain_db"});
  CHECK(handles == std::vector<std::uint32_t>{0, 1, 2, 3});
  const std::int64_t before = rig.now();
  client.set({{0, -1}, {0, -6}, {1, -12}, {3, -20}});
  const Report& report = client.wait();
  CHECK(report.received() == 4);
  CHECK(report.coalesced() == 2);
  CHECK(report.refused() == 0);
  CHECK(report.engine_frame() >= before);
  CHECK(report.engine_frame() <= rig.now());
  CHECK(report.revision().number() == rig.status().revision().number());
  rig.turns(3);
  CHECK(rig.level(0) == doctest::Approx(-20.0).epsilon(1e-4));
  CHECK(rig.level(1) == doctest::Approx(-12.0).epsilon(1e-4));
  CHECK(mirror.text() == rig.session());
  REQUIRE(mirror.changes.size() == 1);
  CHECK(mirror.changes[0].operations_size() == 2);
  CHECK(mirror.changes[0].streamed());
  CHECK(mirror.changes[0].origin().client() == "fader");
  CHECK(mirror.changes[0].origin().identity() == "user test");
  client.set({{2, 1}}, std::nullopt);
  client.wait();
  CHECK(holds(rig.session(), "\"mute\": true"));
  rig.hardware->run(4800);
  CHECK(rig.level(0) == -1000.0);
}

TEST_CASE("what binds wrongly is told by name, and what is bound follows its node wherever it moves") {
  ParamRig rig;
  rig.applied(
      "{'operations':[{'addNode':{'parent':'t0','node':{'id':'d','type':'delay'}}},"
      "{'addNode':{'node':{'id':'b','type':'bus'}}},{'addNode':{'parent':'t0','node':{'id':'g','type':'gain'}}},"
      "{'addNode':{'node':{'id':'r','type':'recorder'}}}]}");
  const auto reason = [&](const std::string& name) {
    StreamClient client(rig);
    v1::StreamParamsRequest::Bind bind;
    bind.add_params("t0.gain_db");
    bind.add_params(name);
    const auto bound = client.try_bind(bind);
    REQUIRE_FALSE(bound);
    CHECK(bound.error().field == "bind.params[1]");
    return std::pair(bound.error().kind, bound.error().reason);
  };
  using Wrong = std::pair<ErrorKind, std::string>;
  CHECK(reason("nowhere.gain_db") == Wrong{ErrorKind::not_found, "UNKNOWN_NODE"});
  CHECK(reason("t0") == Wrong{ErrorKind::not_found, "UNKNOWN_NODE"});
  CHECK(reason("") == Wrong{ErrorKind::not_found, "UNKNOWN_NODE"});
  CHECK(reason("t0.volume") == Wrong{ErrorKind::not_found, "UNKNOWN_PARAM"});
  CHECK(reason("t0.channels") == Wrong{ErrorKind::failed_precondition, "STRUCTURAL"});
  CHECK(reason("r.format") == Wrong{ErrorKind::failed_precondition, "STRUCTURAL"});
  CHECK(reason("r.arm") == Wrong{ErrorKind::failed_precondition, "STRUCTURAL"});
  StreamClient client(rig);
  const auto handle = client.bind({"t0/g.gain_db"})[0];
  rig.applied("{'operations':[{'moveNode':{'path':'t0','id':'vox'}}]}");
  client.set({{handle, -9}});
  client.wait();
  CHECK(rig.level(0) == doctest::Approx(-9.0).epsilon(1e-4));
  // Too many handles end the stream, and one below the bound does not.
  v1::StreamParamsRequest::Bind many;
  for (std::size_t i = 1; i < ParamStream::kMaxHandles; ++i) many.add_params("vox.gain_db");
  CHECK(client.try_bind(many));
  many.clear_params();
  many.add_params("vox.gain_db");
  const auto full = client.try_bind(many);
  REQUIRE_FALSE(full);
  CHECK(full.error().reason == "TOO_MANY_HANDLES");
}

TEST_CASE("what is gone, automated or leased is refused one by one, and what is beside it is not") {
  ParamRig rig;
  StreamClient client(rig);
  client.bind({"t0.gain_db", "t1.gain_db", "t1.pan"});
  const auto refused = [&](const std::string& reason, std::uint64_t count) {
    client.set({{0, -3}, {1, -4}});
    REQUIRE(rig.until([&] { return client.last().refused() == count; }));
    CHECK(client.last().refused_reason() == reason);
    CHECK_FALSE(client.last().refused_message().empty());
    client.wait();
    CHECK(client.last().received() == client.last().refused() + count);  // one of two each time
  };
  rig.applied(
      "{'operations':[{'setAutomation':{'path':'t0','param':'gain_db','points':[{'frame':'0','value':-60}]}}]}");
  refused("AUTOMATED", 1);
  rig.applied("{'operations':[{'clearAutomation':{'path':'t0','param':'gain_db'}}]}");
  v1::AcquireLeaseRequest lease;
  lease.set_path("t0");
  const auto held =
      rig.answer<v1::Lease>([&](auto done) { rig.engine->acquire_lease(lease, std::move(done), "user other"); });
  REQUIRE(held);
  refused("LEASED", 2);
  client.bind({}, held->token());
  client.set({{0, -5}});
  CHECK(client.wait().refused() == 2);
  rig.hardware->run(4800);
  CHECK(rig.level(0) == doctest::Approx(-5.0).epsilon(1e-4));
  auto remove = Rig::request("{'operations':[{'removeNode':{'path':'t0'}}]}");
  remove.add_leases(held->token());
  REQUIRE(rig.apply(remove));
  client.set({{0, -3}, {1, -7}});
  REQUIRE(rig.until([&] { return client.last().refused() == 3; }));
  CHECK(client.last().refused_reason() == "UNKNOWN_NODE");
  client.wait();
  CHECK(rig.level(1) == doctest::Approx(-7.0).epsilon(1e-4));
  client.set({{0, -3}});  // nothing is left of it: answered all the same
  client.wait();
}

TEST_CASE("a value with a frame begins at that very sample, and belongs to the document from shortly before") {
  ParamRig rig;
  StreamClient client(rig);
  client.bind({"t0.gain_db", "t1.gain_db"});
  rig.hardware->clear_recording();
  const std::int64_t begin = rig.now();
  const std::vector<std::int64_t> at = {begin + 7'001, begin + 9'000, begin + 9'001, begin + 12'345};
  client.set_at(at[3], {{0, -40}});
  client.set_at(at[0], {{0, -6}, {1, -6}});
  client.set_at(at[1], {{0, -12}});
  client.set_at(at[2], {{0, -20}});
  client.set_at(at[1], {{0, -14}});  // of the same frame: the newer
  // Nothing has been set yet: the frames are far.
  client.set({{1, -1}});
  client.wait();
  CHECK_FALSE(holds(rig.session(), "-6"));
  const auto session_has = [&](const std::string& text) { return [&rig, text] { return holds(rig.session(), text); }; };
  for (std::size_t i = 0; i < at.size(); ++i) {
    static const char* const kValues[] = {"-6", "-14", "-20", "-40"};
    if (i == 1) continue;  // one frame before the next: sent with it
    while (rig.now() < at[i] - 700) rig.hardware->step(100);
    rig.stand_still_until(session_has(kValues[i]));
    while (rig.now() < at[i] + 300) rig.hardware->step(100);
    rig.turns(2);
  }
  rig.hardware->run(2000);
  const auto heard = rig.hardware->recording(0);
  const auto expect = [&](std::int64_t frame, double db) {
    CAPTURE(frame - begin);
    const double gain = 20.0 * std::log10(heard[static_cast<std::size_t>(frame - begin)] / ParamRig::kUnity);
    CHECK(gain == doctest::Approx(db).epsilon(1e-4));
  };
  expect(at[0] - 1, 0);
  expect(at[0], -6);
  expect(at[1] - 1, -6);
  expect(at[1], -14);
  expect(at[2], -20);
  expect(at[3] - 1, -20);
  expect(at[3], -40);
  REQUIRE(rig.until([&] { return client.last().received() == 7; }));
  CHECK(client.last().coalesced() == 1);
  CHECK(client.last().refused() == 0);
}

TEST_CASE("a value of now does not undo one that is under way for a frame to come") {
  ParamRig rig;
  StreamClient client(rig);
  client.bind({"t0.gain_db"});
  const std::int64_t frame = rig.now() + 600;
  client.set_at(frame, {{0, -30}});
  rig.stand_still_until([&] { return holds(rig.session(), "-30"); });
  client.set({{0, -2}});
  client.set_at(frame - 10, {{0, -3}});
  rig.stepping = false;
  client.gesture();  // both are on their way, or passed over
  rig.stepping = true;
  client.wait();
  REQUIRE(rig.until([&] { return rig.now() > frame + 512; }));
  rig.turns(5);
  CHECK(rig.level(0) == doctest::Approx(-30.0).epsilon(1e-4));
  CHECK(holds(rig.session(), "-30"));
  client.set({{0, -4}});  // it is past
  client.wait();
  CHECK(client.last().coalesced() == 2);
  rig.turns(3);
  CHECK(rig.level(0) == doctest::Approx(-4.0).epsilon(1e-4));
}

TEST_CASE("another session ends every stream, and its handles with it") {
  ParamRig rig;
  StreamClient client(rig);
  client.bind({"t0.gain_db"});
  REQUIRE(rig.load("{'format':1,'nodes':[{'id':'t0','type':'track'}]}"));
  REQUIRE(client.ended());
  REQUIRE(client.error());
  CHECK(client.error()->kind == ErrorKind::aborted);
  CHECK(client.error()->reason == "EPOCH_CHANGED");
  const std::string before = rig.session();
  client.set({{0, -3}});  // too late: nobody hears it
  rig.turns(30);
  CHECK(rig.session() == before);
}

TEST_CASE("a stream that is cut leaves what it sent: to the last value, and to the last frame") {
  ParamRig rig;
  {
    StreamClient client(rig);
    client.bind({"t0.gain_db", "t1.gain_db"});
    client.gesture();
    for (int i = 0; i <= 100; ++i) client.set({{0, -0.1 * i}});
    client.set_at(rig.now() + 3000, {{1, -33}});
    client.call.reset();
    REQUIRE(rig.until([&] { return client.ended(); }));
    CHECK_FALSE(client.error());
    CHECK(client.last().received() == 102);
    CHECK(client.last().refused() == 0);
    CHECK(client.last().applied_sequence() == client.sequence);
  }
  rig.turns(3);
  CHECK(rig.level(0) == doctest::Approx(-10.0).epsilon(1e-4));
  CHECK(rig.level(1) == doctest::Approx(-33.0).epsilon(1e-4));
  CHECK(rig.engine->params().open_streams() == 0);
}

TEST_CASE("a clock that stands still keeps a cut stream for a while, not for ever") {
  ParamRig rig;
  StreamClient client(rig);
  client.bind({"t0.gain_db"});
  rig.stepping = false;
  client.set_at(rig.now() + 40'000, {{0, -33}});
  client.call->close();
  REQUIRE(rig.until([&] { return client.ended(); }));
  CHECK(client.last().refused() == 1);
  CHECK(client.last().refused_reason() == "STREAM_ENDED");
  CHECK(rig.engine->params().open_streams() == 0);
}

TEST_CASE("the daemon's end: what came is in the document, and the client is told") {
  ParamRig rig;
  StreamClient client(rig);
  client.bind({"t0.gain_db"});
  client.set({{0, -1}});
  client.wait();
  client.set({{0, -12.75}});
  rig.shutdown();
  REQUIRE(client.ended());
  REQUIRE(client.error());
  CHECK(client.error()->kind == ErrorKind::unavailable);
  CHECK(rig.level(0) <= -12.7);  // and fades out behind it
  StreamClient late(rig);
  REQUIRE(rig.until([&] { return late.ended(); }));
  REQUIRE(late.error());
  CHECK(late.error()->kind == ErrorKind::unavailable);
}
