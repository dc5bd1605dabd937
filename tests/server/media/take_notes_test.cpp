// What a take's file says of itself: where and when (bext), its marks; running, closed, and after a power cut.
#include "server/media/take_notes.hpp"

#include <ctime>
#include <random>

#include "server/media/file_notes.hpp"
#include "server/media/take_header.hpp"
#include "server/media/take_repair.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

constexpr std::int64_t kBegan = 1'795'176'000'250'000'000;  // 2026-11-20T12:00:00.25Z

SF_BROADCAST_INFO bext_of(const fs::path& path) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  REQUIRE(file != nullptr);
  SF_BROADCAST_INFO bext{};
  CHECK(sf_command(file, SFC_GET_BROADCAST_INFO, &bext, sizeof bext) == SF_TRUE);
  sf_close(file);
  return bext;
}
template <std::size_t n>
std::string text_of(const char (&field)[n]) {
  return std::string(field, ::strnlen(field, n));
}
std::uint64_t time_reference(const SF_BROADCAST_INFO& bext) {
  return std::uint64_t{bext.time_reference_high} << 32 | bext.time_reference_low;
}
std::vector<std::int64_t> marks_of(const fs::path& path) {
  std::vector<std::int64_t> marks;
  for (const MarkNote& mark : read_notes(path).marks) marks.push_back(mark.frame);
  return marks;
}
TakeRequest placed(TakeRequest request, std::int64_t time_reference) {
  request.place = [time_reference](rt::FrameCount, rt::FrameCount) { return TakePlace{time_reference, kBegan}; };
  return request;
}
void begin(rt::Sink& sink) { sink.started.store(true, std::memory_order_release); }

}  // namespace

TEST_CASE("notes: libsndfile reads where and when a take began, in each format, while it runs and when it is closed") {
  TempDir dir;
  for (const SampleFormat format : {SampleFormat::pcm16, SampleFormat::pcm24, SampleFormat::float32}) {
    for (const std::uint32_t channels : {1u, 2u, 16u}) {
      for (const std::int64_t max_riff : {WavFormat{}.max_riff_bytes, std::int64_t{1000}}) {
        CAPTURE(channels);
        CAPTURE(max_riff);
        const fs::path file = dir / "a.wav";
        FakeTake fake(placed({.file = file,
                              .channels = channels,
                              .format = format,
                              .max_riff_bytes = max_riff,
                              .description = "vox of tour",
                              .reference = "0123456789abcdef01"},
                             (std::int64_t{1} << 33) + 7));
        begin(fake.writer->sink());
        push(fake.writer->sink(), noise_floats(100, static_cast<int>(channels)), 0, 100);
        CHECK_FALSE(fake.writer->drain());
        fake.now += std::chrono::seconds(1);
        CHECK_FALSE(fake.writer->drain());
        finish(fake.writer->sink());
        const std::vector<std::byte> running = fake.disk.synced;
        CHECK(close_take(*fake.writer).error.empty());
        const std::vector<std::byte>& closed = fake.disk.synced;
        for (const std::vector<std::byte>* bytes : {&running, &closed}) {
          save(*bytes, file);
          const SF_BROADCAST_INFO bext = bext_of(file);
          CHECK(text_of(bext.description) == "vox of tour, began 2026-11-20T12:00:00.250Z");
          CHECK(text_of(bext.originator) == originator());
          CHECK(text_of(bext.originator_reference) == "0123456789abcdef01");
          CHECK(time_reference(bext) == (std::uint64_t{1} << 33) + 7);
          CHECK(bext.version == 2);
          CHECK(static_cast<std::uint16_t>(bext.loudness_value) == 0x7FFF);
          const std::time_t seconds = kBegan / 1'000'000'000;
          std::tm local{};
          localtime_r(&seconds, &local);
          char when[32];
          std::strftime(when, sizeof when, "%Y-%m-%d%H:%M:%S", &local);
          CHECK(std::string(bext.origination_date, 10) + std::string(bext.origination_time, 8) == when);
          const std::string history(bext.coding_history, std::min<std::size_t>(bext.coding_history_size, 256));
          CHECK(history.starts_with("A=PCM,F=48000,W=" + std::to_string(8 * bytes_per_sample(format))));
          const FileNotes notes = read_notes(file);
          REQUIRE(notes.broadcast);
          CHECK(notes.broadcast->time_reference == (std::uint64_t{1} << 33) + 7);
          CHECK(read_all(file).size() == 100 * channels);
        }
        CHECK(fs::file_size(file) >= kTakeHeaderBytes);
      }
    }
  }
}

