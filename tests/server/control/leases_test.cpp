// Exclusive control: who has it, until when, and what nobody else may do meanwhile.
#include "server/control/leases.hpp"

#include <algorithm>
#include <fstream>
#include <future>
#include <iterator>
#include <set>

#include "tests/server/control/lease_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

using Kind = v1::LeaseEvent;

/// Every byte that the daemon wrote about itself.
std::string state_of(const Rig& rig) {
  std::string all;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(rig.folder.path() / "state")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    all.append(std::istreambuf_iterator<char>(in), {});
  }
  return all;
}

}  // namespace

TEST_CASE("leases: without the token nothing changes in what is covered, and the error says what and who") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox") + "," + track("band")));
  const auto lease = rig.acquire("vox", 60.0);
  REQUIRE(lease);
  CHECK(lease->token().size() == 32);
  CHECK(lease->path() == "vox");
  CHECK(lease->has_uid());
  CHECK(lease->seconds() == 60.0);
  CHECK(lease->holder().identity() == "user anna");
  CHECK(lease->holder().client() == "desk");
  const std::string before = rig.session();
  const auto refused = rig.edit(gain("band", -1) + "," + gain("vox", -3));
  REQUIRE(leased(refused));
  CHECK(refused.error().kind == ErrorKind::failed_precondition);
  CHECK(refused.error().field == "operations[1]");
  CHECK(refused.error().message.find("\"vox\"") != std::string::npos);
  CHECK(refused.error().message.find("user anna") != std::string::npos);
  CHECK(refused.error().message.find(lease->token()) == std::string::npos);
  CHECK(rig.session() == before);
  CHECK(rig.edit(gain("band", -1)));
  CHECK(rig.edit(gain("vox", -3), {"nonsense", lease->token()}));
  REQUIRE(rig.release(lease->token()));
  CHECK(rig.edit(gain("vox", -4)));
  CHECK(rig.edit(gain("vox", -5), {lease->token()}));  // a token of what is over is none too many
}

TEST_CASE("leases: one ends by its clock alone, and a renewal counts from then on") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox")));
  const std::string token = rig.take("vox", 30.0);
  rig.pass(29.0);
  CHECK(leased(rig.edit(gain("vox", -3))));
  const auto renewed = rig.renew(token);
  REQUIRE(renewed);
  CHECK(renewed->seconds() == 30.0);
  CHECK(renewed->token() == token);
  rig.pass(29.0);
  CHECK(leased(rig.edit(gain("vox", -3))));
  REQUIRE(rig.renew(token, 5.0));
  rig.pass(5.0);
  static_cast<void>(rig.told());
  CHECK(rig.edit(gain("vox", -3)));
  const auto told = rig.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind() == Kind::KIND_ENDED);
  const auto late = rig.renew(token);
  REQUIRE_FALSE(late);
  CHECK(late.error().kind == ErrorKind::not_found);
  CHECK(late.error().reason == "UNKNOWN_LEASE");
  CHECK(rig.release(token).error().reason == "UNKNOWN_LEASE");
}

TEST_CASE("leases: the end is told without anybody asking") {
  RigOptions options;
  LeaseRig rig(options);
  const std::string token = rig.take("", 1.0);
  rig.pass(2.0);
  // The timer was set for a second of the lease's clock, and looks again.
  REQUIRE(rig.until([&] {
    const auto told = rig.told();
    return std::ranges::any_of(told, [](const auto& event) { return event.kind() == Kind::KIND_ENDED; });
  }));
  CHECK(rig.leases().empty());
}

TEST_CASE("leases: what overlaps is refused unless its token comes along; then both are asked for") {
  LeaseRig rig;
  REQUIRE(rig.edit(box("a") + "," + track("b", "a") + "," + track("ab")));
  const std::string outer = rig.take("a");
  for (const char* path : {"a", "a/b", ""}) {
    CAPTURE(path);
    const auto refused = rig.acquire(path);
    REQUIRE(leased(refused));
    CHECK(refused.error().field == "path");
  }
  const std::string beside = rig.take("ab");
  const std::string inner = rig.take("a/b", 30.0, {outer});
  CHECK(leased(rig.edit(gain("a/b", -3), {outer})));
  CHECK(leased(rig.edit(gain("a/b", -3), {inner})));
  CHECK(rig.edit(gain("a/b", -3), {outer, inner}));
  CHECK(leased(rig.acquire("", 30.0, {outer, inner})));
  const std::string whole = rig.take("", 30.0, {outer, inner, beside});
  CHECK(leased(rig.edit("{'play':{}}", {outer, inner, beside})));
  CHECK(rig.edit("{'play':{}}", {whole}));
  const auto missing = rig.acquire("nobody");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::not_found);
}

