// Exclusive control of what moves, goes, is loaded, comes later, or is done by the daemon itself.
#include <algorithm>

#include "tests/server/control/lease_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

using Kind = v1::LeaseEvent;

}  // namespace

TEST_CASE("leases: one follows its node, and goes with it") {
  LeaseRig rig;
  REQUIRE(rig.edit(box("a") + "," + box("b") + "," + track("vox", "a") + "," + track("x")));
  const std::string token = rig.take("a/vox");
  CHECK(leased(rig.edit(move_to("a/vox", "b"))));
  CHECK(leased(rig.edit(move_to("a", "b"))));
  CHECK(leased(rig.edit("{'removeNode':{'path':'a'}}")));
  CHECK(leased(rig.edit("{'connect':{'from':'a/vox','to':'x'}}")));
  CHECK(leased(rig.edit("{'connect':{'from':'x','to':'a/vox'}}")));
  REQUIRE(rig.edit(move_to("a", "b"), {token}));
  CHECK(rig.leases().at(0).path() == "b/a/vox");
  CHECK(leased(rig.edit(gain("b/a/vox", -3))));
  CHECK(rig.edit(track("vox")));
  CHECK(rig.edit(gain("vox", -3)));  // another one
  static_cast<void>(rig.told());
  REQUIRE(rig.edit("{'removeNode':{'path':'b'}}", {token}));
  const auto told = rig.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind() == Kind::KIND_GONE);
  CHECK(told[0].lease().path() == "b/a/vox");
  CHECK(rig.leases().empty());
  CHECK(rig.renew(token).error().reason == "UNKNOWN_LEASE");
}

TEST_CASE("leases: a connection that would go with its node is the other end's, too") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox") + "," + track("verb") + ",{'connect':{'from':'vox','to':'verb'}}"));
  const std::string token = rig.take("verb");
  const auto refused = rig.edit(gain("vox", -1) + ",{'removeNode':{'path':'vox'}}");
  REQUIRE(leased(refused));
  CHECK(refused.error().field == "operations[1]");
  CHECK(rig.edit("{'removeNode':{'path':'vox'}}", {token}));
}

TEST_CASE("leases: what is for later is judged when it falls due, with the tokens that it came with") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox") + "," + track("band")));
  const std::int64_t soon = rig.now() + 48'000;
  const auto free = rig.schedule(gain("band", -7), at_engine(soon));
  const auto caught = rig.schedule(gain("vox", -8), at_engine(soon));
  const std::string token = rig.take("vox");
  v1::ApplyRequest mine = Rig::request("{'operations':[" + gain("vox", -9) + "],'when':" + at_engine(soon + 480) + "}");
  CHECK(leased(rig.apply(mine)));
  mine.add_leases(token);
  rig.stepping = false;
  const auto held = rig.apply(mine);
  rig.stepping = true;
  REQUIRE(held);
  const std::uint64_t own = held->transaction_id();
  CHECK(rig.list().DebugString().find(token) == std::string::npos);
  REQUIRE(rig.until([&] { return rig.story(caught).has("cancelled") && rig.story(own).has("applied"); }));
  CHECK(rig.story(caught).reason == "LEASED");
  CHECK(rig.story(free).has("applied"));
  CHECK_FALSE(rig.story(caught).has("committed"));
}

