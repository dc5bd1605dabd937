#include <sys/resource.h>

#include <string>

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control::test;

TEST_CASE("shutdown with a running take: it is closed with all that was recorded") {
  Rig rig;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'o','type':'oscillator'}}},{'connect':{'from':'o','to':'out'}}]}");
  const auto started = rig.applied("{'operations':[{'recordStart':{}}]}");
  rig.hardware->run(10'000);
  const auto feed = rig.watch();
  SUBCASE("the device runs") {}
  SUBCASE("the device is frozen, as a dead audio server leaves it") { rig.hardware->freeze(); }
  SUBCASE("the device is lost") { rig.hardware->lose(); }
  const auto begin = std::chrono::steady_clock::now();
  rig.shutdown();
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(4));
  std::uint32_t channels = 0;
  const auto samples = rig.read_wav(rig.take_file(started.takes(0)), channels);
  CHECK(samples.size() / channels >= 10'000);
  CHECK(feed->closed());
  const auto late = rig.apply("{'operations':[{'play':{}}]}");
  REQUIRE_FALSE(late);
  CHECK(late.error().kind == ErrorKind::unavailable);
}

TEST_CASE("an engine that is destroyed without a shutdown leaves nothing running") {
  Rig rig;
  rig.write_wav("s.wav", 2, 48'000, ramp_signal(2, 100'000));
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'p','type':'player','params':{'file':'media:s.wav'}}}},"
      "{'connect':{'from':'p','to':'out'}},{'play':{}},{'recordStart':{}}]}");
  rig.hardware->run(5000);
  rig.engine->apply(Rig::request("{'operations':[{'locate':{'timelineFrame':'1000'}}]}"), [](const auto&) {});
  rig.engine.reset();
  CHECK_FALSE(rig.hardware->started());
  rig.io.poll();
}

TEST_CASE("uids are never given twice, over restarts too") {
  Rig rig;
  const auto uid = [&](const std::string& id) {
    rig.applied("{'operations':[{'addNode':{'node':{'id':'" + id + "','type':'track'}}}]}");
    const auto params =
        rig.answer<v1::ListParamsResponse>([&](auto done) { rig.engine->list_params(id, std::move(done)); });
    REQUIRE(params);
    return params->uid();
  };
  const auto first = uid("a");
  const auto second = uid("b");
  CHECK(second > first);
  rig.restart();
  const auto third = uid("a");
  CHECK(third > second);
  CHECK(third < (1ull << 53));
}

TEST_CASE("parameters are described with their values of now") {
  Rig rig;
  rig.applied("{'operations':[{'addNode':{'node':{'id':'a','type':'track','params':{'gain_db':-6}}}}]}");
  const auto params =
      rig.answer<v1::ListParamsResponse>([&](auto done) { rig.engine->list_params("a", std::move(done)); });
  REQUIRE(params);
  bool found = false;
  for (const auto& param : params->params()) {
    if (param.spec().name() != "gain_db") continue;
    found = true;
    CHECK(param.value().number_value() == -6.0);
    CHECK(param.spec().unit() == "dB");
    CHECK(param.spec().scale() == v1::ParamSpec::SCALE_DECIBEL);
  }
  CHECK(found);
  const auto none =
      rig.answer<v1::ListParamsResponse>([&](auto done) { rig.engine->list_params("b", std::move(done)); });
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == ErrorKind::not_found);
}

TEST_CASE("status: healthy but for the rights of this machine, with the histogram and the counters") {
  Rig rig;
  rig.hardware->run(48'000);
  const auto status = rig.status();
  CHECK(status.state() != v1::GetStatusResponse::STATE_STALLED);
  CHECK(status.counters().callbacks() > 100);
  CHECK(status.counters().non_finite_samples() == 0);
  CHECK(status.nodes() == 2);
  CHECK(status.device().name() == "stepped");
  CHECK(status.clock().engine_frame() == static_cast<std::int64_t>(rig.hardware->frames()));
  CHECK(rig.engine->audio_alive());
  const auto info = rig.answer<v1::GetInfoResponse>([&](auto done) { rig.engine->info(std::move(done)); });
  REQUIRE(info);
  CHECK(info->max_operations() == 10'000);
  CHECK(info->epoch() == status.revision().epoch());
  CHECK(info->media_roots_size() == 2);
}

TEST_CASE("with nothing to do the strand sleeps: a few wake-ups a second") {
  Rig rig;
  rig.applied(
      "{'operations':[{'addNode':{'node':{'id':'o','type':'oscillator'}}},{'connect':{'from':'o','to':'out'}}]}");
  rig.turns(200);
  // Handlers run, not time: what runs while the strand is left alone for a while.
  std::size_t handlers = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (std::chrono::steady_clock::now() < end) handlers += rig.io.run_one_for(end - std::chrono::steady_clock::now());
  CHECK(handlers <= 20);
}