TEST_CASE("notes: without a place of its own a take is where the timeline was, and before its start that is said") {
  TempDir dir;
  FakeTake fake({.file = dir / "a.wav"});
  fake.writer->sink().start_timeline_frame.store(48'000);
  begin(fake.writer->sink());
  push(fake.writer->sink(), noise_floats(100, 2), 0, 100);
  CHECK_FALSE(fake.writer->place());
  CHECK_FALSE(fake.writer->drain());
  REQUIRE(fake.writer->place());
  CHECK(fake.writer->place()->time_reference == 48'000);
  CHECK(fake.writer->place()->began_utc_ns > 0);
  finish(fake.writer->sink());
  CHECK(close_take(*fake.writer).place.time_reference == 48'000);
  CHECK(time_reference(bext_of(save(fake.disk.synced, dir / "b.wav"))) == 48'000);

  FakeTake early(placed({.file = dir / "a.wav", .description = std::string(300, 'x')}, -123));
  begin(early.writer->sink());
  push(early.writer->sink(), noise_floats(100, 2), 0, 100);
  finish(early.writer->sink());
  CHECK(close_take(*early.writer).place.time_reference == -123);
  const SF_BROADCAST_INFO bext = bext_of(save(early.disk.synced, dir / "b.wav"));
  CHECK(time_reference(bext) == 0);
  CHECK(text_of(bext.description).ends_with(", 123 frames before the timeline's start"));
}

TEST_CASE("notes: a description is cut between characters, and the chunk has one length") {
  const WavFormat format{};
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\xC3\xA4";
  const auto chunk = bext_chunk({umlauts, {}, 5, kBegan}, format, Dither::none);
  CHECK(chunk.size() == bext_chunk({}, format, Dither::none).size());
  CHECK(chunk.size() % 2 == 0);
  const std::string text(reinterpret_cast<const char*>(chunk.data()) + 8, 256);
  const std::size_t comma = text.find(',');
  REQUIRE(comma != std::string::npos);
  CHECK(comma % 2 == 0);
  CHECK(text.substr(comma).starts_with(", began 2026-11-20T12:00:00.250Z"));
}

TEST_CASE("notes: references are unlike each other, and tell part and channel") {
  CHECK(new_take_reference().size() == 18);
  CHECK(new_take_reference() != new_take_reference());
  CHECK(file_reference("0123456789abcdef01", 0, 0) == "0123456789abcdef01");
  CHECK(file_reference("0123456789abcdef01", 2, 0) == "0123456789abcdef01-p002");
  CHECK(file_reference("0123456789abcdef01", 10'000, 128) == "0123456789abcdef01-p10000-c128");
  CHECK(file_reference("0123456789abcdef01", 10'000, 128).size() <= 32);
  CHECK(file_reference("", 2, 3).empty());
}

TEST_CASE("notes: the marks of all but the last second outlive a power cut, in order, beside the right sound") {
  TempDir dir;
  for (const Container container : {Container::wav, Container::flac}) {
    FakeTake fake(placed({.file = dir / "a.wav",
                          .channels = 2,
                          .sample_rate_hz = 8000.0,
                          .format = SampleFormat::pcm24,
                          .container = container},
                         4711));
    rt::Sink& sink = fake.writer->sink();
    begin(sink);
    const std::vector<float> samples(2 * 8, 0.25f);
    std::vector<std::int64_t> holes;
    std::mt19937 random(3);
    for (int round = 0; round < 3000; ++round) {
      if (random() % 40 == 0) {
        holes.push_back(sink.audio_.taken);
        lose(sink, 5);
      }
      push(sink, samples, 0, 8);
      fake.now += std::chrono::milliseconds(1);
      CHECK_FALSE(fake.writer->drain());
      if (round % 177 != 0 || fake.disk.synced.size() <= kTakeHeaderBytes) continue;
      const bool flac = container == Container::flac;
      save(fake.disk.synced, dir / (flac ? "b.flac.part" : "b.wav.part"));
      const auto repaired = repair_takes(dir.path());
      REQUIRE(repaired.size() == 1);
      CHECK(repaired[0].frames + 8000 >= sink.audio_.taken);
      std::vector<std::int64_t> expected;
      for (const std::int64_t hole : holes) {
        if (hole < repaired[0].frames) expected.push_back(hole);
      }
      // FLAC holds a block back: a mark in it is told before its sound is there.
      CHECK(marks_of(repaired[0].file) == expected);
      const auto notes = read_notes(repaired[0].file);
      REQUIRE(notes.broadcast);
      CHECK(notes.broadcast->time_reference == 4711);
      const auto all = read_all(repaired[0].file);
      for (const std::int64_t hole : expected) CHECK(all[static_cast<std::size_t>(2 * hole)] == 0.0f);
      fs::remove(repaired[0].file);
    }
    CHECK(holes.size() > 30);
  }
}

TEST_CASE("notes: more holes than a file has room for are silence all the same, and counted") {
  TempDir dir;
  for (const Container container : {Container::wav, Container::flac}) {
    FakeTake fake({.file = dir / "a.wav",
                   .channels = 1,
                   .sample_rate_hz = 8000.0,
                   .format = SampleFormat::pcm16,
                   .container = container});
    rt::Sink& sink = fake.writer->sink();
    const std::vector<float> sample(1, 0.5f);
    for (std::size_t i = 0; i < kMaxMarks + 7; ++i) {
      push(sink, sample, 0, 1);
      lose(sink, 1);
      CHECK_FALSE(fake.writer->drain());
    }
    finish(sink);
    const TakeResult result = close_take(*fake.writer);
    CHECK(result.error.empty());
    CHECK(result.unmarked_gaps == 7);
    CHECK(result.lost_frames == kMaxMarks + 7);
    const fs::path file = save(fake.disk.synced, dir / (container == Container::wav ? "b.wav" : "b.flac"));
    const auto marks = marks_of(file);
    REQUIRE(marks.size() == kMaxMarks);
    for (std::size_t i = 0; i < marks.size(); ++i) REQUIRE(marks[i] == static_cast<std::int64_t>(2 * i + 1));
    const auto all = read_all(file);
    REQUIRE(all.size() == 2 * (kMaxMarks + 7));
    for (std::size_t i = 0; i < all.size(); ++i) REQUIRE(all[i] == (i % 2 == 0 ? 0.5f : 0.0f));
  }
}
