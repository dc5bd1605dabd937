#include <fstream>
#include <set>
#include <string>
#include <thread>

#include "server/control/event_pump.hpp"
#include "server/control/graph.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/request_log.hpp"
#include "server/control/take_order.hpp"
#include "server/control/takes.hpp"
#include "server/control/uid_source.hpp"
#include "server/control/worker.hpp"
#include "tests/server/control/rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;
using namespace std::chrono_literals;

TEST_CASE("job queue: one at a time, in order, the newcomer refused at the bound, the rest dropped aloud at the end") {
  boost::asio::io_context io;
  Strand strand(io);
  JobQueue jobs(strand);
  std::vector<int> began;
  JobQueue::Finish finish;
  REQUIRE(jobs.try_add([&](JobQueue::Finish f) {
    began.push_back(0);
    finish = std::move(f);
  }));
  int dropped = 0;
  for (int i = 1; i <= static_cast<int>(JobQueue::kMaxWaiting); ++i) {
    REQUIRE(jobs.try_add(
        [&began, i](JobQueue::Finish f) {
          began.push_back(i);
          f();
        },
        [&] { ++dropped; }));
  }
  CHECK_FALSE(jobs.try_add([](JobQueue::Finish f) { f(); }));
  io.poll();
  CHECK(began.size() == 1);  // the first has not ended
  finish();
  io.restart();
  for (int i = 0; i < 10; ++i) io.poll_one();
  CHECK(began.size() == 11);
  jobs.close();
  CHECK(dropped == static_cast<int>(JobQueue::kMaxWaiting) - 10);
  bool late = false;
  jobs.add([](JobQueue::Finish) { CHECK(false); }, [&] { late = true; });
  CHECK(late);
  io.poll();
  CHECK(std::is_sorted(began.begin(), began.end()));
}

TEST_CASE("strand: what is posted after its end is dropped") {
  boost::asio::io_context io;
  auto strand = std::make_unique<Strand>(io);
  const auto post = strand->poster();
  int ran = 0;
  post([&] { ++ran; });
  io.poll();
  CHECK(ran == 1);
  post([&] { ++ran; });
  strand.reset();
  post([&] { ++ran; });
  io.restart();
  io.poll();
  CHECK(ran == 1);
}

