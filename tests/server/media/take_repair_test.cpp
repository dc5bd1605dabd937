// What a kill or a power cut left open becomes a file again: of the right length, under a free name, and nothing else
// is touched.
#include "server/media/take_repair.hpp"

#include <doctest/doctest.h>
#include <sys/file.h>

#include "server/media/file_notes.hpp"
#include "server/media/take_header.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

const TakeNotes kNotes{"vox", "0123", 4711, 1'795'176'000'000'000'000};

std::vector<std::byte> closed_header(const WavFormat& format, const std::vector<std::int64_t>& marks,
                                     std::int64_t frames) {
  const auto trailer = static_cast<std::int64_t>(wav_trailer(format, frames).size());
  return take_header(format, bext_chunk(kNotes, format, Dither::none), marks, frames, trailer, true);
}

std::vector<std::byte> bytes_of(const fs::path& path) {
  std::vector<std::byte> all(fs::file_size(path));
  FILE* file = std::fopen(path.c_str(), "rb");
  REQUIRE(std::fread(all.data(), 1, all.size(), file) == all.size());
  std::fclose(file);
  return all;
}

/// A take's bytes as a kill leaves them: a header that knows `told` frames, then the sound.
std::vector<std::byte> cut_off(const WavFormat& format, const std::vector<float>& samples, std::int64_t told,
                               const std::vector<std::int64_t>& marks = {}) {
  std::vector<std::byte> bytes = take_header(format, bext_chunk(kNotes, format, Dither::none), marks, told, 0, false);
  encode_samples(format.format, samples, bytes);
  return bytes;
}

}  // namespace

TEST_CASE("repair: each width and channel count, a torn frame at the end, nothing told or too much") {
  TempDir dir;
  for (const SampleFormat format : {SampleFormat::pcm16, SampleFormat::pcm24, SampleFormat::float32}) {
    for (const std::uint32_t channels : {1u, 2u, 3u, 16u, 64u}) {
      for (const std::int64_t told : {0, 60, 101, 5000}) {
        for (const std::size_t torn : {0u, 1u}) {
          CAPTURE(channels);
          CAPTURE(told);
          const WavFormat shape{channels, 44100, format};
          std::vector<float> samples;
          for (const int s : noise_ints(101, channels, 16)) samples.push_back(static_cast<float>(s * 0x1p-31));
          auto bytes = cut_off(shape, samples, told);
          bytes.resize(bytes.size() + torn);
          save(bytes, dir / "a.wav.part");
          const auto repaired = repair_takes(dir.path());
          REQUIRE(repaired.size() == 1);
          CHECK(repaired[0].error.empty());
          CHECK(repaired[0].frames == 101);
          CHECK(repaired[0].channels == channels);
          CHECK(repaired[0].sample_rate_hz == 44100);
          CHECK(repaired[0].file.filename() == "a.wav");
          CHECK_FALSE(fs::exists(dir / "a.wav.part"));
          CHECK(read_all(dir / "a.wav") == samples);
          // Byte for byte what a take is that was closed in the usual way.
          const auto header = closed_header(shape, {}, 101);
          const std::vector<std::byte> now = bytes_of(dir / "a.wav");
          CHECK(std::equal(header.begin(), header.end(), now.begin()));
          CHECK(now.size() == header.size() + 101 * shape.frame_bytes() + (101 * shape.frame_bytes()) % 2);
          fs::remove(dir / "a.wav");
        }
      }
    }
  }
}

TEST_CASE("repair: cut off between any two writes of closing, marks and notes are there, and no sound too much") {
  TempDir dir;
  const WavFormat shape{1, 48000, SampleFormat::pcm24};
  const std::vector<float> samples(33, 0.25f);
  const std::vector<std::int64_t> marks{3, 20};
  const auto running = cut_off(shape, samples, 33, marks);
  const auto closed = closed_header(shape, marks, 33);
  const TakeHeaderParts parts = take_header_parts(shape, bext_chunk(kNotes, shape, Dither::none));
  std::vector<std::vector<std::byte>> stages{running};
  const auto next = [&](std::size_t from, std::size_t to) {
    stages.push_back(stages.back());
    std::copy(closed.begin() + static_cast<std::ptrdiff_t>(from), closed.begin() + static_cast<std::ptrdiff_t>(to),
              stages.back().begin() + static_cast<std::ptrdiff_t>(from));
  };
  stages.push_back(running);
  stages.back().push_back(std::byte{0});  // the pad byte
  next(parts.body_at, parts.body_end);
  next(0, parts.body_at);
  next(parts.body_end, closed.size());
  for (std::size_t i = 0; i < stages.size(); ++i) {
    CAPTURE(i);
    const fs::path file = save(stages[i], dir / "a.wav.part");
    CHECK(read_all(file) == samples);  // valid before it is repaired, too
    CHECK(read_notes(file).marks.size() == 2);
    const auto repaired = repair_takes(dir.path());
    REQUIRE(repaired.size() == 1);
    CHECK(repaired[0].frames == 33);
    CHECK(bytes_of(repaired[0].file) == stages.back());
    fs::remove(repaired[0].file);
  }
}

