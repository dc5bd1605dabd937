// A take written to two destinations: either may fill up, fail, hang, fall behind or be pulled out.
#include <cerrno>
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "server/media/mirror_take_file.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;
using namespace std::chrono_literals;

namespace {

/// Two disks in memory, and a take's file over both. The disks are looked at when their lines are idle.
struct Mirror {
  explicit Mirror(std::size_t line_bytes = MirrorLine::kMaxBytes, std::chrono::milliseconds patience = 20s)
      : lines{std::make_shared<MirrorLine>("first", line_bytes), std::make_shared<MirrorLine>("second", line_bytes)},
        file(std::make_unique<MirrorTakeFile>(
            MirrorTakeFile::Side{std::make_unique<FakeFile>(disks[0]), lines[0], "/one/a.wav"},
            MirrorTakeFile::Side{std::make_unique<FakeFile>(disks[1]), lines[1], "/two/a.wav"}, report, patience)) {}
  ~Mirror() {
    for (FakeDisk& disk : disks) disk.gate.open();
    file.reset();
  }
  /// The next `count` bytes of a pattern; returns the error.
  int write(std::size_t count) {
    std::vector<std::byte> bytes(count);
    for (std::size_t i = 0; i < count; ++i) bytes[i] = pattern(at + i);
    std::size_t written = 0;
    const int error = file->write_at(static_cast<std::int64_t>(at), bytes, written);
    at += written;
    return error;
  }
  static std::byte pattern(std::size_t i) { return static_cast<std::byte>((i * 131 + i / 251) & 0xff); }
  void settle() {
    for (const auto& line : lines) {
      while (!line->idle()) std::this_thread::yield();
    }
  }
  static void check(const std::vector<std::byte>& bytes, std::size_t count) {
    REQUIRE(bytes.size() == count);
    for (std::size_t i = 0; i < count; ++i) REQUIRE(bytes[i] == pattern(i));
  }
  std::array<FakeDisk, 2> disks;
  std::array<std::shared_ptr<MirrorLine>, 2> lines;
  std::shared_ptr<MirrorReport> report = std::make_shared<MirrorReport>();
  std::unique_ptr<MirrorTakeFile> file;
  std::size_t at = 0;
};

}  // namespace

TEST_CASE("mirror: both destinations get every byte, every sync and the name") {
  Mirror m;
  for (int i = 0; i < 50; ++i) CHECK(m.write(1000 + static_cast<std::size_t>(i)) == 0);
  CHECK(m.file->sync() == 0);
  CHECK(m.file->publish("/one/a.wav", false) == 0);
  m.settle();
  for (int i = 0; i < 2; ++i) {
    const FakeDisk& disk = m.disks[static_cast<std::size_t>(i)];
    m.check(disk.written, m.at);
    CHECK(disk.syncs == 1);
    CHECK(disk.published);
    const auto destination = m.report->read()[static_cast<std::size_t>(i)];
    CHECK(destination.error.empty());
    CHECK(destination.closed());
    CHECK(destination.file == (i == 0 ? "/one/a.wav" : "/two/a.wav"));
  }
}

TEST_CASE("mirror: whichever destination fails, fills up or cannot sync is out, told once, and the other has it all") {
  for (const std::size_t bad : {std::size_t{0}, std::size_t{1}})
    for (const char* how : {"fails", "full", "sync"}) {
      CAPTURE(bad);
      CAPTURE(how);
      Mirror m;
      if (std::string(how) == "fails") {
        m.disks[bad].fail_write = EIO;
        m.disks[bad].fail_from = 5000;
      } else if (std::string(how) == "full") {
        m.disks[bad].capacity = 5500;
      } else {
        m.disks[bad].fail_sync = EIO;
      }
      for (int i = 0; i < 20; ++i) {
        CHECK(m.write(1000) == 0);
        CHECK(m.file->sync() == 0);
      }
      CHECK(m.file->publish("/one/a.wav", false) == 0);
      m.settle();
      const auto both = m.report->read();
      CHECK_FALSE(both[bad].error.empty());
      CHECK(both[bad].full == (std::string(how) == "full"));
      CHECK(both[bad].lost_files == 1);
      CHECK_FALSE(m.disks[bad].published);  // a part: the next start mends it
      CHECK(both[1 - bad].error.empty());
      CHECK(m.disks[1 - bad].published);
      m.check(m.disks[1 - bad].written, 20'000);
      if (std::string(how) == "full") m.check(m.disks[bad].written, 5500);
    }
}

TEST_CASE("mirror: pulled out at random moments, any of the two, the other one has every byte") {
  std::mt19937 random(20261121);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    Mirror m;
    const std::size_t bad = random() % 2;
    const auto when = static_cast<int>(random() % 30);
    for (int i = 0; i < 30; ++i) {
      if (i == when) {
        m.settle();
        m.disks[bad].fail_write = m.disks[bad].fail_sync = m.disks[bad].fail_publish = ENODEV;
      }
      REQUIRE(m.write(1 + random() % 3000) == 0);
      if (random() % 4 == 0) REQUIRE(m.file->sync() == 0);
    }
    REQUIRE(m.file->publish("/one/a.wav", false) == 0);
    m.settle();
    CHECK_FALSE(m.report->read()[bad].error.empty());
    REQUIRE(m.disks[1 - bad].published);
    m.check(m.disks[1 - bad].synced, m.at);
  }
}