TEST_CASE("event pump: waits for a frame, gives up at its limit, sleeps when nothing is outstanding") {
  boost::asio::io_context io;
  Strand strand(io);
  rt::FrameCount frame = 0;
  int polls = 0;
  EventPump pump(strand, {[&] { ++polls; }, [] { return false; }, [&] { return frame; }, [] { return 48'000.0; }});
  int came = 0, gave_up = 0;
  const auto count = [&](bool did) { (did ? came : gave_up)++; };
  pump.at_frame(100, 10s, count);
  pump.at_frame(1'000'000, 20ms, count);
  frame = 100;
  const auto bound = std::chrono::steady_clock::now() + 10s;
  while (came + gave_up < 2 && std::chrono::steady_clock::now() < bound) io.run_one_for(100ms);
  CHECK(came == 1);
  CHECK(gave_up == 1);
  polls = 0;
  CHECK(io.run_for(50ms) == 0);  // no timer at all
  CHECK(polls == 0);
}

TEST_CASE("request log: bounded, the oldest goes first; another content is refused") {
  RequestLog log;
  v1::ApplyRequest request;
  request.add_operations()->mutable_play();
  for (std::size_t i = 0; i <= RequestLog::kKept; ++i) {
    request.set_request_id("r" + std::to_string(i));
    log.add(request, std::make_shared<Outcome>());
  }
  CHECK(log.size() == RequestLog::kKept);
  request.set_request_id("r0");
  REQUIRE(log.find("", request));
  CHECK(*log.find("", request) == nullptr);
  request.set_request_id("r1");
  CHECK(*log.find("", request) != nullptr);
  request.set_max_wait_ms(7);  // how long one waits is no content
  CHECK(*log.find("", request) != nullptr);
  CHECK(*log.find("user anna", request) == nullptr);  // an id is its identity's own
  request.add_operations()->mutable_stop();
  CHECK_FALSE(log.find("", request));
  CHECK(log.find("user anna", request));
}

TEST_CASE("uids: blocks on disk; a crash loses some and repeats none; a folder that cannot be written is said") {
  TempFolder folder;
  std::set<rt::Uid> given;
  for (int start = 0; start < 3; ++start) {
    Worker worker("test");
    UidSource uids(folder.path() / "state", worker);
    CHECK(uids.warning().empty());
    for (std::uint64_t i = 0; i < UidSource::kBlock; i += 1) {
      const rt::Uid uid = uids.next();
      if (i % 1024 == 0) REQUIRE(given.insert(uid).second);
    }
    CHECK(worker.wait_idle(5s));
  }
  {
    std::ofstream out(folder.path() / "state" / "uids");
    out << "rubbish";
  }
  Worker worker("test");
  UidSource damaged(folder.path() / "state", worker);
  CHECK_FALSE(damaged.warning().empty());
  CHECK(damaged.next() > *given.rbegin());
  {
    std::ofstream out(folder.path() / "file");
  }
  UidSource nowhere(folder.path() / "file" / "state", worker);
  CHECK_FALSE(nowhere.warning().empty());
  CHECK(nowhere.next() < (1ull << 53));
}

TEST_CASE("worker: in order, and a stuck one does not hold its owner") {
  std::vector<int> order;
  {
    Worker worker("test");
    for (int i = 0; i < 3; ++i) worker.post([&, i] { order.push_back(i); });
    CHECK(worker.wait_idle(5s));
  }
  CHECK(order == std::vector<int>{0, 1, 2});
  auto release = std::make_shared<std::atomic<bool>>(false);
  {
    Worker stuck("test");
    stuck.post([release] {
      while (!*release) std::this_thread::yield();
    });
    CHECK_FALSE(stuck.wait_idle(1ms));
  }
  *release = true;
}

TEST_CASE("take names") {
  const std::string name = take_name("{node}-{date}-{time}", {.node = "vox/rec"});
  CHECK(name.starts_with("vox_rec-20"));
  CHECK(name.size() == std::string("vox_rec-20261120-120000").size());
  CHECK(take_name("{node}", {.node = "out", .number = 3}) == "out-3");
  CHECK(take_name("{node}_{n}", {.node = "out", .number = 3}) == "out_3");
  CHECK(take_name("a:b\\c\n", {.node = "out"}) == "a_b_c_");
  const std::int64_t noon = 1'795'176'000;
  CHECK(take_name("{session}/{name}-{take}", {"band/vox", "Tour 1/2: \x01{node}", 7, noon}) == "Tour 1_2_ __node_/vox-007");
  CHECK(take_name("{name}", {"band/vox", "", 2, noon}) == "vox-2");
  CHECK(take_name("{session}-{take}", {"out", "", 1, noon}) == "session-001");
  CHECK(take_name("{session}", {"out", "..", 1, noon}) == "__");
  CHECK(take_name("{node}-{channel}", {"out", "", 1, noon}) == "out-{channel}");
  CHECK(take_name("{date}{time}", {"out", "", 1, noon}).size() == 14);
  std::string umlauts;
  for (int i = 0; i < 90; ++i) umlauts += "\xC3\xA4";
  CHECK(take_name("{session}", {"out", "x" + umlauts, 1, noon}).size() == 99);
}

TEST_CASE("frames from one rate to another and back") {
  CHECK(convert_frames(48'000, 48'000, 96'000) == 96'000);
  CHECK(convert_frames(1, 48'000, 44'100) == 1);
  CHECK(convert_frames(-48'000, 48'000, 44'100) == -44'100);
  for (const std::int64_t frame : {0ll, 1ll, 12'345ll, 1ll << 50}) {
    CHECK(convert_frames(convert_frames(frame, 24'000, 48'000), 48'000, 24'000) == frame);
    CHECK(convert_frames(convert_frames(frame, 44'100, 96'000), 96'000, 44'100) == frame);
  }
}

TEST_CASE("a file is written whole or not at all") {
  TempFolder folder;
  std::string error;
  const auto file = folder.path() / "x";
  REQUIRE(write_whole(file, "one", error));
  REQUIRE(write_whole(file, "two", error));
  std::ifstream in(file);
  std::string text;
  in >> text;
  CHECK(text == "two");
  CHECK_FALSE(write_whole(folder.path() / "no" / "x", "three", error));
  CHECK_FALSE(error.empty());
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}
