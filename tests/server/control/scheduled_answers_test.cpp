// What callers are told of scheduled transactions, and how many there may be.
#include <optional>
#include <string>
#include <vector>

#include "server/control/scheduled.hpp"
#include "tests/server/control/scheduled_requests.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

TEST_CASE("a request id tells the outcome as it is: scheduled, then applied, or cancelled") {
  ScheduledRig rig;
  rig.applied(kTone);
  const std::int64_t due = rig.now() + 48'000;
  const auto one = request(set_gain("a", -6), at_engine(due), ",'requestId':'one'");
  const auto first = rig.apply(one);
  REQUIRE(first);
  const auto again = rig.apply(one);
  REQUIRE(again);
  CHECK(again->outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED);
  CHECK(again->transaction_id() == first->transaction_id());
  CHECK(rig.list().transactions_size() == 1);
  CHECK(rig.apply(request(set_gain("a", -7), at_engine(due), ",'requestId':'one'")).error().reason ==
        "REQUEST_ID_REUSED");
  rig.hardware->run(static_cast<std::uint64_t>(due - rig.now()) - 3'000);
  CHECK(rig.wait_applied(first->transaction_id()) == due);
  const auto after = rig.apply(one);
  REQUIRE(after);
  CHECK(after->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  CHECK(after->engine_frame() == due);
  CHECK(rig.status().revision().number() == 2);

  const auto two = request(set_gain("a", -8), kLater, ",'requestId':'two'");
  REQUIRE(rig.cancel(rig.apply(two)->transaction_id()));
  CHECK(rig.apply(two).error().reason == "CANCELLED");
}

TEST_CASE("what a caller waits for: scheduled unless asked, and at the end of its patience what is true") {
  ScheduledRig rig;
  rig.applied(kTone);
  for (const char* wait : {",'wait':'WAIT_APPLIED','maxWaitMs':20", ",'wait':'WAIT_COMMITTED','maxWaitMs':20"}) {
    const auto answer = rig.apply(request(set_gain("a", -6), kLater, wait));
    REQUIRE(answer);
    CHECK(answer->outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED);
    CHECK_FALSE(answer->has_engine_frame());
  }
  std::optional<Result<v1::ApplyResponse>> waits;
  const std::int64_t due = rig.now() + 5'000;
  rig.engine->apply(
      Rig::request(request(set_gain("a", -9), at_engine(due), ",'wait':'WAIT_APPLIED','maxWaitMs':60000")),
      [&](auto answer) { waits.emplace(std::move(answer)); });
  rig.stepping = false;  // the device stands still: committed, never called applied
  REQUIRE(rig.until([&] { return rig.status().revision().number() == 2; }));
  rig.turns(5);
  CHECK_FALSE(waits);
  const auto other = rig.apply("{'operations':[" + set_gain("a", -10) + "],'maxWaitMs':20}");
  REQUIRE(other);
  CHECK(other->outcome() == v1::ApplyResponse::OUTCOME_COMMITTED);
  rig.stepping = true;
  REQUIRE(rig.until([&] { return waits.has_value(); }));
  REQUIRE(*waits);
  CHECK((*waits)->outcome() == v1::ApplyResponse::OUTCOME_APPLIED);
  CHECK((*waits)->engine_frame() == due);
  CHECK(rig.wait_applied(other->transaction_id()) == due);
}

TEST_CASE("the number of scheduled transactions is bounded, so are their operations; the loser is the newcomer") {
  ScheduledRig rig;
  rig.applied(kTone);
  std::size_t taken = 0;
  const auto fill = [&](std::size_t count, const v1::ApplyRequest& request) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t before = taken;
      rig.engine->apply(request, [&](const auto& answer) { taken += answer ? 1 : 0; });
      REQUIRE(rig.until([&] { return taken > before; }));
    }
  };
  fill(Scheduled::kMaxHeld, Rig::request(request(set_gain("a", -6), kLater)));
  const auto over = rig.apply(request(set_gain("a", -6), kLater));
  REQUIRE_FALSE(over);
  CHECK(over.error().kind == ErrorKind::resource_exhausted);
  CHECK(over.error().reason == "TOO_MANY_SCHEDULED");
  CHECK(rig.apply(request(set_gain("a", -6), kLater, ",'dryRun':true"))->outcome() ==
        v1::ApplyResponse::OUTCOME_INVALID);
  rig.applied("{'operations':[" + add_track("b") + "]}");  // others are not concerned
  const auto first = rig.list().transactions(0).transaction_id();
  REQUIRE(rig.cancel(first));
  fill(1, Rig::request(request(set_gain("a", -6), kLater)));
  REQUIRE(rig.load("{'format':1}"));

  rig.applied(kTone);
  v1::ApplyRequest big = Rig::request(request(set_gain("a", -6), kLater));
  while (big.operations_size() < 10'000) *big.add_operations() = big.operations(0);
  fill(Scheduled::kMaxOperations / 10'000, big);
  CHECK(rig.apply(request(set_gain("a", -6), kLater)).error().reason == "TOO_MANY_SCHEDULED");
}

TEST_CASE("the list comes in pages, and leaves out what is large") {
  ScheduledRig rig;
  rig.applied(kTone);
  v1::ApplyRequest big =
      Rig::request(request("{'setLabel':{'path':'a','label':'" + std::string(60'000, 'x') + "'}}", kLater));
  v1::ApplyRequest larger =
      Rig::request(request("{'setLabel':{'path':'a','label':'" + std::string(70'000, 'x') + "'}}", kLater));
  // The label itself is bounded, so that operations make the size.
  for (v1::ApplyRequest* request : {&big, &larger}) {
    const std::size_t bytes = request->operations(0).set_label().label().size();
    request->mutable_operations(0)->mutable_set_label()->set_label(std::string(100, 'x'));
    while (request->ByteSizeLong() + 200 < bytes) *request->add_operations() = request->operations(0);
  }
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 20; ++i) {
    const auto answer = rig.apply(i == 3 ? larger : big);
    REQUIRE_MESSAGE(answer, answer.error().message);
    ids.push_back(answer->transaction_id());
  }
  std::vector<std::uint64_t> listed;
  std::string token;
  int pages = 0;
  do {
    const auto page = rig.list(token);
    CHECK(page.ByteSizeLong() < (1u << 20) + (128u << 10));
    for (const auto& transaction : page.transactions()) {
      listed.push_back(transaction.transaction_id());
      CHECK((transaction.operations_size() == 0) == (transaction.transaction_id() == ids[3]));
      CHECK(transaction.operation_count() > 1);
    }
    token = page.next_page_token();
    ++pages;
  } while (!token.empty());
  CHECK(pages == 2);
  CHECK(listed == ids);
  v1::ListScheduledRequest bad;
  bad.set_page_token("x");
  CHECK_FALSE(
      rig.answer<v1::ListScheduledResponse>([&](auto done) { rig.engine->list_scheduled(bad, std::move(done)); }));
}
