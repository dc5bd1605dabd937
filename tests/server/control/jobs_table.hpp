// THREAD: test - a table of jobs whose clocks stand until the test moves them
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "server/control/jobs.hpp"
#include "tests/server/control/rig.hpp"

namespace continuo::control::test {

using namespace std::chrono_literals;

struct Table {
  TempFolder folder;
  boost::asio::io_context io;
  Strand strand{io};
  std::int64_t utc = kUtcBegin * 1'000'000'000;
  Timer::Clock::time_point now{1h};
  std::vector<v1::Event> events;
  std::unique_ptr<Jobs> jobs;

  Table() { open(); }
  void open() {
    jobs.reset();
    jobs = std::make_unique<Jobs>(Jobs::Parts{strand, [this](v1::Event event) { events.push_back(std::move(event)); },
                                              [this] { return utc; }, [this] { return now; }},
                                  folder.path() / "jobs");
  }
  void pass(std::chrono::nanoseconds time) {
    utc += time.count();
    now += std::chrono::duration_cast<Timer::Clock::duration>(time);
  }
  std::uint64_t begin(v1::Job::Kind kind = v1::Job::KIND_UPLOAD, std::function<void()> on_cancel = {}) {
    Jobs::Begin begin;
    begin.kind = kind;
    begin.subject = "media:a.wav";
    begin.origin.set_identity("user anna");
    begin.on_cancel = std::move(on_cancel);
    const auto id = jobs->try_begin(std::move(begin));
    REQUIRE(id);
    return *id;
  }
  void done(std::uint64_t id) {
    v1::Job job;
    job.set_bytes(7);
    jobs->end(id, job);
  }
  v1::Job get(std::uint64_t id) {
    const auto job = jobs->get(id);
    REQUIRE(job);
    return *job;
  }
  std::vector<std::uint64_t> page(std::uint32_t size, std::string& token) {
    v1::ListJobsRequest request;
    request.set_page_size(size);
    request.set_page_token(token);
    const auto listed = jobs->list(request);
    REQUIRE(listed);
    token = listed->next_page_token();
    std::vector<std::uint64_t> ids;
    for (const v1::Job& job : listed->jobs()) ids.push_back(job.job_id());
    return ids;
  }
  void saved() {
    REQUIRE(within([&] { return jobs->saved(); }));
  }
  static bool within(const std::function<bool()>& ready) {
    const auto bound = std::chrono::steady_clock::now() + 20s;
    while (!ready()) {
      if (std::chrono::steady_clock::now() > bound) return false;
      std::this_thread::yield();
    }
    return true;
  }
};

}  // namespace continuo::control::test
