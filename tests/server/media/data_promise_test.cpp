#include "server/media/data_promise.hpp"

#include <fstream>

#include "server/media/decode.hpp"
#include "server/media/wav_format.hpp"
#include "tests/server/media/media_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

void write_bytes(const fs::path& file, const std::vector<std::byte>& bytes) {
  std::ofstream(file, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// A header for `promised` frames before `bytes` bytes of samples.
fs::path make(const TempDir& dir, const WavFormat& format, std::int64_t promised, std::size_t bytes) {
  std::vector<std::byte> file = wav_header(format, promised);
  file.resize(file.size() + bytes);
  write_bytes(dir / "made.wav", file);
  return dir / "made.wav";
}

std::int64_t missing(const fs::path& file) {
  const auto info = probe(file);
  REQUIRE_MESSAGE(info, (info ? "" : info.error().message));
  return info->missing_frames;
}

}  // namespace

TEST_CASE("a file that is cut off says how much is missing; a whole one, and one of packed samples, says nothing") {
  TempDir dir;
  for (const int format :
       {SF_FORMAT_WAV | SF_FORMAT_PCM_U8, SF_FORMAT_WAV | SF_FORMAT_PCM_16, SF_FORMAT_WAVEX | SF_FORMAT_PCM_24,
        SF_FORMAT_WAV | SF_FORMAT_PCM_32, SF_FORMAT_WAV | SF_FORMAT_FLOAT, SF_FORMAT_WAV | SF_FORMAT_DOUBLE,
        SF_FORMAT_RF64 | SF_FORMAT_PCM_24, SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, SF_FORMAT_AIFF | SF_FORMAT_PCM_16,
        SF_FORMAT_AIFF | SF_FORMAT_FLOAT, SF_FORMAT_W64 | SF_FORMAT_PCM_24, SF_FORMAT_FLAC | SF_FORMAT_PCM_16}) {
    CAPTURE(format);
    const bool known =
        (format & SF_FORMAT_TYPEMASK) != SF_FORMAT_FLAC && (format & SF_FORMAT_SUBMASK) != SF_FORMAT_IMA_ADPCM;
    write_floats(dir / "s", format, 2, 48000, noise_floats(10'000, 2));
    const auto whole = probe(dir / "s");
    REQUIRE(whole);
    CHECK(whole->missing_frames == 0);
    fs::resize_file(dir / "s", fs::file_size(dir / "s") / 2);
    const auto half = probe(dir / "s");
    REQUIRE(half);
    if (!known) {
      CHECK(half->missing_frames == 0);
      continue;
    }
    CHECK(half->frames < 5'100);
    CHECK(half->frames + half->missing_frames == 10'000);
    CHECK(cut_off_text(*half) == " is cut off: " + std::to_string(half->frames) + " of 10000 frames");
  }
}

TEST_CASE("half a frame at the end, chunks behind the samples, and 64 bits") {
  TempDir dir;
  const WavFormat format{.channels = 2, .sample_rate_hz = 48000, .format = SampleFormat::pcm16};
  CHECK(missing(make(dir, format, 100, 400)) == 0);
  CHECK(missing(make(dir, format, 100, 399)) == 1);
  CHECK(missing(make(dir, format, 100, 42)) == 90);
  // RF64: its header says 5 GB.
  CHECK(missing(make(dir, format, 1'250'000'000, 4'000)) == 1'249'999'000);
  // The samples are whole, what is said behind them is not.
  std::vector<std::byte> file = wav_header(format, 100, 100);
  file.resize(file.size() + 400 + 20);
  write_bytes(dir / "s.wav", file);
  CHECK(missing(dir / "s.wav") == 0);
}

TEST_CASE("a length that a streaming writer left open is no damage") {
  TempDir dir;
  const WavFormat format{.channels = 2, .sample_rate_hz = 48000, .format = SampleFormat::pcm16};
  for (const std::uint32_t size : {0u, 0x7FFF'F000u, 0x7FFF'FFFFu, 0x8000'0000u, 0xFFFF'FFFFu}) {
    CAPTURE(size);
    std::vector<std::byte> file = wav_stream_header(format);
    const std::size_t at = file.size() - 4;
    for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::byte>(size >> (8 * i));
    file.resize(file.size() + 4'000);
    write_bytes(dir / "s.wav", file);
    const auto opened = BlockFile::open(dir / "s.wav");
    REQUIRE(opened);
    CHECK(promised_data_bytes(**opened) == 0);
  }
}

TEST_CASE("what is no such file, or one of endless chunks, promises nothing") {
  TempDir dir;
  const auto promised = [&](const std::string& text) {
    std::ofstream(dir / "s.wav", std::ios::binary) << text;
    const auto opened = BlockFile::open(dir / "s.wav");
    REQUIRE(opened);
    return promised_data_bytes(**opened);
  };
  const std::string riff("RIFF\x10\0\0\0WAVE", 12);
  CHECK(promised("RIFF") == 0);
  CHECK(promised(riff) == 0);
  CHECK(promised(riff + "dat") == 0);
  CHECK(promised(riff + std::string("fmt \xff\xff\xff\xff", 8)) == 0);
  CHECK(promised(riff + std::string("data\x10\0\0\0", 8)) == 16);
  CHECK(promised(std::string("RF64\xff\xff\xff\xffWAVE", 12) + std::string("data\xff\xff\xff\xff", 8)) == 0);
  std::string endless = riff;
  for (int i = 0; i < 5'000; ++i) endless += std::string("JUNK\0\0\0\0", 8);
  CHECK(promised(endless + std::string("data\x10\0\0\0", 8)) == 0);
  std::string wave64 = std::string("riff") + std::string(36, '\1');
  CHECK(promised(wave64) == 0);
  for (const char* bytes : {"\0\0\0\0\0\0\0\0", "\xff\xff\xff\xff\xff\xff\xff\xff", "\x17\0\0\0\0\0\0\0"})
    CHECK(promised(wave64 + "fact" + std::string(12, '\1') + std::string(bytes, 8)) == 0);
  CHECK(promised(wave64 + "data" + std::string(12, '\1') + std::string("\x28\0\0\0\0\0\0\0", 8)) == 16);
  CHECK(promised(std::string("FORM\0\0\0\x10\x41IFF", 12) + std::string("SSND\0\0\0\x18", 8)) == 16);
  CHECK(promised(std::string("FORM\0\0\0\x10\x41IFF", 12) + std::string("SSND\0\0\0\x07", 8)) == 0);
}