TEST_CASE("leases: what is for later outlives a lease that ends before it falls due") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox")));
  const auto id = rig.schedule(gain("vox", -8), at_engine(rig.now() + 48'000));
  const std::string token = rig.take("vox", 30.0);
  rig.pass(31.0);
  REQUIRE(rig.until([&] { return rig.story(id).has("applied") || rig.story(id).has("cancelled"); }));
  CHECK_FALSE(rig.story(id).has("cancelled"));
}

TEST_CASE("leases: a scheduled transaction is taken back with the tokens of what it touches") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox") + ",{'cueInsert':{'cues':[{'name':'c','operations':[" + gain("vox", -3) + "]}]}}"));
  const auto first = rig.schedule(gain("vox", -8), at_engine(rig.now() + 480'000));
  const auto second = rig.schedule("{'go':{}}", at_engine(rig.now() + 490'000));
  const std::string token = rig.take("vox");
  for (const std::uint64_t id : {first, second}) {
    const auto refused = rig.cancel(id);
    REQUIRE(leased(refused));
    CHECK(refused.error().field == "leases");
    v1::CancelScheduledRequest request;
    request.set_transaction_id(id);
    request.add_leases(token);
    CHECK(rig.answer<v1::CancelScheduledResponse>([&](auto done) {
      rig.engine->cancel_scheduled(request, [](const v1::ApplyRequest&) { return Result<>(); }, std::move(done));
    }));
  }
}

TEST_CASE("leases: a cue that fires over a lease is refused whole, by its Go") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox") + "," + track("band") + ",{'cueInsert':{'cues':[{'name':'c','operations':[" +
                   gain("band", -2) + "," + gain("vox", -3) + "]}]}}"));
  const std::string token = rig.take("vox");
  const auto refused = rig.edit("{'go':{}}");
  REQUIRE(leased(refused));
  CHECK(refused.error().field == "operations[0].go.cue(c).operations[1]");
  CHECK(rig.status().cues().next().name() == "c");
  CHECK(rig.edit("{'go':{}}", {token}));
}

TEST_CASE("leases: a load needs every one, and ends them all") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox") + "," + track("band")));
  const std::vector<std::string> tokens = {rig.take("vox"), rig.take("band")};
  const auto load = [&](const std::vector<std::string>& with, bool dry_run = false) {
    LoadRequest request;
    request.json = "{\"format\":1,\"nodes\":[{\"id\":\"vox\",\"type\":\"track\"}]}";
    request.dry_run = dry_run;
    for (const std::string& token : with) request.leases.Add(std::string(token));
    return rig.answer<v1::LoadSessionResponse>(
        [&](auto done) { rig.engine->load(std::move(request), std::move(done)); });
  };
  const std::string before = rig.session();
  CHECK(leased(load({})));
  CHECK(leased(load({tokens[0]})));
  CHECK(leased(load({tokens[1]}, true)));
  CHECK(rig.session() == before);
  CHECK(rig.leases().size() == 2);
  REQUIRE(load(tokens, true));
  CHECK(rig.leases().size() == 2);
  static_cast<void>(rig.told());
  REQUIRE(load(tokens));
  CHECK(rig.leases().empty());
  const auto told = rig.told();
  REQUIRE(told.size() == 2);
  CHECK(told[0].kind() == Kind::KIND_GONE);
  CHECK(rig.edit(gain("vox", -3)));
}

TEST_CASE("leases: device, identify and calibration are of the whole") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox")));
  const std::string part = rig.take("vox");
  v1::IdentifyRequest identify;
  identify.set_channel(1);
  identify.set_seconds(0.1);
  v1::CalibrateRequest calibrate;
  calibrate.set_forget(true);
  v1::UseDeviceRequest use;
  use.set_name("stepped");
  const auto all = [&](const std::string& token) {
    if (!token.empty()) {
      identify.add_leases(token);
      calibrate.add_leases(token);
      use.add_leases(token);
    }
    const std::vector<bool> refused = {
        leased(rig.answer<v1::IdentifyResponse>([&](auto done) { rig.engine->identify(identify, std::move(done)); })),
        leased(
            rig.answer<v1::CalibrateResponse>([&](auto done) { rig.engine->calibrate(calibrate, std::move(done)); })),
        leased(rig.answer<v1::UseDeviceResponse>([&](auto done) { rig.engine->use_device(use, std::move(done)); }))};
    return static_cast<int>(std::ranges::count(refused, true));
  };
  CHECK(all("") == 0);
  const std::string whole = rig.take("", 30.0, {part});
  CHECK(all("") == 3);
  CHECK(all(part) == 3);
  CHECK(all(whole) == 0);
}

TEST_CASE("leases: a lost device does what it was told to, whoever has the whole") {
  RigOptions options;
  options.adjust = [](EngineConfig& config) { config.loss_stops_playback = true; };
  LeaseRig rig(options);
  const std::string token = rig.take("");
  REQUIRE(rig.edit("{'play':{}}", {token}));
  REQUIRE(rig.until([&] { return rig.engine->clock().rolling(); }));
  rig.hardware->lose();
  REQUIRE(rig.until([&] { return rig.status().device().host_api() == "clock"; }));
  REQUIRE(rig.until([&] { return !rig.engine->clock().rolling(); }));
  CHECK(rig.leases().size() == 1);
}

TEST_CASE("leases: one that is asked for while a transaction is under way comes behind it") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox")));
  std::vector<std::string> order;
  rig.engine->apply(Rig::request("{'operations':[" + gain("vox", -3) + "],'wait':'WAIT_COMMITTED'}"),
                    [&](const auto& answer) { order.push_back(answer ? "applied" : answer.error().reason); });
  v1::AcquireLeaseRequest request;
  request.set_path("vox");
  rig.engine->acquire_lease(request, [&](const auto& lease) { order.push_back(lease ? "leased" : "no"); });
  rig.engine->apply(Rig::request("{'operations':[" + gain("vox", -4) + "],'wait':'WAIT_COMMITTED'}"),
                    [&](const auto& answer) { order.push_back(answer ? "applied" : answer.error().reason); });
  REQUIRE(rig.until([&] { return order.size() == 3; }));
  CHECK(order == std::vector<std::string>{"applied", "leased", "LEASED"});
}

TEST_CASE("leases: a repeat with a request id is the same transaction, whatever tokens come along") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox")));
  const std::string token = rig.take("vox");
  v1::ApplyRequest request = Rig::request("{'operations':[" + gain("vox", -3) + "],'requestId':'r'}");
  request.add_leases(token);
  const auto first = rig.apply(request);
  REQUIRE(first);
  request.clear_leases();
  const auto again = rig.apply(request);
  REQUIRE(again);
  CHECK(again->transaction_id() == first->transaction_id());
}
