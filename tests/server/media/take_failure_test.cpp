// Takes in trouble: full disks, sick disks, power cuts, kills. What is left is valid, and the audio thread never waits.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <random>

#include "server/media/probe.hpp"
#include "server/media/take_repair.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

TEST_CASE("take: a full disk keeps all that fits, in whole frames, and the audio thread never notices") {
  TempDir dir;
  FakeTake fake({.file = dir / "a.wav", .channels = 3, .format = SampleFormat::pcm24});
  const std::int64_t header = static_cast<std::int64_t>(fake.disk.written.size());
  fake.disk.capacity = header + 9 * 700 + 4;  // ends inside a frame
  rt::Sink& sink = fake.writer->sink();
  std::vector<float> samples;
  for (const int s : noise_ints(500, 3, 24)) samples.push_back(static_cast<float>(s * 0x1p-31));
  push(sink, samples, 0, 500);
  CHECK_FALSE(fake.writer->drain());
  CHECK(fake.writer->error().empty());
  push(sink, samples, 0, 500);
  CHECK_FALSE(fake.writer->drain());
  CHECK(fake.disk.published);  // closed at once
  CHECK(fake.writer->error().find("No space left") != std::string::npos);
  for (int i = 0; i < 2000; ++i) {  // the ring is emptied for as long as it is fed
    push(sink, samples, 0, 500);
    lose(sink, 10);
    CHECK_FALSE(fake.writer->drain());
  }
  finish(sink);
  const TakeResult result = close_take(*fake.writer);
  CHECK(result.frames == 700);
  const std::vector<float> read = read_all(save(fake.disk.synced, dir / "left.wav"));
  REQUIRE(read.size() == 2100);
  CHECK(std::equal(read.begin(), read.begin() + 1500, samples.begin()));
  CHECK(std::equal(read.begin() + 1500, read.end(), samples.begin()));
}

TEST_CASE("take: a disk that is full from the start, fails to sync, or fails at the end") {
  TempDir dir;
  FakeDisk full;
  full.capacity = 10;
  const auto none = TakeWriter::open({.file = dir / "a.wav"}, std::make_unique<FakeFile>(full),
                                     [] { return TakeWriter::Clock::now(); });
  REQUIRE_FALSE(none);
  CHECK(none.error().reason == "DISK_FULL");
  CHECK(none.error().kind == ErrorKind::data_loss);
  CHECK(full.discarded);

  FakeTake sick({.file = dir / "a.wav"});
  push(sick.writer->sink(), noise_floats(100, 2), 0, 100);
  sick.disk.fail_sync = EIO;
  sick.now += std::chrono::seconds(1);
  CHECK_FALSE(sick.writer->drain());
  CHECK_FALSE(sick.writer->error().empty());
  CHECK(sick.disk.published);

  FakeTake late({.file = dir / "a.wav"});
  late.disk.fail_publish = EIO;
  push(late.writer->sink(), noise_floats(100, 2), 0, 100);
  finish(late.writer->sink());
  const TakeResult result = close_take(*late.writer);
  CHECK(result.file == dir / "a.wav.part");  // where the sound is
  CHECK_FALSE(result.error.empty());
}

namespace {
/// The samples of `samples`, over and over.
void check_exact(const std::vector<float>& read, const std::vector<float>& samples) {
  for (std::size_t i = 0; i < read.size(); ++i) REQUIRE(read[i] == samples[i % samples.size()]);
}
}  // namespace

