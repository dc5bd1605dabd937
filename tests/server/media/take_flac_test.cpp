// FLAC takes: the samples of the WAV take, and what a kill, a power cut and a full disk leave.
#include <array>
#include <cerrno>
#include <random>

#include "server/media/file_notes.hpp"
#include "server/media/flac_head.hpp"
#include "server/media/probe.hpp"
#include "server/media/take_repair.hpp"
#include "tests/server/media/flac_check.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {
std::vector<float> quantised(std::size_t frames, std::uint32_t channels, int bits) {
  std::vector<float> samples;
  for (const int s : noise_ints(static_cast<std::int64_t>(frames), static_cast<int>(channels), bits))
    samples.push_back(static_cast<float>(s * 0x1p-31));
  return samples;
}
void check_exact(const std::vector<float>& read, const std::vector<float>& samples) {
  for (std::size_t i = 0; i < read.size(); ++i) REQUIRE(read[i] == samples[i % samples.size()]);
}
}  // namespace

TEST_CASE("flac take: sample by sample the WAV take, with dither, holes and one file a channel") {
  TempDir dir;
  for (const SampleFormat format : {SampleFormat::pcm16, SampleFormat::pcm24}) {
    for (const Dither dither : {Dither::none, Dither::tpdf}) {
      for (const std::uint32_t channels : {1u, 2u, 5u, 8u, 12u}) {
        const bool split = channels > 4;
        CAPTURE(channels);
        const std::vector<float> samples = noise_floats(20'000, static_cast<int>(channels));
        std::vector<TakeResult> results;
        for (const Container container : {Container::wav, Container::flac}) {
          auto take = open_take({.file = dir / (container == Container::wav ? "a.wav" : "a.flac"),
                                 .channels = channels,
                                 .format = format,
                                 .dither = dither,
                                 .split = split,
                                 .container = container});
          take->sink().start_timeline_frame.store(815);
          push(take->sink(), samples, 0, 7000);
          CHECK_FALSE(take->drain());
          lose(take->sink(), 3333);
          push(take->sink(), samples, 7000, 13'000);
          finish(take->sink());
          results.push_back(close_take(*take));
          CHECK(results.back().error.empty());
          CHECK(results.back().frames == 23'333);
        }
        REQUIRE(results[0].files.size() == results[1].files.size());
        for (std::size_t i = 0; i < results[0].files.size(); ++i) {
          const auto info = probe(results[1].files[i]);
          REQUIRE(info);
          CHECK(info->container == "FLAC");
          CHECK(info->frames == 23'333);
          CHECK(read_all(results[0].files[i]) == read_all(results[1].files[i]));
          CHECK(check_flac(results[1].files[i]) == FlacFile::md5_right);
          const auto marks = read_notes(results[1].files[i]).marks;
          REQUIRE(marks.size() == 1);
          CHECK(marks[0].frame == 7000);
          fs::remove(results[0].files[i]);
          fs::remove(results[1].files[i]);
        }
      }
    }
  }
}

TEST_CASE("flac take: what it cannot be is refused, and names what is wrong") {
  TempDir dir;
  const auto refused = [&](TakeRequest request) {
    request.container = Container::flac;
    const auto take = TakeWriter::open(request);
    REQUIRE_FALSE(take);
    CHECK(take.error().kind == ErrorKind::invalid_argument);
    CHECK(fs::is_empty(dir.path()));
    return take.error().field;
  };
  CHECK(refused({.file = dir / "a.flac", .channels = 2}) == "format");
  CHECK(refused({.file = dir / "a.flac", .channels = 9, .format = SampleFormat::pcm24}) == "channels");
  CHECK(refused({.file = dir / "a.flac", .channels = 2, .sample_rate_hz = 768'000.0, .format = SampleFormat::pcm24}) ==
        "sample_rate_hz");
  CHECK(refused({.file = dir / "a.flac", .channels = 129, .format = SampleFormat::pcm24, .split = true}) == "channels");
}

TEST_CASE("flac take: a power cut at any moment leaves a file of all but the last second, before and after repair") {
  TempDir dir;
  FakeTake fake({.file = dir / "a.flac",
                 .channels = 2,
                 .sample_rate_hz = 8000.0,
                 .format = SampleFormat::pcm24,
                 .container = Container::flac});
  const std::vector<float> samples = quantised(997, 2, 24);
  std::mt19937 random(7);
  std::size_t at = 0;
  int checked = 0;
  for (int round = 0; round < 4000; ++round) {  // the disk thread comes every 1 to 15 ms
    const auto ms = 1 + random() % 15;
    for (std::size_t i = 0; i < 8 * ms; ++i, ++at) push(fake.writer->sink(), samples, at % 997, 1);
    fake.now += std::chrono::milliseconds(ms);
    CHECK_FALSE(fake.writer->drain());
    if (random() % 60 != 0 || fake.disk.synced.size() <= kFlacHeadBytes) continue;
    std::vector<std::byte> left = fake.disk.synced;
    std::size_t torn = 0;
    if (checked % 3 == 1) {  // some of what came later is there as well, up to any byte
      torn = random() % (fake.disk.written.size() - left.size() + 1);
      left.assign(fake.disk.written.begin(),
                  fake.disk.written.begin() + static_cast<std::ptrdiff_t>(left.size() + torn));
      std::copy_n(fake.disk.synced.begin(), kFlacHeadBytes, left.begin());
    }
    if (checked % 3 == 2) left.resize(left.size() + random() % 5000);  // or room that was never written
    const auto before = read_all(save(left, dir / "b.flac"));
    CHECK(before.size() / 2 + 8000 >= at);
    check_exact(before, samples);
    fs::rename(dir / "b.flac", dir / "b.flac.part");
    const auto repaired = repair_takes(dir.path());
    REQUIRE(repaired.size() == 1);
    CHECK(repaired[0].error.empty());
    CHECK(repaired[0].frames + 8000 >= static_cast<std::int64_t>(at));
    const auto after = read_all(repaired[0].file);
    CHECK(after.size() == 2 * static_cast<std::size_t>(repaired[0].frames));
    check_exact(after, samples);
    CHECK(check_flac(repaired[0].file) == FlacFile::no_md5);
    fs::remove(repaired[0].file);
    ++checked;
  }
  CHECK(checked > 40);
}

TEST_CASE("flac take: cut off after any byte it is repaired to its whole frames, or goes where it has none") {
  TempDir dir;
  for (const std::uint32_t channels : {1u, 2u, 8u}) {
    FakeTake fake({.file = dir / "a.flac",
                   .channels = channels,
                   .sample_rate_hz = 8000.0,
                   .format = SampleFormat::pcm16,
                   .container = Container::flac});
    const std::vector<float> samples = quantised(2000, channels, 16);
    push(fake.writer->sink(), samples, 0, 2000);
    CHECK_FALSE(fake.writer->drain());
    const auto& whole = fake.disk.written;
    std::mt19937 random(channels);
    std::int64_t longest = 0;
    for (int i = 0; i < 60; ++i) {
      const std::size_t bytes = kFlacHeadBytes + random() % (whole.size() - kFlacHeadBytes + 1);
      std::vector<std::byte> left(whole.begin(),
                                  whole.begin() + static_cast<std::ptrdiff_t>(i == 0 ? whole.size() : bytes));
      save(left, dir / "b.flac.part");
      const auto repaired = repair_takes(dir.path());
      CHECK_FALSE(fs::exists(dir / "b.flac.part"));
      if (repaired.empty()) {
        CHECK(left.size() < kFlacHeadBytes + 192 * 2 * channels + 100);
        continue;
      }
      CHECK(repaired[0].channels == channels);
      CHECK(repaired[0].frames % 192 == 0);
      longest = std::max(longest, repaired[0].frames);
      const auto read = read_all(repaired[0].file);
      CHECK(read.size() == static_cast<std::size_t>(repaired[0].frames) * channels);
      check_exact(read, samples);
      fs::remove(repaired[0].file);
    }
    CHECK(longest == 1920);
  }
}

TEST_CASE("flac take: a damaged frame in the middle costs nothing behind it, and a long file is not read whole") {
  TempDir dir;
  auto take =
      open_take({.file = dir / "a.flac", .channels = 2, .format = SampleFormat::pcm24, .container = Container::flac});
  const std::vector<float> samples = quantised(48'000, 2, 24);
  for (int i = 0; i < 60; ++i) {
    push(take->sink(), samples, 0, 48'000);
    CHECK_FALSE(take->drain());
  }
  take.reset();  // as if it were killed
  REQUIRE(fs::file_size(dir / "a.flac.part") > 16'000'000);
  FILE* file = std::fopen((dir / "a.flac.part").c_str(), "r+b");
  std::fseek(file, 8'000'000, SEEK_SET);
  CHECK(std::fwrite("damaged!", 1, 8, file) == 8);
  std::fclose(file);
  const auto repaired = repair_takes(dir.path());
  REQUIRE(repaired.size() == 1);
  CHECK(repaired[0].frames == (60 * 48'000 / 1152 - 1) * 1152);  // the last block waited for what follows it
}

TEST_CASE("flac take: a full or sick disk keeps all whole frames, and files of channels end together") {
  TempDir dir;
  for (const int number : {ENOSPC, EIO}) {
    FakeTake fake({.file = dir / "a.flac",
                   .channels = 2,
                   .sample_rate_hz = 8000.0,
                   .format = SampleFormat::pcm24,
                   .container = Container::flac});
    const std::vector<float> samples = quantised(3000, 2, 24);
    push(fake.writer->sink(), samples, 0, 1000);
    CHECK_FALSE(fake.writer->drain());
    if (number == ENOSPC)
      fake.disk.capacity = static_cast<std::int64_t>(fake.disk.written.size()) + 3000;
    else
      fake.disk.fail_write = EIO, fake.disk.fail_from = kFlacHeadBytes;
    push(fake.writer->sink(), samples, 1000, 2000);
    CHECK_FALSE(fake.writer->drain());
    CHECK(fake.writer->closed());
    CHECK(fake.disk.published);
    finish(fake.writer->sink());
    const TakeResult result = close_take(*fake.writer);
    CHECK_FALSE(result.error.empty());
    CHECK(result.frames == (number == ENOSPC ? 3 : 0) * 192 + 960 - (number == ENOSPC ? 192 : 0));
    const auto read = read_all(save(fake.disk.synced, dir / "b.flac"));
    CHECK(check_flac(dir / "b.flac") == FlacFile::no_md5);
    CHECK(read.size() == 2 * static_cast<std::size_t>(result.frames));
    check_exact(read, samples);
  }
  // One disk of three is full first.
  std::array<FakeDisk, 3> disks;
  std::vector<std::unique_ptr<TakeFile>> files;
  for (FakeDisk& disk : disks) files.push_back(std::make_unique<FakeFile>(disk));
  disks[1].capacity = static_cast<std::int64_t>(kFlacHeadBytes) + 5000;
  auto take = TakeWriter::open({.file = dir / "a.flac",
                                .channels = 3,
                                .sample_rate_hz = 8000.0,
                                .format = SampleFormat::pcm24,
                                .split = true,
                                .container = Container::flac},
                               std::move(files), [] { return TakeWriter::Clock::time_point{}; });
  REQUIRE(take);
  const std::vector<float> samples = quantised(4000, 3, 24);
  push((*take)->sink(), samples, 0, 4000);
  finish((*take)->sink());
  const TakeResult result = close_take(**take);
  CHECK(result.error.find("No space left") != std::string::npos);
  CHECK(result.frames > 0);
  CHECK(result.frames % 192 == 0);
  for (std::size_t c = 0; c < 3; ++c) {
    const auto read = read_all(save(disks[c].synced, dir / "b.flac"));
    CHECK(check_flac(dir / "b.flac") == FlacFile::no_md5);
    REQUIRE(read.size() == static_cast<std::size_t>(result.frames));
    for (std::size_t i = 0; i < read.size(); ++i) REQUIRE(read[i] == samples[3 * i + c]);
  }
}
