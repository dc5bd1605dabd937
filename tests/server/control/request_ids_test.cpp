// Request ids as a file: what is in it, what of it counts, and what is no such file.
#include "server/control/request_ids.hpp"

#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

KeptRequest entry(const std::string& id, std::uint64_t stand, const std::string& identity = "user anna") {
  auto named = std::make_shared<KeptRequest::Named>();
  *named = {identity, id, "digest of " + id, 1'700'000'000'000'000'000};
  auto outcome = std::make_shared<Outcome>();
  outcome->known = outcome->final = true;
  outcome->stand = stand;
  outcome->response.set_transaction_id(stand + 7);
  return {named, outcome};
}

std::vector<std::string> ids_of(const std::vector<KeptRequest>& entries) {
  std::vector<std::string> ids;
  for (const KeptRequest& one : entries) ids.push_back(one.named->id);
  return ids;
}

}  // namespace

TEST_CASE("request ids: the file says what was put into it, and which text has what") {
  RequestIds ids;
  ids.before = {std::string(64, 'a'), 3};
  ids.next = {std::string(64, 'b'), 5};
  ids.entries = {entry("one", 2), entry("two", 4), entry("go", 0), entry("three", 5), entry(std::string(1, '\0'), 6)};
  auto refused = std::make_shared<Outcome>();
  refused->known = refused->final = true;
  refused->error = make_error(ErrorKind::already_exists, "DUPLICATE_ID", "operations[0]", "it is there");
  ids.entries.push_back({entry("refused", 0).named, refused});
  const std::string bytes = print_request_ids(ids);
  const auto read = [&] {
    auto parsed = parse_request_ids(bytes);
    REQUIRE(parsed);
    return *parsed;
  };
  CHECK(read().before.sha256 == ids.before.sha256);
  CHECK(read().next.stand == 5);
  REQUIRE(ids_of(read().entries) == ids_of(ids.entries));
  CHECK(read().entries[1].named->identity == "user anna");
  CHECK(read().entries[1].named->content == "digest of two");
  CHECK(read().entries[1].named->utc_ns == 1'700'000'000'000'000'000);
  CHECK(read().entries[1].outcome->response.transaction_id() == 11);
  REQUIRE(read().entries[5].outcome->error);
  CHECK(read().entries[5].outcome->error->kind == ErrorKind::already_exists);
  CHECK(read().entries[5].outcome->error->field == "operations[0]");
  CHECK(ids_of(read().counting(ids.before.sha256)) == std::vector<std::string>{"one", "go", "refused"});
  CHECK(ids_of(read().counting(ids.next.sha256)) == std::vector<std::string>{"one", "two", "go", "three", "refused"});
  CHECK(ids_of(read().counting(std::string(64, 'c'))) == std::vector<std::string>{"go", "refused"});
  CHECK(ids_of(read().counting("")) == std::vector<std::string>{"go", "refused"});
  // The same text twice: as if nothing had been done in between, so the later one.
  ids.before.sha256 = ids.next.sha256;
  CHECK(ids_of(std::move(ids).counting(ids.next.sha256)).size() == 5);
  // No text at all is none that there was.
  RequestIds none;
  none.next.stand = 9;
  none.entries = {entry("x", 9)};
  CHECK(std::move(none).counting("").empty());
}

TEST_CASE("request ids: every wrong bit and every cut is noticed") {
  RequestIds ids;
  ids.next = {std::string(64, 'b'), 5};
  ids.entries = {entry("one", 2), entry("two", 4)};
  const std::string bytes = print_request_ids(ids);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string wrong = bytes;
    wrong[i] = static_cast<char>(wrong[i] ^ 4);
    REQUIRE_FALSE(parse_request_ids(wrong));
    REQUIRE_FALSE(parse_request_ids(bytes.substr(0, i)));
  }
  CHECK_FALSE(parse_request_ids(bytes + "x"));
  CHECK_FALSE(parse_request_ids(""));
  // Signed as it should be, and no list all the same.
  for (const std::string& body : {std::string("continuo request ids 1\n\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 33),
                                  std::string("continuo request ids 1\n\x00\x00\x00\x00\x05", 28)}) {
    CHECK_FALSE(parse_request_ids(body + sha256_of(body)));
  }
  CHECK_FALSE(parse_request_ids(std::string(2 * RequestIds::kMaxBytes + 1, 'x')));
}

