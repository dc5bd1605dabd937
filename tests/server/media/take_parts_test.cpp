// Takes in parts: they join without a seam, each is where it says, and at every moment all but the last second is
// there.
#include "server/media/take_parts.hpp"

#include <cerrno>
#include <deque>
#include <map>
#include <random>

#include "server/media/file_notes.hpp"
#include "server/media/probe.hpp"
#include "server/media/take_repair.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

/// A disk for each file that a take makes.
struct Disks {
  std::map<std::string, std::shared_ptr<FakeDisk>> by_name;
  std::vector<std::string> made;
  int fail_make = 0;
  MakeTakeFile make() {
    return [this](const fs::path& path) -> Result<std::unique_ptr<TakeFile>> {
      if (fail_make != 0) return disk_error(fail_make, path, "cannot make");
      const std::string name = path.filename().string();
      if (by_name.contains(name)) return disk_error(EEXIST, path, "cannot make");
      made.push_back(name);
      by_name[name] = std::make_shared<FakeDisk>();
      by_name[name]->sync_others = [this] {
        for (const auto& [each, disk] : by_name) disk->synced = disk->written;
      };
      return std::unique_ptr<TakeFile>(new FakeFile(*by_name[name]));
    };
  }
};

struct PartTake {
  Disks disks;
  TakeWriter::Clock::time_point now{};
  std::deque<std::function<void()>> jobs;
  std::unique_ptr<TakeWriter> writer;
  explicit PartTake(TakeRequest request, bool later = false) {
    request.make = disks.make();
    if (later) request.later = [this](std::function<void()> job) { jobs.push_back(std::move(job)); };
    auto first = request.make(request.file.parent_path() / (request.file.stem().string() + "-001.wav"));
    REQUIRE(first);
    auto opened = TakeWriter::open(request, std::move(*first), [this] { return now; });
    REQUIRE(opened);
    writer = std::move(*opened);
  }
  void run_job() {
    jobs.front()();
    jobs.pop_front();
  }
};