TEST_CASE("mirror: power is cut at one of them: what was synced is there, at the other all of it") {
  for (const std::size_t dark : {std::size_t{0}, std::size_t{1}}) {
    Mirror m;
    for (int i = 0; i < 10; ++i) CHECK(m.write(1000) == 0);
    CHECK(m.file->sync() == 0);
    m.settle();
    for (int i = 0; i < 3; ++i) CHECK(m.write(1000) == 0);
    m.settle();
    m.disks[dark].fail_write = m.disks[dark].fail_sync = m.disks[dark].fail_publish = EIO;
    CHECK(m.write(1000) == 0);
    CHECK(m.file->publish("/one/a.wav", false) == 0);
    m.settle();
    m.check(m.disks[dark].synced, 10'000);
    m.check(m.disks[1 - dark].synced, 14'000);
  }
}

TEST_CASE("mirror: a destination that hangs holds up neither writes nor syncs, and is out when its queue is full") {
  for (const std::size_t slow : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(slow);
    Mirror m(10'000);
    m.disks[slow].gate.close();
    for (int i = 0; i < 10; ++i) {
      CHECK(m.write(1000) == 0);
      CHECK(m.file->sync() == 0);
    }
    CHECK(m.report->read()[slow].error.empty());  // it may still come back
    CHECK(m.write(1000) == 0);
    CHECK(m.report->read()[slow].error.find("too slow") != std::string::npos);
    for (int i = 0; i < 100; ++i) CHECK(m.write(1000) == 0);
    CHECK(m.file->publish("/one/a.wav", false) == 0);
    while (!m.lines[1 - slow]->idle()) std::this_thread::yield();
    CHECK(m.disks[1 - slow].published);
    m.check(m.disks[1 - slow].synced, 111'000);
    m.disks[slow].gate.open();
    m.settle();
    CHECK_FALSE(m.disks[slow].published);
    CHECK(m.disks[slow].written.size() <= 2000);  // what it was doing; nothing was sent to it afterwards
  }
}

TEST_CASE("mirror: one that stood still for a while has all of it in the end") {
  for (const std::size_t slow : {std::size_t{0}, std::size_t{1}}) {
    Mirror m(1 << 20, 10s);
    m.disks[slow].gate.close();
    for (int i = 0; i < 500; ++i) CHECK(m.write(1000) == 0);
    m.disks[slow].gate.open();
    CHECK(m.file->publish("/one/a.wav", false) == 0);
    m.settle();
    for (const FakeDisk& disk : m.disks) {
      m.check(disk.synced, 500'000);
      CHECK(disk.published);
    }
    for (const auto& destination : m.report->read()) CHECK((destination.error.empty() && destination.closed()));
  }
}

TEST_CASE("mirror: a first that hangs at the end is out, a second that hangs there is not waited for") {
  Mirror first(MirrorLine::kMaxBytes, 0ms);
  first.disks[0].gate.close();
  CHECK(first.write(1000) == 0);
  CHECK(first.file->publish("/one/a.wav", false) == 0);
  while (!first.lines[1]->idle()) std::this_thread::yield();
  CHECK_FALSE(first.report->read()[0].error.empty());
  CHECK(first.disks[1].published);
  first.disks[0].gate.open();  // its line works with the disk of this test
  first.settle();

  Mirror second(MirrorLine::kMaxBytes, 0ms);
  second.disks[1].gate.close();
  CHECK(second.write(1000) == 0);
  CHECK(second.file->publish("/one/a.wav", false) == 0);
  CHECK(second.disks[0].published);
  CHECK_FALSE(second.report->read()[1].closed());
  second.disks[1].gate.open();
  second.settle();
  CHECK(second.report->read()[1].closed());
  second.check(second.disks[1].synced, 1000);
}

TEST_CASE("mirror: both full: the take's error comes with what the better one kept, and that one is closed") {
  for (const std::size_t better : {std::size_t{0}, std::size_t{1}}) {
    CAPTURE(better);
    Mirror m;
    m.disks[better].capacity = 7500;
    m.disks[1 - better].capacity = 5500;
    int error = 0;
    for (int i = 0; i < 10 && error == 0; ++i) {
      error = m.write(1000);
      m.settle();
    }
    CHECK(error == ENOSPC);
    CHECK(m.at == 7500);
    CHECK(m.file->truncate(7000) == 0);
    CHECK(m.file->publish("/one/a.wav", false) == 0);
    m.settle();
    m.check(m.disks[better].synced, 7000);
    CHECK(m.disks[better].published);
    CHECK_FALSE(m.disks[1 - better].published);
  }
}

TEST_CASE("mirror: a name that is taken at the first is told, and both are still there for the next name") {
  Mirror m;
  CHECK(m.write(1000) == 0);
  m.settle();
  m.disks[0].fail_publish = EEXIST;
  CHECK(m.file->publish("/one/a.wav", false) == EEXIST);
  m.settle();
  CHECK_FALSE(m.disks[1].published);
  m.disks[0].fail_publish = 0;
  CHECK(m.file->publish("/one/a-2.wav", false) == 0);
  m.settle();
  CHECK(m.report->read()[0].file == "/one/a-2.wav");
  CHECK(m.report->read()[1].file == "/two/a-2.wav");
}

TEST_CASE("mirror: a line that its own work holds last ends by itself, with that work done") {
  FakeDisk disk;
  std::weak_ptr<MirrorLine> seen;
  {
    auto line = std::make_shared<MirrorLine>("own");
    seen = line;
    disk.gate.close();
    line->post(0, [line, &disk] { disk.gate.pass(); });
    disk.gate.wait_for_one();
  }
  CHECK_FALSE(seen.expired());
  disk.gate.open();
  while (!seen.expired()) std::this_thread::yield();
}

TEST_CASE("mirror: thrown away before it began, at both") {
  Mirror m;
  m.file->discard();
  m.file.reset();
  m.settle();
  for (const FakeDisk& disk : m.disks) CHECK(disk.discarded);
  for (const auto& destination : m.report->read()) CHECK((destination.closed() && destination.error.empty()));
}

TEST_CASE("mirror: a take over two folders is two equal files, and survives either") {
  for (const int bad : {-1, 0, 1}) {
    CAPTURE(bad);
    TempDir dir;
    fs::create_directories(dir / "one");
    fs::create_directories(dir / "two");
    auto faults = std::make_shared<Faults>();
    MirrorPlan plan;
    plan.second = [&](const fs::path& first) { return Result<fs::path>(dir / "two" / first.filename()); };
    plan.first_line = std::make_shared<MirrorLine>("first");
    plan.second_line = std::make_shared<MirrorLine>("second");
    plan.report = std::make_shared<MirrorReport>();
    plan.make = [&](const fs::path& path) -> Result<std::unique_ptr<TakeFile>> {
      const bool here = path.parent_path().filename() == (bad == 0 ? "one" : "two");
      return bad >= 0 && here ? faulty_files(faults)(path) : make_take_file(path);
    };
    const auto report = plan.report;
    const auto lines = {plan.first_line, plan.second_line};
    const auto samples = noise_floats(30'000, 3);
    {
      auto take = open_take({.file = dir / "one" / "a.wav", .channels = 3, .make = mirrored_files(plan)});
      for (std::size_t i = 0; i < 30; ++i) {
        if (i == 11) faults->fail_write = EIO;
        push(take->sink(), samples, i * 1000, 1000);
        take->drain();
      }
      finish(take->sink());
      const TakeResult result = close_take(*take);
      CHECK(result.error.empty());
      CHECK(result.frames == 30'000);
    }
    for (const auto& line : lines) {
      while (!line->idle()) std::this_thread::yield();
    }
    const auto both = report->read();
    for (int i = 0; i < 2; ++i) {
      const auto& one = both[static_cast<std::size_t>(i)];
      const fs::path name = dir / (i == 0 ? "one" : "two") / "a.wav";
      CHECK(one.error.empty() == (bad != i));
      CHECK(fs::exists(name) == (bad != i));
      if (bad != i) CHECK(read_all(name) == samples);
    }
  }
}

TEST_CASE("mirror: a second that cannot be made: strict, no take and nothing left behind; else a take without it") {
  for (const bool strict : {false, true}) {
    TempDir dir;
    MirrorPlan plan;
    plan.second = [&](const fs::path& first) { return Result<fs::path>(dir / "none" / first.filename()); };
    plan.first_line = std::make_shared<MirrorLine>("first");
    plan.second_line = std::make_shared<MirrorLine>("second");
    plan.report = std::make_shared<MirrorReport>();
    plan.strict = strict;
    auto made = TakeWriter::open({.file = dir / "a.wav", .make = mirrored_files(plan)});
    CHECK(static_cast<bool>(made) == !strict);
    if (!made) CHECK(made.error().kind == ErrorKind::not_found);
    while (!plan.first_line->idle()) std::this_thread::yield();
    CHECK(fs::exists(dir / "a.wav.part") == !strict);
    CHECK(plan.report->read()[1].error.empty() == strict);
    if (made) {
      finish((*made)->sink());
      CHECK(close_take(**made).error.empty());
      CHECK(fs::exists(dir / "a.wav"));
    }
  }
}