TEST_CASE("take: a disk that fails is told at once, and what it holds is a file, or a part that can be repaired") {
  TempDir dir;
  for (const bool header_too : {false, true}) {
    CAPTURE(header_too);
    FakeTake fake({.file = dir / "a.wav", .channels = 2});
    const std::vector<float> samples = noise_floats(300, 2);
    push(fake.writer->sink(), samples, 0, 200);
    CHECK_FALSE(fake.writer->drain());
    CHECK_FALSE(fake.writer->closed());
    fake.disk.fail_write = EIO;
    fake.disk.fail_from = header_too ? 0 : kTakeHeaderBytes;
    push(fake.writer->sink(), samples, 200, 100);
    CHECK_FALSE(fake.writer->drain());  // the audio thread has not let go
    CHECK(fake.writer->closed());
    CHECK(fake.disk.published == !header_too);
    TakeResult result = fake.writer->result();
    CHECK(result.frames == 200);
    CHECK(result.error.find("Input/output error") != std::string::npos);
    CHECK(result.file == dir / (header_too ? "a.wav.part" : "a.wav"));
    fs::path left = save(fake.disk.written, dir / "left.wav.part");
    if (header_too) {
      const auto repaired = repair_takes(dir.path());
      REQUIRE(repaired.size() == 1);
      left = repaired[0].file;
    }
    const auto read = read_all(left);
    CHECK(read.size() == 400);
    check_exact(read, samples);
    fs::remove(left);
    finish(fake.writer->sink());
    result = close_take(*fake.writer);
    CHECK(result.frames == 200);
  }
}

TEST_CASE("take: a power cut at any moment leaves a valid file, bit for bit, of all but the last second") {
  TempDir dir;
  FakeTake fake({.file = dir / "a.wav", .channels = 2, .sample_rate_hz = 1000.0});
  const std::vector<float> samples = noise_floats(997, 2);
  const std::size_t header = fake.disk.written.size();
  std::mt19937 random(7);
  std::size_t at = 0;
  int checked = 0, rounds = 0;
  const auto begun = fake.now;
  while (rounds < 4000) {  // the disk thread comes every 1 to 15 ms
    const auto frames = 1 + random() % 15;
    for (std::size_t i = 0; i < frames; ++i, ++at) push(fake.writer->sink(), samples, at % 997, 1);
    fake.now += std::chrono::milliseconds(frames);
    CHECK_FALSE(fake.writer->drain());
    ++rounds;
    if (random() % 20 != 0 || fake.disk.synced.empty()) continue;
    // Only what was synced survives; or the header as well, which is written in place and may have come earlier.
    std::vector<std::byte> left = fake.disk.synced;
    if (checked % 2 == 0) std::copy_n(fake.disk.written.begin(), header, left.begin());
    const std::vector<float> read = read_all(save(left, dir / "left.wav"));
    CHECK(read.size() / 2 + 1000 >= at);
    check_exact(read, samples);
    // The next start of the daemon makes it whole.
    save(left, dir / "again.wav.part");
    const auto repaired = repair_takes(dir.path());
    REQUIRE(repaired.size() == 1);
    CHECK(repaired[0].frames + 1000 >= static_cast<std::int64_t>(at));
    CHECK(repaired[0].error.empty());
    check_exact(read_all(repaired[0].file), samples);
    fs::remove(repaired[0].file);
    ++checked;
  }
  CHECK(checked > 100);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(fake.now - begun).count();
  CHECK(fake.disk.syncs <= seconds + 1);  // and no more often than that
  const int syncs = fake.disk.syncs;
  fake.now += std::chrono::seconds(10);
  CHECK_FALSE(fake.writer->drain());  // the last second or so
  fake.now += std::chrono::seconds(10);
  CHECK_FALSE(fake.writer->drain());  // nothing new: nothing to sync
  CHECK(fake.disk.syncs <= syncs + 1);
}