std::vector<float> joined(const std::vector<fs::path>& files) {
  std::vector<float> all;
  for (const fs::path& file : files) {
    const auto one = read_all(file);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

}  // namespace

TEST_CASE("parts: joined they are the unsplit take, whatever the lengths, with dither, holes, channels, WAV and FLAC") {
  std::mt19937 random(11);
  for (int round = 0; round < 40; ++round) {
    TempDir dir;
    const bool flac = random() % 2 == 0;
    const bool split = random() % 2 == 0;
    const std::uint32_t channels = 1 + random() % 4;
    const SampleFormat format = random() % 2 == 0 ? SampleFormat::pcm16 : SampleFormat::pcm24;
    const auto part = static_cast<std::int64_t>(1 + random() % 9000);
    CAPTURE(round);
    CAPTURE(part);
    CAPTURE(channels);
    CAPTURE(flac);
    CAPTURE(split);
    const std::vector<float> samples = noise_floats(20'000, static_cast<int>(channels));
    const auto seed = random();
    std::vector<TakeResult> results;
    for (const std::int64_t part_frames : {std::int64_t{0}, part}) {
      auto take = open_take({.file = dir / (flac ? "a.flac" : "a.wav"),
                             .channels = channels,
                             .sample_rate_hz = 8000.0,
                             .format = format,
                             .ring_seconds = 10.0,
                             .dither = Dither::tpdf,
                             .split = split,
                             .container = flac ? Container::flac : Container::wav,
                             .part_frames = part_frames,
                             .reference = "0123456789abcdef01",
                             .place = [](rt::FrameCount, rt::FrameCount) { return TakePlace{1'000'000, 1}; }});
      std::mt19937 same(static_cast<unsigned>(seed));
      take->sink().start_timeline_frame.store(4711);
      take->sink().started.store(true);
      for (std::size_t at = 0; at < 20'000;) {
        const std::size_t n = std::min<std::size_t>(1 + same() % 4000, 20'000 - at);
        push(take->sink(), samples, at, n);
        at += n;
        if (same() % 3 == 0) lose(take->sink(), 1 + same() % 3000);
        CHECK_FALSE(take->drain());
      }
      finish(take->sink());
      results.push_back(close_take(*take));
      CHECK(results.back().error.empty());
    }
    const std::size_t sides = split ? channels : 1;
    REQUIRE(results[0].files.size() == sides);
    const auto parts = static_cast<std::size_t>((results[1].frames + part - 1) / part);
    REQUIRE(results[1].files.size() == parts * sides);
    CHECK(results[0].frames == results[1].frames);
    for (std::size_t side = 0; side < sides; ++side) {
      std::vector<fs::path> files;
      std::vector<std::int64_t> marks;
      for (std::size_t p = 0; p < parts; ++p) {
        files.push_back(results[1].files[p * sides + side]);
        const std::int64_t from = static_cast<std::int64_t>(p) * part;
        CHECK(probe(files.back())->frames == std::min(part, results[1].frames - from));
        const FileNotes notes = read_notes(files.back());
        REQUIRE(notes.broadcast);
        CHECK(static_cast<std::int64_t>(notes.broadcast->time_reference) == 1'000'000 + from);
        char reference[64];
        std::snprintf(reference, sizeof reference, "0123456789abcdef01-p%03zu", p + 1);
        CHECK(notes.broadcast->originator_reference.starts_with(reference));
        for (const MarkNote& mark : notes.marks) {
          // Where a hole goes on into a part, its first frame is marked as well.
          if (mark.frame > 0 || marks.empty()) marks.push_back(from + mark.frame);
        }
      }
      CHECK(joined(files) == read_all(results[0].files[side]));
      for (const MarkNote& mark : read_notes(results[0].files[side]).marks) {
        if (mark.frame % part != 0) CHECK(std::ranges::find(marks, mark.frame) != marks.end());
      }
    }
    CHECK(results[1].files[0].filename().string().find("-001.") != std::string::npos);
    for (const auto& entry : fs::directory_iterator(dir.path())) CHECK(entry.path().extension() != ".part");
  }
}

TEST_CASE("parts: a hole over the seam is marked on both sides, one that ends there is not") {
  TempDir dir;
  auto take = open_take({.file = dir / "a.wav", .channels = 1, .sample_rate_hz = 8000.0, .part_frames = 100});
  const std::vector<float> samples(400, 0.5f);
  push(take->sink(), samples, 0, 90);
  lose(take->sink(), 20);  // 90 to 110
  push(take->sink(), samples, 0, 80);
  lose(take->sink(), 10);  // 190 to 200
  push(take->sink(), samples, 0, 100);
  lose(take->sink(), 250);  // 300 to 550
  push(take->sink(), samples, 0, 5);
  finish(take->sink());
  const TakeResult result = close_take(*take);
  REQUIRE(result.files.size() == 6);
  const std::vector<std::vector<std::int64_t>> expected{{90}, {0, 90}, {}, {0}, {0}, {0}};
  for (std::size_t i = 0; i < 6; ++i) {
    std::vector<std::int64_t> marks;
    for (const MarkNote& mark : read_notes(result.files[i]).marks) marks.push_back(mark.frame);
    CHECK(marks == expected[i]);
  }
}

TEST_CASE("parts: the next part's file is there before its time, and one that is not needed goes") {
  TempDir dir;
  PartTake take({.file = dir / "a.wav", .channels = 1, .sample_rate_hz = 1000.0, .part_frames = 20'000});
  const std::vector<float> samples(5000, 0.5f);
  rt::Sink& sink = take.writer->sink();
  const auto go_on = [&](int times) {
    for (int i = 0; i < times; ++i) {
      push(sink, samples, 0, 1000);
      CHECK_FALSE(take.writer->drain());
    }
  };
  go_on(9);
  CHECK(take.disks.made.size() == 1);
  go_on(2);
  CHECK(take.disks.made.size() == 2);  // 10 s ahead
  CHECK(take.disks.made.back() == "a-002.wav");
  CHECK_FALSE(take.disks.by_name["a-001.wav"]->published);
  go_on(10);
  CHECK(take.disks.by_name["a-001.wav"]->published);
  CHECK(take.writer->files().size() == 2);
  go_on(12);
  CHECK(take.disks.made.size() == 3);
  finish(sink);
  const TakeResult result = close_take(*take.writer);
  CHECK(result.files.size() == 2);
  CHECK(result.frames == 33'000);
  CHECK(take.disks.by_name["a-003.wav"]->discarded);
}

TEST_CASE("parts: ended exactly at a seam there is no empty part") {
  TempDir dir;
  auto take = open_take({.file = dir / "a.wav", .channels = 1, .sample_rate_hz = 1000.0, .part_frames = 500});
  push(take->sink(), std::vector<float>(1000, 0.5f), 0, 1000);
  finish(take->sink());
  CHECK(close_take(*take).files.size() == 2);
  CHECK(std::distance(fs::directory_iterator(dir.path()), fs::directory_iterator{}) == 2);
}

TEST_CASE("parts: whoever closes them may be slow; a take waits only when too many are on their way") {
  TempDir dir;
  PartTake take({.file = dir / "a.wav", .channels = 1, .sample_rate_hz = 1000.0, .part_frames = 1000}, true);
  rt::Sink& sink = take.writer->sink();
  const std::vector<float> samples(1000, 0.5f);
  for (int i = 0; i <= TakeParts::kMaxClosing + 2; ++i) {
    push(sink, samples, 0, 1000);
    CHECK_FALSE(take.writer->drain());
  }
  CHECK(take.jobs.size() == TakeParts::kMaxClosing);
  CHECK_FALSE(take.disks.by_name["a-001.wav"]->published);
  CHECK(take.disks.by_name["a-005.wav"]->published);  // the fifth found all places taken
  finish(sink);
  for (int i = 0; i < 10; ++i) CHECK_FALSE(take.writer->drain());  // the parts' ends belong to the take's
  CHECK_FALSE(take.writer->closed());
  while (!take.jobs.empty()) {
    CHECK_FALSE(take.writer->drain());
    take.run_job();
  }
  CHECK(take.writer->drain());
  const TakeResult result = take.writer->result();
  CHECK(result.frames == 1000 * (TakeParts::kMaxClosing + 3));
  CHECK(result.files.size() == TakeParts::kMaxClosing + 3);
  for (const auto& [name, disk] : take.disks.by_name) CHECK((disk->published || disk->discarded));
}

TEST_CASE("parts: a name that is taken gets another, a part that cannot be made ends the take with all before it") {
  TempDir dir;
  write_ints(dir / "a-002.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 48000, noise_ints(10, 1, 16));
  auto take = open_take({.file = dir / "a.wav", .channels = 1, .sample_rate_hz = 1000.0, .part_frames = 500});
  push(take->sink(), std::vector<float>(1400, 0.5f), 0, 1400);
  finish(take->sink());
  TakeResult result = close_take(*take);
  CHECK(result.error.empty());
  REQUIRE(result.files.size() == 3);
  CHECK(result.files[1].filename() == "a-002-2.wav");
  CHECK(probe(dir / "a-002.wav")->frames == 10);

  PartTake sick({.file = dir / "b.wav", .channels = 1, .sample_rate_hz = 1000.0, .part_frames = 500});
  sick.disks.fail_make = ENOSPC;
  push(sick.writer->sink(), std::vector<float>(1400, 0.5f), 0, 1400);
  CHECK_FALSE(sick.writer->drain());
  CHECK(sick.writer->closed());
  finish(sick.writer->sink());
  result = close_take(*sick.writer);
  CHECK(result.frames == 500);
  CHECK(result.files.size() == 1);
  CHECK(result.error.find("No space left") != std::string::npos);
  CHECK(sick.disks.by_name["b-001.wav"]->published);
}

TEST_CASE("parts: a disk that is full in a later part keeps all whole parts and what fitted of that one") {
  TempDir dir;
  PartTake take({.file = dir / "a.wav", .channels = 1, .sample_rate_hz = 1000.0, .part_frames = 500});
  push(take.writer->sink(), std::vector<float>(600, 0.5f), 0, 600);
  CHECK_FALSE(take.writer->drain());
  take.disks.by_name["a-002.wav"]->capacity = static_cast<std::int64_t>(kTakeHeaderBytes) + 4 * 200 + 3;
  push(take.writer->sink(), std::vector<float>(600, 0.5f), 0, 600);
  CHECK_FALSE(take.writer->drain());
  CHECK(take.writer->closed());
  finish(take.writer->sink());
  const TakeResult result = close_take(*take.writer);
  CHECK(result.frames == 700);
  CHECK(result.files.size() == 2);
}

TEST_CASE(
    "parts: a power cut at any moment costs the last second at most, also over a seam and while parts are closed") {
  TempDir dir;
  const std::vector<float> samples = noise_floats(997, 2);
  std::mt19937 random(5);
  for (const bool flac : {false, true}) {
    PartTake take({.file = dir / "a.wav",
                   .channels = 2,
                   .sample_rate_hz = 8000.0,
                   .format = SampleFormat::pcm24,
                   .container = flac ? Container::flac : Container::wav,
                   .part_frames = 12'345},
                  true);
    std::vector<float> exact;
    for (const float s : samples) {
      std::vector<std::byte> bytes;
      encode_samples(SampleFormat::pcm24, {&s, 1}, bytes);
      std::int32_t value = 0;
      for (int k = 2; k >= 0; --k)
        value = value << 8 | std::to_integer<std::int32_t>(bytes[static_cast<std::size_t>(k)]);
      exact.push_back(static_cast<float>((value ^ 0x800000) - 0x800000) * 0x1p-23f);
    }
    std::size_t at = 0;
    int checked = 0;
    for (int round = 0; round < 1500; ++round) {
      const auto ms = 1 + random() % 15;
      for (std::size_t i = 0; i < 8 * ms; ++i, ++at) push(take.writer->sink(), samples, at % 997, 1);
      take.now += std::chrono::milliseconds(ms);
      CHECK_FALSE(take.writer->drain());
      if (!take.jobs.empty() && random() % 5 == 0) take.run_job();
      if (round < 200 || random() % 25 != 0) continue;
      ++checked;
      std::vector<float> all;
      for (const std::string& name : take.disks.made) {
        const FakeDisk& disk = *take.disks.by_name[name];
        if (disk.discarded || disk.synced.empty()) continue;
        const std::string ending = flac ? ".flac" : ".wav";
        save(disk.synced, dir / (name.substr(0, 5) + ending + ".part"));
        const auto repaired = repair_takes(dir.path());
        if (repaired.empty()) continue;
        const auto one = read_all(repaired[0].file);
        all.insert(all.end(), one.begin(), one.end());
        fs::remove(repaired[0].file);
      }
      CHECK(all.size() / 2 + 8000 >= at);
      for (std::size_t i = 0; i < all.size(); ++i) REQUIRE(all[i] == exact[i % exact.size()]);
    }
    CHECK(checked > 20);
    while (!take.jobs.empty()) take.run_job();
  }
}
