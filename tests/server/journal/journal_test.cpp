#include "server/journal/journal.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <fstream>
#include <future>
#include <string>

#include "server/journal/utc.hpp"
#include "tests/server/base/temp_folder.hpp"

namespace continuo::journal {
namespace {

v1::Event event(v1::Event::Kind kind, const std::string& message) {
  v1::Event made;
  made.set_kind(kind);
  made.set_message(message);
  return made;
}

v1::Event edit_by(const std::string& client, std::uint64_t transaction) {
  v1::Event made = event(v1::Event::KIND_EDIT, "set_params");
  made.mutable_origin()->set_client(client);
  made.set_transaction_id(transaction);
  return made;
}

Result<v1::ListEventsResponse> list(Journal& journal, const v1::ListEventsRequest& request = {}) {
  std::promise<Result<v1::ListEventsResponse>> promise;
  journal.list(request, [&](Result<v1::ListEventsResponse> answer) { promise.set_value(std::move(answer)); });
  return promise.get_future().get();
}

constexpr std::int64_t kSecond = 1'000'000'000;

/// A second later with each event.
struct Ticking {
  std::atomic<std::int64_t> seconds{1'000'000'000};
  Journal::Clocks clocks() {
    return {[this] { return seconds.fetch_add(1) * kSecond; }, [this] { return seconds.load() * 48'000; }};
  }
};

TEST_CASE("what happened is there in its order, with its time and frame, also after a restart") {
  const TempFolder folder;
  Ticking time;
  {
    Journal journal(folder.path(), time.clocks());
    journal.add(event(v1::Event::KIND_LOG, "one"));
    journal.add(event(v1::Event::KIND_LOSS, "two"));
    const auto first = list(journal);
    REQUIRE(first);
    REQUIRE(first->events_size() == 2);
    CHECK(first->events(0).message() == "one");
    CHECK(first->events(0).utc() == "2001-09-09T01:46:40.000000000Z");
    CHECK(first->events(0).engine_frame() == 1'000'000'001 * std::int64_t{48'000});
    CHECK(first->events(0).count() == 1);
    CHECK(first->events(0).severity() == v1::Event::SEVERITY_INFO);
    journal.add(event(v1::Event::KIND_TAKE, "three"));  // written by the end
  }
  Journal journal(folder.path(), time.clocks());
  journal.add(event(v1::Event::KIND_LOG, "four"));
  const auto all = list(journal);
  REQUIRE(all);
  REQUIRE(all->events_size() == 4);
  std::uint64_t id = 0;
  for (const v1::Event& one : all->events()) {
    CHECK(one.id() > id);
    id = one.id();
  }
  CHECK(all->events(3).message() == "four");
  CHECK(journal.problem().empty());
}

TEST_CASE("questions: since, until, behind an id, of kinds, by pages, the last ones") {
  const TempFolder folder;
  Ticking time;
  Journal journal(folder.path(), time.clocks());
  for (int i = 0; i < 10; ++i)
    journal.add(event(i % 2 == 0 ? v1::Event::KIND_LOG : v1::Event::KIND_TAKE, std::to_string(i)));
  const auto messages = [&](const v1::ListEventsRequest& request) {
    std::string text;
    const auto found = list(journal, request);
    REQUIRE(found);
    for (const v1::Event& one : found->events()) text += one.message();
    return text + (found->more() ? "+" : "");
  };
  v1::ListEventsRequest request;
  CHECK(messages(request) == "0123456789");
  request.set_page_size(4);
  CHECK(messages(request) == "0123+");
  request.set_last(true);
  CHECK(messages(request) == "6789");
  request.set_last(false);
  request.set_after_id(list(journal)->events(5).id());
  CHECK(messages(request) == "6789");
  request.Clear();
  request.set_since_utc("2001-09-09T01:46:43Z");
  request.set_until_utc("2001-09-09T01:46:45.000Z");
  CHECK(messages(request) == "345");
  request.add_kinds(v1::Event::KIND_TAKE);
  CHECK(messages(request) == "35");

  const auto field_of = [&](const v1::ListEventsRequest& wrong) { return list(journal, wrong).error().field; };
  v1::ListEventsRequest wrong;
  wrong.set_since_utc("yesterday");
  CHECK(field_of(wrong) == "since_utc");
  wrong.Clear();
  wrong.set_page_size(1001);
  CHECK(field_of(wrong) == "page_size");
  wrong.set_page_size(0);
  CHECK(field_of(wrong) == "page_size");
  wrong.Clear();
  wrong.add_kinds(v1::Event::KIND_UNSPECIFIED);
  CHECK(field_of(wrong) == "kinds");
}

TEST_CASE("edits of values by one client become one event, other clients' and other edits do not") {
  const TempFolder folder;
  Ticking time;
  std::uint64_t edits = 0;
  std::uint64_t lines = 0;
  {
    Journal journal(folder.path(), time.clocks());
    for (std::uint64_t i = 0; i < 1000; ++i) {
      journal.add(edit_by("a", 2 * i), true);
      journal.add(edit_by("b", 2 * i + 1), true);
    }
    journal.add(edit_by("a", 5000));
    const auto found = list(journal);
    REQUIRE(found);
    for (const v1::Event& one : found->events()) {
      edits += one.count();
      ++lines;
      CHECK(one.cause().empty());
    }
    CHECK(found->events(found->events_size() - 1).transaction_id() == 5000);
  }
  CHECK(edits == 2001);
  CHECK(lines < 1000);
}

TEST_CASE("the bound holds: the oldest go, edits and all else apart") {
  const TempFolder folder;
  std::string told;
  auto store = Store::open(folder.path() / "journal.db", told, {100, 50});
  REQUIRE(store);
  for (int i = 0; i < 500; ++i) {
    const Store::Entry entries[] = {{edit_by("a", static_cast<std::uint64_t>(i)), i},
                                    {event(v1::Event::KIND_LOG, std::to_string(i)), i}};
    REQUIRE((*store)->append(entries));
  }
  Store::Query query;
  query.limit = 1000;
  query.kinds = {v1::Event::KIND_EDIT};
  const auto edits = (*store)->find(query);
  REQUIRE(edits);
  CHECK(edits->events.size() <= 100);
  CHECK(edits->events.size() > 90);
  CHECK(edits->events.back().transaction_id() == 499);
  query.kinds = {v1::Event::KIND_LOG};
  const auto logs = (*store)->find(query);
  REQUIRE(logs);
  CHECK(logs->events.size() <= 50);
  CHECK(logs->events.size() > 40);
  CHECK(logs->events.back().message() == "499");
}

TEST_CASE("lines of the log and refusals push out neither each other nor anything else") {
  const TempFolder folder;
  std::string told;
  auto store = Store::open(folder.path() / "journal.db", told, {100, 50});
  REQUIRE(store);
  const Store::Entry first[] = {{event(v1::Event::KIND_LOAD, "a load"), 0},
                                {event(v1::Event::KIND_REFUSAL, "a refusal"), 0}};
  REQUIRE((*store)->append(first));
  for (int i = 0; i < 500; ++i) {
    const Store::Entry line[] = {{event(v1::Event::KIND_LOG, "noise"), i}};
    REQUIRE((*store)->append(line));
  }
  const auto found = (*store)->find({});
  REQUIRE(found);
  CHECK(found->events.size() <= 52);
  CHECK(found->events[0].message() == "a load");
  CHECK(found->events[1].message() == "a refusal");
}

TEST_CASE("a journal whose file is deleted under it begins a new one, and says so") {
  const TempFolder folder;
  Ticking time;
  Journal journal(folder.path(), time.clocks());
  journal.add(event(v1::Event::KIND_LOG, "before"));
  REQUIRE(list(journal));
  for (const char* name : {"journal.db", "journal.db-wal", "journal.db-shm"})
    std::filesystem::remove(folder.path() / name);
  journal.add(event(v1::Event::KIND_LOG, "after"));
  const auto found = list(journal);
  REQUIRE(found);
  REQUIRE(found->events_size() == 2);
  CHECK(found->events(0).message().find("deleted") != std::string::npos);
  CHECK(found->events(1).message() == "after");
  CHECK(std::filesystem::exists(folder.path() / "journal.db"));
}

TEST_CASE("a file that is no journal is kept beside, and the journal says so") {
  const TempFolder folder;
  std::ofstream(folder.path() / "journal.db") << std::string(5000, 'x');
  Ticking time;
  Journal journal(folder.path(), time.clocks());
  journal.add(event(v1::Event::KIND_LOG, "on"));
  const auto found = list(journal);
  REQUIRE(found);
  const auto after = list(journal);
  REQUIRE(after);
  std::string all;
  for (const v1::Event& one : after->events()) all += one.message() + "\n";
  CHECK(all.find("journal.db.old-1") != std::string::npos);
  CHECK(all.find("on\n") != std::string::npos);
  CHECK(std::filesystem::file_size(folder.path() / "journal.db.old-1") == 5000);
}

TEST_CASE("without a folder nothing waits, nothing breaks, and the loss is counted") {
  const TempFolder folder;
  std::ofstream(folder.path() / "file") << "x";
  Ticking time;
  Journal journal(folder.path() / "file", time.clocks());
  const auto first = list(journal);
  REQUIRE_FALSE(first);
  CHECK(first.error().kind == ErrorKind::data_loss);
  CHECK_FALSE(journal.problem().empty());
  journal.add(event(v1::Event::KIND_LOG, "lost"));
  CHECK_FALSE(list(journal));
  CHECK(journal.lost() == 1);
}

TEST_CASE("UTC is read and written to the nanosecond") {
  CHECK(utc_text(0) == "1970-01-01T00:00:00.000000000Z");
  CHECK(utc_text(1'795'176'000'500'000'001) == "2026-11-20T12:00:00.500000001Z");
  CHECK(parse_utc("2026-11-20T12:00:00.500000001Z") == 1'795'176'000'500'000'001);
  for (const char* text :
       {"", "now", "2026-11-20", "2026-11-20T12:00:00", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z"})
    CHECK_FALSE(parse_utc(text));
}

}  // namespace
}  // namespace continuo::journal