TEST_CASE("take: a killed process leaves a valid file of all but the last second") {
  TempDir dir;
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const std::vector<float> samples = noise_floats(4800, 2);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    TakeWriter::Clock::time_point now{};
    auto file = make_take_file(dir / "a.wav");
    if (!file) ::_exit(1);
    auto take = TakeWriter::open({.file = dir / "a.wav"}, std::move(*file), [&] { return now; });
    if (!take) ::_exit(2);
    for (;;) {  // 100 ms a round
      (*take)->sink().frames.write(samples);
      now += std::chrono::milliseconds(100);
      if ((*take)->drain()) ::_exit(3);
      if (::write(pipe_ends[1], ".", 1) != 1) ::_exit(4);
    }
  }
  ::close(pipe_ends[1]);
  char dot = 0;
  int rounds = 0;
  while (rounds < 57 && ::read(pipe_ends[0], &dot, 1) == 1) ++rounds;
  ::kill(child, SIGKILL);
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  ::close(pipe_ends[0]);
  REQUIRE(rounds == 57);
  CHECK_FALSE(fs::exists(dir / "a.wav"));
  const std::vector<float> read = read_all(dir / "a.wav.part");
  CHECK(static_cast<int>(read.size() / 2) >= 4800 * (rounds - 10));
  for (std::size_t i = 0; i < read.size(); ++i) REQUIRE(read[i] == samples[i % samples.size()]);
}

TEST_CASE("take: a file-size limit of the system is a full disk") {
  TempDir dir;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    auto take = TakeWriter::open({.file = dir / "a.wav"});
    if (!take) ::_exit(1);
    const std::vector<float> samples = noise_floats(20'000, 2);
    (*take)->sink().frames.write(samples);
    (*take)->sink().frames_taken.store(20'000);
    finish((*take)->sink());
    while (!(*take)->drain()) {
    }
    ::_exit((*take)->result().error.empty() ? 2 : 0);
  }
  int status = 0;
  CHECK(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  const std::int64_t frames = probe(dir / "a.wav")->frames;
  CHECK(frames == (100'000 - static_cast<std::int64_t>(kTakeHeaderBytes)) / 8);
  const std::vector<float> read = read_all(dir / "a.wav");
  const std::vector<float> samples = noise_floats(20'000, 2);
  CHECK(std::equal(read.begin(), read.end(), samples.begin()));
}

TEST_CASE("take: past what 32 bits hold it becomes RF64 by itself, valid at every flush before, at and after") {
  TempDir dir;
  for (const std::uint32_t channels : {1u, 3u}) {
    FakeTake fake({.file = dir / "a.wav",
                   .channels = channels,
                   .sample_rate_hz = 1000.0,
                   .format = SampleFormat::pcm24,
                   .max_riff_bytes = 100'001});
    std::vector<float> samples;
    for (const int s : noise_ints(997, static_cast<int>(channels), 24))
      samples.push_back(static_cast<float>(s * 0x1p-31));
    int plain = 0, large = 0;
    for (std::size_t at = 0; at < 200'000 / (3 * channels);) {
      for (std::size_t i = 0; i < 97; ++i, ++at) push(fake.writer->sink(), samples, at % 997, 1);
      fake.now += std::chrono::milliseconds(500);
      CHECK_FALSE(fake.writer->drain());
      if (fake.disk.synced.empty()) continue;
      const bool rf64 = fake.disk.synced[1] == std::byte{'F'};
      CHECK(rf64 == (fake.disk.synced.size() > 100'001 + 8));
      (rf64 ? large : plain) += 1;
      if ((plain + large) % 16 != 0) continue;
      check_exact(read_all(save(fake.disk.synced, dir / "left.wav")), samples);
      // Cut off here, it is repaired as what it is.
      save(fake.disk.synced, dir / "b.wav.part");
      const auto repaired = repair_takes(dir.path());
      REQUIRE(repaired.size() == 1);
      check_exact(read_all(repaired[0].file), samples);
      fs::remove(repaired[0].file);
    }
    CHECK(plain > 10);
    CHECK(large > 10);
    finish(fake.writer->sink());
    const TakeResult result = close_take(*fake.writer);
    CHECK(result.error.empty());
    const std::vector<float> read = read_all(save(fake.disk.synced, dir / "whole.wav"));
    CHECK(read.size() == static_cast<std::size_t>(result.frames) * channels);
    check_exact(read, samples);
  }
}
