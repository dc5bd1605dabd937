// The table of jobs: its bounds, its pages, its clock, and what a restart makes of it.
#include <sys/stat.h>

#include <fstream>

#include "tests/server/control/jobs_table.hpp"

namespace continuo::control::test {
namespace {

using State = v1::Job;

const auto kAnybody = [](v1::Job::Kind) { return Result<>(); };

TEST_CASE("a job runs, tells how far it is, and keeps what it came to") {
  Table table;
  Jobs::Begin begin;
  begin.kind = v1::Job::KIND_RENDER;
  begin.subject = "media:mix.wav";
  begin.waiting = true;
  const auto id = table.jobs->try_begin(std::move(begin));
  REQUIRE(id);
  CHECK(table.get(*id).state() == State::STATE_WAITING);
  CHECK_FALSE(table.get(*id).has_progress());
  table.jobs->run(*id);
  CHECK(table.get(*id).state() == State::STATE_RUNNING);
  table.jobs->state_of(*id)->progress = 0.25;
  CHECK(table.get(*id).progress() == 0.25);
  v1::Job result;
  result.mutable_render()->set_frames(480);
  table.jobs->end(*id, result);
  const v1::Job job = table.get(*id);
  CHECK(job.state() == State::STATE_DONE);
  CHECK(job.progress() == 1.0);
  CHECK(job.render().frames() == 480);
  CHECK_FALSE(job.ended_utc().empty());
  table.jobs->end(*id, make_error(ErrorKind::internal, "LATE", "", "too late"));
  CHECK(table.get(*id).state() == State::STATE_DONE);
  REQUIRE(table.events.size() == 2);
  CHECK(table.events[0].kind() == v1::Event::KIND_JOB);
  CHECK(table.events[0].cause() == "STARTED");
  CHECK(table.events[1].cause() == "DONE");
}

TEST_CASE("a cancel and a commit exclude each other") {
  Table table;
  int asked = 0;
  v1::Origin origin;
  origin.set_identity("user ben");
  SUBCASE("cancelled") {
    const std::uint64_t id = table.begin(v1::Job::KIND_UPLOAD, [&] { ++asked; });
    const JobTicket ticket(table.jobs->state_of(id), {});
    const auto answer = table.jobs->cancel(id, kAnybody, origin);
    REQUIRE(answer);
    CHECK(answer->state() == State::STATE_RUNNING);
    CHECK(table.jobs->cancel(id, kAnybody, origin));  // again: the same answer
    CHECK(asked == 1);
    CHECK(ticket.cancelled());
    CHECK_FALSE(ticket.try_commit());
    table.jobs->end(id, make_error(ErrorKind::aborted, "ANYTHING", "", "it ended"));
    CHECK(table.get(id).state() == State::STATE_CANCELLED);
    CHECK(table.get(id).message() == "cancelled by user ben");
    const auto late = table.jobs->cancel(id, kAnybody, origin);
    REQUIRE_FALSE(late);
    CHECK(late.error().reason == "JOB_ENDED");
    CHECK(late.error().kind == ErrorKind::failed_precondition);
  }
  SUBCASE("committed") {
    const std::uint64_t id = table.begin(v1::Job::KIND_LOAD, [&] { ++asked; });
    CHECK(JobTicket(table.jobs->state_of(id), {}).try_commit());
    const auto answer = table.jobs->cancel(id, kAnybody, origin);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().reason == "JOB_ENDED");
    CHECK(asked == 0);
  }
  SUBCASE("not allowed") {
    const std::uint64_t id = table.begin(v1::Job::KIND_UPLOAD, [&] { ++asked; });
    const auto answer = table.jobs->cancel(
        id, [](v1::Job::Kind) { return Result<>(make_error(ErrorKind::permission_denied, "ROLE", "", "no")); }, origin);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().reason == "ROLE");
    CHECK(asked == 0);
  }
  SUBCASE("unknown") {
    const auto answer = table.jobs->cancel(77, kAnybody, origin);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().kind == ErrorKind::not_found);
    CHECK(answer.error().reason == "UNKNOWN_JOB");
  }
}

TEST_CASE("a full table forgets the oldest that ended, and refuses where all are at work") {
  Table table;
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < Jobs::kMaxJobs; ++i) ids.push_back(table.begin());
  Jobs::Begin one;
  one.kind = v1::Job::KIND_UPLOAD;
  const auto refused = table.jobs->try_begin(one);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "TOO_MANY_JOBS");
  CHECK(refused.error().kind == ErrorKind::resource_exhausted);
  table.done(ids[5]);
  table.pass(1s);
  table.done(ids[3]);
  REQUIRE(table.jobs->try_begin(one));
  CHECK_FALSE(table.jobs->get(ids[5]));  // it ended first
  CHECK(table.jobs->get(ids[3]));
  CHECK(table.jobs->get(ids[0]));
}

TEST_CASE("of renders and scans only so many are at work") {
  Table table;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < Jobs::kMaxStarted; ++i)
    first = std::max(first, table.begin(i % 2 == 0 ? v1::Job::KIND_RENDER : v1::Job::KIND_SCAN));
  Jobs::Begin one;
  one.kind = v1::Job::KIND_SCAN;
  const auto refused = table.jobs->try_begin(one);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().reason == "TOO_MANY_JOBS");
  table.begin(v1::Job::KIND_UPLOAD);  // is bounded elsewhere
  table.jobs->end(first, make_error(ErrorKind::data_loss, "DISK_FULL", "", "full"));
  CHECK(table.get(first).reason() == "DISK_FULL");
  CHECK(table.jobs->try_begin(one));
}

