// Watchers of jobs: how often they hear, what a slow one holds, and how it ends.
#include <set>

#include "tests/server/control/jobs_table.hpp"

namespace continuo::control::test {
namespace {

using State = v1::Job;

TEST_CASE("watchers hear of a job ten times a second at most, and the end is the last") {
  Table table;
  const std::uint64_t id = table.begin();
  const auto state = table.jobs->state_of(id);
  const auto feed = *table.jobs->watch(id);
  auto next = feed->next([] {});
  REQUIRE(next.message);
  CHECK(next.message->state() == State::STATE_RUNNING);
  CHECK_FALSE(next.message->has_progress());
  int woken = 0;
  CHECK_FALSE(feed->next([&] { ++woken; }).message);
  table.pass(1s);
  int heard = 0;
  for (int ms = 0; ms < 1000; ms += 10) {  // a hundred changes in a second
    state->progress = ms / 1000.0;
    table.pass(10ms);
    table.jobs->look();
    if (feed->next([&] { ++woken; }).message) ++heard;
  }
  CHECK(heard <= 10);
  CHECK(heard >= 9);
  CHECK(woken >= heard - 1);
  table.done(id);
  table.done(id);
  table.jobs->look();  // not due yet: told within the same tenth of a second
  table.pass(100ms);
  table.jobs->look();
  next = feed->next([] {});
  REQUIRE(next.message);
  CHECK(next.message->state() == State::STATE_DONE);
  CHECK(next.message->bytes() == 7);
  next = feed->next([] {});
  REQUIRE(next.end);
  CHECK(*next.end);
  // A watch of what has ended: the job, and the end.
  const auto late = *table.jobs->watch(id);
  CHECK(late->next([] {}).message->state() == State::STATE_DONE);
  CHECK(late->next([] {}).end);
  CHECK(table.jobs->watch(99).error().reason == "UNKNOWN_JOB");
}

TEST_CASE("a watcher that does not read holds the newest of each job and no more") {
  Table table;
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(table.begin());
  const auto feed = *table.jobs->watch(std::nullopt);
  CHECK(feed->waiting() == 3);
  for (int i = 1; i <= 1000; ++i) {
    for (const std::uint64_t id : ids) table.jobs->state_of(id)->progress = i / 1000.0;
    table.pass(100ms);
    table.jobs->look();
  }
  CHECK(feed->waiting() == 3);
  std::set<std::uint64_t> told;
  for (int i = 0; i < 3; ++i) {
    const auto next = feed->next([] {});
    REQUIRE(next.message);
    CHECK(next.message->progress() == 1.0);
    told.insert(next.message->job_id());
  }
  CHECK(told.size() == 3);
  // Many jobs that come and go: never more than the table has.
  for (std::size_t i = 0; i < Jobs::kMaxJobs * 2; ++i) {
    table.pass(1s);
    table.done(table.begin());
  }
  CHECK(feed->waiting() <= Jobs::kMaxJobs);
  table.jobs->close();
  const auto last = feed->next([] {});
  REQUIRE(last.end);
  CHECK_FALSE(*last.end);
}

}  // namespace
}  // namespace continuo::control::test