TEST_CASE("request ids: the file has a bound, and the oldest go") {
  RequestIds ids;
  const std::string large(900, 'x');
  for (int i = 0; i < 10'000; ++i) {
    ids.entries.push_back(entry(std::to_string(i), 1));
    const_cast<Outcome&>(*ids.entries.back().outcome).response.add_warnings(large);
  }
  const std::string bytes = print_request_ids(ids);
  CHECK(bytes.size() < RequestIds::kMaxBytes + 4096);
  const auto read = parse_request_ids(bytes);
  REQUIRE(read);
  CHECK(read->entries.size() > 8000);
  CHECK(read->entries.size() < 10'000);
  CHECK(read->entries.back().named->id == "9999");
}

TEST_CASE("request ids: what comes back lives as long as it has left, and the clock may go back") {
  std::int64_t utc_s = 1'700'000'000;
  RequestLog log([&] { return utc_s * 1'000'000'000; });
  utc_s += 601;
  log.restore({entry("old", 0)});
  CHECK(log.size() == 0);
  utc_s -= 2;
  log.restore({entry("old", 0)});
  CHECK(log.size() == 1);
  utc_s -= 100'000;  // it is of tomorrow now
  log.restore({entry("early", 0), entry("old", 0)});
  CHECK(log.size() == 2);
  CHECK(log.kept().size() == 0);  // committed by nobody: these are bare answers
  std::vector<KeptRequest> many;
  for (std::size_t i = 0; i < RequestLog::kKept + 5; ++i) many.push_back(entry("m" + std::to_string(i), 0));
  log.restore(many);
  CHECK(log.size() == RequestLog::kKept);
}

TEST_CASE("request ids: only what was done, or refused for good, is kept") {
  RequestLog log;
  const auto add = [&](const std::string& id, v1::ApplyResponse::Outcome how, std::optional<Error> error,
                       bool known_now, bool final_now) {
    v1::ApplyRequest request;
    request.set_request_id(id);
    auto outcome = std::make_shared<Outcome>();
    outcome->response.set_outcome(how);
    outcome->error = std::move(error);
    outcome->known = known_now;
    outcome->final = final_now;
    log.add(request, outcome);
    return outcome;
  };
  add("waits", v1::ApplyResponse::OUTCOME_UNSPECIFIED, {}, false, false);
  add("held", v1::ApplyResponse::OUTCOME_SCHEDULED, {}, true, false);
  add("valid", v1::ApplyResponse::OUTCOME_VALID, {}, true, true);
  add("busy", v1::ApplyResponse::OUTCOME_UNSPECIFIED, make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "", ""), true,
      true);
  add("wrong", v1::ApplyResponse::OUTCOME_UNSPECIFIED, make_error(ErrorKind::not_found, "UNKNOWN_NODE", "", ""), true,
      true);
  const auto committed = add("committed", v1::ApplyResponse::OUTCOME_COMMITTED, {}, true, false);
  add("applied", v1::ApplyResponse::OUTCOME_APPLIED, {}, true, true);
  const auto kept = log.kept();
  CHECK(ids_of(kept) == std::vector<std::string>{"wrong", "committed", "applied"});
  committed->response.set_outcome(v1::ApplyResponse::OUTCOME_APPLIED);  // the strand goes on; the copy stays
  CHECK(kept[1].outcome->response.outcome() == v1::ApplyResponse::OUTCOME_COMMITTED);
}