TEST_CASE("leases: what is out of bounds is refused by name") {
  LeaseRig rig;
  const auto refused = [&](const v1::AcquireLeaseRequest& request) {
    const auto answer = rig.acquire(request);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind == ErrorKind::invalid_argument);
    return answer.error().field;
  };
  v1::AcquireLeaseRequest request;
  for (const double seconds : {0.0, 0.99, 86'400.5, -1.0, 1e300}) {
    request.set_seconds(seconds);
    CHECK(refused(request) == "seconds");
  }
  request.clear_seconds();
  std::string text;
  for (int i = 0; i < 200; ++i) text += "\xC3\xA4";
  request.set_note(text);
  request.set_client(text);
  const auto lease = rig.acquire(request);
  REQUIRE(lease);
  CHECK(lease->seconds() == 30.0);
  CHECK(lease->note() == text);
  request.set_note(text + "a");
  CHECK(refused(request) == "note");
  request.clear_note();
  request.set_client(text + "a");
  CHECK(refused(request) == "client");
  request.clear_client();
  for (int i = 0; i < 17; ++i) request.add_leases("x");
  CHECK(refused(request) == "leases");
  const auto many = rig.edit("{'play':{}}", std::vector<std::string>(17, lease->token()));
  REQUIRE_FALSE(many);
  CHECK(many.error().field == "leases");
  CHECK(rig.edit("{'play':{}}", std::vector<std::string>(16, lease->token())));
}

TEST_CASE("leases: as many as GetInfo says, the newcomer is refused, and one that goes makes room") {
  LeaseRig rig;
  const auto info = rig.answer<v1::GetInfoResponse>([&](auto done) { rig.engine->info(std::move(done)); });
  REQUIRE(info);
  REQUIRE(info->max_leases() == Leases::kMaxHeld);
  std::string nodes;
  for (std::size_t i = 0; i <= Leases::kMaxHeld; ++i) nodes += (i ? "," : "") + track("t" + std::to_string(i));
  REQUIRE(rig.edit(nodes));
  std::set<std::string> tokens;
  std::set<std::uint64_t> ids;
  for (std::size_t i = 0; i < Leases::kMaxHeld; ++i) tokens.insert(rig.take("t" + std::to_string(i)));
  for (const v1::Lease& lease : rig.leases()) ids.insert(lease.lease_id());
  CHECK(tokens.size() == Leases::kMaxHeld);
  CHECK(ids.size() == Leases::kMaxHeld);
  const std::string last = "t" + std::to_string(Leases::kMaxHeld);
  const auto full = rig.acquire(last);
  REQUIRE_FALSE(full);
  CHECK(full.error().kind == ErrorKind::resource_exhausted);
  REQUIRE(rig.release(*tokens.begin()));
  CHECK(rig.acquire(last));
}

TEST_CASE("leases: lists, events and the journal tell who and what, and no token is anywhere") {
  LeaseRig rig;
  REQUIRE(rig.edit(track("vox")));
  v1::AcquireLeaseRequest request;
  request.set_path("vox");
  request.set_note("show");
  request.set_client("desk");
  const auto first = rig.acquire(request);
  REQUIRE(first);
  CHECK(leased(rig.edit(gain("vox", -1))));
  REQUIRE(rig.leases().size() == 1);
  CHECK(rig.leases()[0].token().empty());
  CHECK(rig.leases()[0].note() == "show");
  REQUIRE(rig.renew(first->token()));
  CHECK_FALSE(rig.renew("nonsense"));
  REQUIRE(rig.release(first->token()));
  const auto second = rig.acquire(request);
  REQUIRE(second);
  REQUIRE(rig.break_lease(second->lease_id()));
  CHECK(rig.break_lease(second->lease_id()).error().reason == "UNKNOWN_LEASE");
  CHECK(second->lease_id() != first->lease_id());
  CHECK(rig.edit(gain("vox", -1)));
  const auto told = rig.told();
  REQUIRE(told.size() == 4);
  CHECK(told[0].kind() == Kind::KIND_ACQUIRED);
  CHECK(told[1].kind() == Kind::KIND_RELEASED);
  CHECK(told[2].kind() == Kind::KIND_ACQUIRED);
  CHECK(told[3].kind() == Kind::KIND_BROKEN);
  CHECK(told[3].origin().identity() == "user boss");
  for (const auto& event : told) {
    CHECK(event.lease().token().empty());
    CHECK(event.lease().holder().identity() == "user anna");
    CHECK(event.has_origin() == (event.kind() == Kind::KIND_BROKEN));
  }
  v1::ListEventsRequest ask;
  ask.add_kinds(v1::Event::KIND_LEASE);
  std::promise<Result<v1::ListEventsResponse>> answer;
  rig.engine->journal().list(ask, [&](auto events) { answer.set_value(std::move(events)); });
  const auto events = answer.get_future().get();
  REQUIRE(events);
  std::vector<std::string> causes;
  for (const auto& event : events->events()) causes.push_back(event.cause() + " " + event.origin().identity());
  CHECK(causes ==
        std::vector<std::string>{"ACQUIRED user anna", "RELEASED user anna", "ACQUIRED user anna", "BROKEN user boss"});
  rig.shutdown();
  const std::string disk = state_of(rig);
  REQUIRE(disk.find("BROKEN") != std::string::npos);
  CHECK(disk.find(first->token()) == std::string::npos);
  CHECK(disk.find(second->token()) == std::string::npos);
}