TEST_CASE("pages give what stays exactly once while jobs come and go") {
  Table table;
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 10; ++i) ids.push_back(table.begin());
  std::string token;
  auto seen = table.page(4, token);
  CHECK(seen == std::vector{ids[9], ids[8], ids[7], ids[6]});
  table.begin();       // newer than the first page
  table.done(ids[6]);  // the token's own job goes
  table.pass(Jobs::kKept);
  for (const int left : {0, 1, 2, 3, 4, 5, 7, 8, 9}) CHECK(table.jobs->get(ids[static_cast<std::size_t>(left)]));
  CHECK_FALSE(table.jobs->get(ids[6]));
  seen = table.page(4, token);
  CHECK(seen == std::vector{ids[5], ids[4], ids[3], ids[2]});
  seen = table.page(4, token);
  CHECK(seen == std::vector{ids[1], ids[0]});
  CHECK(token.empty());
  v1::ListJobsRequest bad;
  bad.set_page_token("x");
  CHECK(table.jobs->list(bad).error().reason == "BAD_PAGE_TOKEN");
  bad.clear_page_token();
  bad.set_page_size(1001);
  CHECK(table.jobs->list(bad).error().reason == "BAD_PAGE_SIZE");
}

TEST_CASE("a page ends before it is too large for a message") {
  Table table;
  for (int i = 0; i < 12; ++i) {
    v1::Job job;
    job.mutable_scan()->add_broken()->set_message(std::string(1u << 20, 'x'));
    table.jobs->end(table.begin(v1::Job::KIND_SCAN), job);
  }
  std::string token;
  std::size_t all = 0, pages = 0;
  do {
    const auto ids = table.page(0, token);
    CHECK(ids.size() <= 4);
    all += ids.size();
    ++pages;
  } while (!token.empty() && pages < 20);
  CHECK(all == 12);
}

TEST_CASE("a day after its end a job is forgotten, and not while it runs") {
  Table table;
  const std::uint64_t ended = table.begin();
  const std::uint64_t runs = table.begin();
  table.done(ended);
  table.pass(Jobs::kKept - 1s);
  CHECK(table.jobs->get(ended));
  table.pass(1s);
  const auto gone = table.jobs->get(ended);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().reason == "UNKNOWN_JOB");
  CHECK(table.jobs->get(runs));
}

TEST_CASE("a request id answers with its job for ten minutes, to its identity") {
  Table table;
  v1::StartScanRequest request;
  request.set_path("media:");
  request.set_client("one");
  request.set_request_id("r1");
  const std::string content = digest_of(request);
  Jobs::Begin begin;
  begin.kind = v1::Job::KIND_SCAN;
  begin.origin.set_identity("user anna");
  begin.request_id = "r1";
  begin.content = content;
  const auto id = table.jobs->try_begin(std::move(begin));
  REQUIRE(id);
  const auto find = [&](const char* who) { return *table.jobs->find_request(who, "r1", content); };
  REQUIRE(find("user anna"));
  CHECK(find("user anna")->job_id() == *id);
  CHECK_FALSE(find("user ben"));
  request.set_client("two");  // what a client calls itself is not what it asks for
  CHECK(digest_of(request) == content);
  request.set_path("media:x");
  const auto other = table.jobs->find_request("user anna", "r1", digest_of(request));
  REQUIRE_FALSE(other);
  CHECK(other.error().reason == "REQUEST_ID_REUSED");
  table.saved();
  table.open();  // a restart
  REQUIRE(find("user anna"));
  CHECK(find("user anna")->state() == State::STATE_FAILED);
  table.pass(Jobs::kRequestLife);
  CHECK_FALSE(find("user anna"));
}

TEST_CASE("a restart keeps what ended, fails what was at work, and gives no number twice") {
  Table table;
  const std::uint64_t ended = table.begin();
  const std::uint64_t cut = table.begin(v1::Job::KIND_RENDER);
  table.done(ended);
  table.saved();
  table.open();
  CHECK(table.get(ended).state() == State::STATE_DONE);
  CHECK(table.get(ended).bytes() == 7);
  CHECK(table.get(ended).origin().identity() == "user anna");
  CHECK(table.get(cut).state() == State::STATE_FAILED);
  CHECK(table.get(cut).reason() == "DAEMON_ENDED");
  CHECK_FALSE(table.get(cut).ended_utc().empty());
  const auto cut_off = table.jobs->take_cut_off();
  REQUIRE(cut_off.size() == 1);
  CHECK(cut_off[0].job_id() == cut);
  CHECK(table.begin() > cut);
  // What a kill left of the writing: no job, and no number that was given.
  const std::uint64_t before = table.begin();
  table.saved();
  for (const auto& file : std::filesystem::directory_iterator(table.folder.path() / "jobs")) {
    if (file.path().extension() == ".job") std::filesystem::remove(file);
  }
  std::ofstream(table.folder.path() / "jobs" / "12.job") << "half a jo";
  REQUIRE(::mkfifo((table.folder.path() / "jobs" / "13.job").c_str(), 0600) == 0);
  table.open();
  CHECK_FALSE(table.jobs->get(before));
  CHECK_FALSE(table.jobs->get(12));
  CHECK_FALSE(table.jobs->get(13));
  CHECK(table.begin() > before);
}

TEST_CASE("an orderly end is told as one") {
  Table table;
  const std::uint64_t id = table.begin(v1::Job::KIND_SCAN);
  const JobTicket ticket(table.jobs->state_of(id), {});
  table.jobs->close();
  CHECK(table.get(id).reason() == "DAEMON_ENDED");
  CHECK(ticket.cancelled());  // so that its work ends
  table.saved();
  table.open();
  CHECK(table.get(id).reason() == "DAEMON_ENDED");
  CHECK(table.jobs->take_cut_off().empty());
}

}  // namespace
}  // namespace continuo::control::test
