// What a kill or a power cut left open becomes a file again: of the right length, under a free name, and nothing else
// is touched.
#include "server/media/take_repair.hpp"

#include <doctest/doctest.h>
#include <sys/file.h>

#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

/// A take's bytes as a kill leaves them: a header that knows `told` frames, then the sound.
std::vector<std::byte> cut_off(const WavFormat& format, const std::vector<float>& samples, std::int64_t told) {
  std::vector<std::byte> bytes = wav_header(format, told);
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
          const auto header = wav_header(shape, 101, (101 * shape.frame_bytes()) % 2);
          std::vector<std::byte> now(fs::file_size(dir / "a.wav"));
          FILE* file = std::fopen((dir / "a.wav").c_str(), "rb");
          REQUIRE(std::fread(now.data(), 1, now.size(), file) == now.size());
          std::fclose(file);
          CHECK(std::equal(header.begin(), header.end(), now.begin()));
          CHECK(now.size() == header.size() + 101 * shape.frame_bytes() + (101 * shape.frame_bytes()) % 2);
          fs::remove(dir / "a.wav");
        }
      }
    }
  }
}

TEST_CASE("repair: cut off while it was closed, its marks are no sound") {
  TempDir dir;
  const WavFormat shape{1, 48000, SampleFormat::pcm24};
  const std::vector<float> samples(33, 0.25f);
  const std::vector<std::int64_t> marks{3, 20};
  auto bytes = cut_off(shape, samples, 33);
  const auto trailer = wav_trailer(shape, 33, marks);
  bytes.insert(bytes.end(), trailer.begin(), trailer.end());
  save(bytes, dir / "before.wav.part");  // the header does not know of the marks yet
  const auto header = wav_header(shape, 33, static_cast<std::int64_t>(trailer.size()));
  std::copy(header.begin(), header.end(), bytes.begin());
  save(bytes, dir / "after.wav.part");
  const auto repaired = repair_takes(dir.path());
  REQUIRE(repaired.size() == 2);
  for (const RepairedTake& take : repaired) {
    CHECK(take.frames == 33);
    CHECK(read_all(take.file) == samples);
    CHECK(fs::file_size(take.file) == bytes.size());
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
  save(bytes, dir / "other.flac.part");
  fs::create_symlink(dir / "day/night/a.wav", dir / "link.wav.part");
  fs::create_directory(dir / "folder.wav.part");
  auto running = make_take_file(dir / "running.wav");
  REQUIRE(running);
  std::size_t written = 0;
  REQUIRE((*running)->write_at(0, bytes, written) == 0);
  // Without a frame: gone, for nothing is lost.
  save(wav_header(shape, 0), dir / "empty.wav.part");
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