TEST_CASE("repair: marks that the disk did not get, or that lie behind the sound, are left out") {
  TempDir dir;
  const WavFormat shape{2, 48000, SampleFormat::pcm16};
  auto bytes = cut_off(shape, std::vector<float>(200, 0.5f), 100, {1, 50, 99, 100, 4000});
  auto torn = bytes;
  const TakeHeaderParts parts = take_header_parts(shape, bext_chunk(kNotes, shape, Dither::none));
  std::fill_n(torn.begin() + static_cast<std::ptrdiff_t>(parts.body_at) + 24, 24, std::byte{0});
  for (const bool is_torn : {false, true}) {
    save(is_torn ? torn : bytes, dir / "a.wav.part");
    REQUIRE(repair_takes(dir.path()).size() == 1);
    const FileNotes notes = read_notes(dir / "a.wav");
    REQUIRE(notes.marks.size() == (is_torn ? 1 : 3));
    CHECK(notes.marks.back().frame == (is_torn ? 1 : 99));
    REQUIRE(notes.broadcast);
    CHECK(notes.broadcast->time_reference == 4711);
    CHECK(notes.broadcast->originator_reference == "0123");
    fs::remove(dir / "a.wav");
  }
}

TEST_CASE("repair: a size that is new at one end of the header and old at the other, also where it became RF64") {
  TempDir dir;
  WavFormat shape{2, 48000, SampleFormat::float32};
  const std::vector<float> samples(400, 0.5f);
  const auto old_bytes = cut_off(shape, samples, 100);
  for (const bool large : {false, true}) {
    if (large) shape.max_riff_bytes = 1000;
    const auto new_bytes = cut_off(shape, samples, 200);
    auto torn = old_bytes;
    std::copy_n(new_bytes.begin(), kTakeHeaderBytes - 8, torn.begin());
    save(torn, dir / "a.wav.part");
    CHECK(read_all(dir / "a.wav.part").size() >= 200);
    const auto repaired = repair_takes(dir.path());
    REQUIRE(repaired.size() == 1);
    CHECK(repaired[0].frames == 200);
    CHECK(read_all(repaired[0].file) == samples);
    fs::remove(repaired[0].file);
  }
}

TEST_CASE("repair: in folders, never over another file, and only what a take left that nobody holds") {
  TempDir dir;
  const WavFormat shape{2, 48000, SampleFormat::float32};
  const auto bytes = cut_off(shape, std::vector<float>(200, 0.5f), 10);
  fs::create_directories(dir / "day/night");
  save(bytes, dir / "day/night/a.wav.part");
  save(bytes, dir / "day/night/a.wav");
  save(bytes, dir / "day/night/a-2.wav");
  // Not ours to touch:
  save(std::vector<std::byte>(500, std::byte{7}), dir / "foreign.wav.part");
  save(bytes, dir / "render.wav.4711.part");
  write_ints(dir / "other.flac.part", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1, 48000, noise_ints(5000, 1, 16));
  fs::create_symlink(dir / "day/night/a.wav", dir / "link.wav.part");
  fs::create_directory(dir / "folder.wav.part");
  auto running = make_take_file(dir / "running.wav");
  REQUIRE(running);
  std::size_t written = 0;
  REQUIRE((*running)->write_at(0, bytes, written) == 0);
  // Without a frame: gone, for nothing is lost.
  save(cut_off(shape, {}, 0), dir / "empty.wav.part");
  save({}, dir / "nothing.wav.part");

  const auto repaired = repair_takes(dir.path());
  REQUIRE(repaired.size() == 1);
  CHECK(repaired[0].file.filename() == "a-3.wav");
  CHECK(read_all(repaired[0].file).size() == 200);
  for (const char* left : {"foreign.wav.part", "render.wav.4711.part", "other.flac.part", "link.wav.part",
                           "folder.wav.part", "running.wav.part"}) {
    CAPTURE(left);
    CHECK(fs::exists(dir / left));
  }
  CHECK_FALSE(fs::exists(dir / "empty.wav.part"));
  CHECK_FALSE(fs::exists(dir / "nothing.wav.part"));
  running->reset();  // its writer has gone
  REQUIRE(repair_takes(dir.path()).size() == 1);
  CHECK(fs::exists(dir / "running.wav"));
  CHECK(repair_takes(dir.path()).empty());
  CHECK(repair_takes(dir / "nowhere").empty());
  // In a folder that is not for takes alone an empty file may be anybody's.
  save({}, dir / "download.flac.part");
  CHECK(repair_takes(dir.path(), false).empty());
  CHECK(fs::exists(dir / "download.flac.part"));
  // Asked to stop, it stops.
  save(bytes, dir / "late.wav.part");
  CHECK(repair_takes(dir.path(), true, [] { return true; }).empty());
  CHECK(fs::exists(dir / "late.wav.part"));
}

TEST_CASE("repair: a header is ours to the byte, or it is not") {
  for (const std::uint32_t channels : {1u, 2u, 7u}) {
    for (const SampleFormat format : {SampleFormat::pcm16, SampleFormat::pcm24, SampleFormat::float32}) {
      const WavFormat shape{channels, 96000, format};
      for (const std::int64_t frames : {std::int64_t{0}, std::int64_t{1}, std::int64_t{5'000'000'000}}) {
        const auto bytes = wav_header(shape, frames, 12);
        const auto read = read_wav_header(bytes);
        REQUIRE(read);
        CHECK(read->frames == frames);
        CHECK(read->bytes == static_cast<std::int64_t>(bytes.size()));
        CHECK(read->trailer_bytes == 12);
        CHECK(read->format.channels == channels);
        CHECK(read->format.sample_rate_hz == 96000);
        CHECK(read->format.format == format);
        for (std::size_t cut = 0; cut < bytes.size(); ++cut) CHECK_FALSE(read_wav_header(std::span(bytes).first(cut)));
        for (const std::size_t at : {0u, 9u, 13u, 16u, 49u, 52u, 64u}) {
          auto wrong = bytes;
          wrong[at] ^= std::byte{0x10};
          CAPTURE(at);
          CHECK_FALSE(read_wav_header(wrong));
        }
      }
    }
  }
}
