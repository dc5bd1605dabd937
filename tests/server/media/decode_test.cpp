// Every format that can be written here: exact samples, exact lengths, exact seeks.
#include "server/media/decode.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

#include "server/media/probe.hpp"
#include "server/media/wav_format.hpp"
#include "tests/server/media/media_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

struct Format {
  const char* name;
  int format;
  int bits;  // 0: float or lossy
  const char* text;
};

constexpr Format kFormats[] = {
    {"wav16", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16, "WAV 16-bit"},
    {"wav24", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 24, "WAV 24-bit"},
    {"wav8", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 8, "WAV 8-bit"},
    {"wavex24", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 24, "WAV 24-bit"},
    {"wavfloat", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0, "WAV float"},
    {"wavdouble", SF_FORMAT_WAV | SF_FORMAT_DOUBLE, 0, "WAV double"},
    {"rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_24, 24, "RF64 24-bit"},
    {"w64", SF_FORMAT_W64 | SF_FORMAT_PCM_24, 24, "W64 24-bit"},
    {"aiff16", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 16, "AIFF 16-bit"},
    {"aiff24", SF_FORMAT_AIFF | SF_FORMAT_PCM_24, 24, "AIFF 24-bit"},
    {"aifffloat", SF_FORMAT_AIFF | SF_FORMAT_FLOAT, 0, "AIFF float"},
    {"caf24", SF_FORMAT_CAF | SF_FORMAT_PCM_24, 24, "CAF 24-bit"},
    {"au16", SF_FORMAT_AU | SF_FORMAT_PCM_16, 16, "AU 16-bit"},
    {"flac16", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16, "FLAC 16-bit"},
    {"flac24", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 24, "FLAC 24-bit"},
    {"vorbis", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 0, "Ogg Vorbis"},
    {"opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 0, "Ogg Opus"},
    {"mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0, "MP3"},
};

void replace_tag(const fs::path& file, const char* tag) {
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.write(tag, 4);
}

}  // namespace

TEST_CASE("decode: integer files are bit-exact, there and back") {
  TempDir dir;
  for (const Format& f : kFormats) {
    if (f.bits == 0) continue;
    CAPTURE(std::string(f.name));
    const std::vector<int> written = noise_ints(9001, 2, f.bits);
    write_ints(dir / f.name, f.format, 2, 48000, written);
    auto decoder = Decoder::open(dir / f.name);
    REQUIRE(decoder);
    CHECK((*decoder)->info().frames == 9001);
    CHECK((*decoder)->info().channels == 2);
    CHECK((*decoder)->info().sample_rate_hz == 48000);
    CHECK((*decoder)->info().format == f.text);
    std::vector<float> read(9001 * 2);
    REQUIRE((*decoder)->read(read.data(), 9002) == 9001);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < read.size(); ++i) wrong += read[i] != static_cast<float>(written[i] * 0x1p-31);
    CHECK(wrong == 0);
    if (f.bits != 16 && f.bits != 24) continue;
    std::vector<std::byte> back;
    encode_samples(f.bits == 16 ? SampleFormat::pcm16 : SampleFormat::pcm24, read, back);
    wrong = 0;
    const std::size_t size = f.bits / 8;
    for (std::size_t i = 0; i < written.size(); ++i) {
      wrong += std::memcmp(back.data() + i * size, reinterpret_cast<const char*>(&written[i]) + 4 - size, size) != 0;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("decode: float files pass unchanged, beyond full scale too") {
  TempDir dir;
  std::vector<float> written = noise_floats(5000, 3);
  written[0] = 3.5f;
  written[1] = -1e-30f;
  write_floats(dir / "a.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 3, 96000, written);
  auto decoder = Decoder::open(dir / "a.wav");
  REQUIRE(decoder);
  std::vector<float> read(written.size());
  REQUIRE((*decoder)->read(read.data(), 5000) == 5000);
  CHECK(read == written);
}

TEST_CASE("decode: a seek anywhere gives what was there, in every format") {
  TempDir dir;
  const std::vector<float> sound = sine(100'000, 2, 441.0, 48000.0, 0.3);
  const std::vector<float> noise = noise_floats(100'000, 2);
  std::vector<float> written(sound.size());
  for (std::size_t i = 0; i < sound.size(); ++i) written[i] = sound[i] + 0.2f * noise[i];
  for (const Format& f : kFormats) {
    CAPTURE(std::string(f.name));
    write_floats(dir / f.name, f.format, 2, 48000, written);
    auto opened = Decoder::open(dir / f.name);
    REQUIRE(opened);
    Decoder& decoder = **opened;
    CHECK(decoder.info().format == f.text);
    const std::int64_t frames = decoder.info().frames;
    CHECK(frames == 100'000);
    std::vector<float> all(static_cast<std::size_t>(frames) * 2);
    REQUIRE(decoder.read(all.data(), static_cast<std::size_t>(frames)) == static_cast<std::size_t>(frames));
    Random random(7);
    std::vector<std::int64_t> places = {0, 1, frames - 1, frames - 100, frames - 5000, frames / 2, 0, 64, frames};
    for (int i = 0; i < 25; ++i) places.push_back(random.below(frames));
    for (const std::int64_t at : places) {
      CAPTURE(at);
      REQUIRE(decoder.seek(at));
      std::vector<float> part(3000 * 2);
      const std::size_t expected = static_cast<std::size_t>(std::min<std::int64_t>(3000, frames - at));
      REQUIRE(decoder.read(part.data(), 3000) == expected);
      CHECK(std::memcmp(part.data(), all.data() + at * 2, expected * 2 * sizeof(float)) == 0);
    }
    CHECK(decoder.error().empty());
  }
}

TEST_CASE("decode: a Vorbis file is exact after a seek into its last page, however long that is") {
  TempDir dir;
  // A page of noise lasts tenths of a second, one of a plain tone many seconds.
  for (const auto& sound : {noise_floats(900'000, 1), sine(900'000, 1, 100.0, 44100.0, 0.1)}) {
    write_floats(dir / "a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 1, 44100, sound);
    const std::vector<float> all = reference(dir / "a.ogg");
    auto decoder = Decoder::open(dir / "a.ogg");
    REQUIRE(decoder);
    for (const std::int64_t back : {1, 50, 900, 2500, 5000, 9000, 40'000, 100'000, 300'001, 500'000}) {
      CAPTURE(back);
      const std::int64_t at = (*decoder)->info().frames - back;
      REQUIRE((*decoder)->seek(at));
      std::vector<float> part(static_cast<std::size_t>(back));
      REQUIRE((*decoder)->read(part.data(), part.size()) == part.size());
      CHECK(std::memcmp(part.data(), all.data() + at, part.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("decode: BW64 is read like RF64") {
  TempDir dir;
  const std::vector<int> written = noise_ints(1000, 2, 24);
  write_ints(dir / "a.wav", SF_FORMAT_RF64 | SF_FORMAT_PCM_24, 2, 48000, written);
  replace_tag(dir / "a.wav", "BW64");
  auto decoder = Decoder::open(dir / "a.wav");
  REQUIRE(decoder);
  std::vector<float> read(2000);
  REQUIRE((*decoder)->read(read.data(), 1000) == 1000);
  CHECK(read[1999] == static_cast<float>(written[1999] * 0x1p-31));
}

TEST_CASE("decode: a FLAC whose header does not know its length is counted, or believed") {
  TempDir dir;
  write_ints(dir / "a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 1, 48000, noise_ints(70'000, 1, 16));
  {
    // STREAMINFO: 36 bits of length at the end of byte 21 and on, 0 for "not known".
    std::fstream file(dir / "a.flac", std::ios::in | std::ios::out | std::ios::binary);
    char byte = 0;
    file.seekg(21);
    file.get(byte);
    file.seekp(21);
    file.put(static_cast<char>(byte & 0xF0));
    file.write("\0\0\0\0", 4);
  }
  auto info = probe(dir / "a.flac");
  REQUIRE(info);
  CHECK(info->frames == 70'000);
  auto decoder = Decoder::open(dir / "a.flac", 70'000);
  REQUIRE(decoder);
  CHECK((*decoder)->info().frames == 70'000);
  REQUIRE((*decoder)->seek(69'990));
  std::vector<float> part(20);
  CHECK((*decoder)->read(part.data(), 20) == 10);
}

TEST_CASE("probe: what is not audio is refused, each with its reason") {
  TempDir dir;
  std::ofstream(dir / "empty.wav").flush();
  std::ofstream(dir / "text.wav") << std::string(5000, 'x');
  std::ofstream(dir / "head.wav") << "RIFF\x24\x10\x00\x00WAVE";
  {
    std::ofstream random(dir / "random.flac", std::ios::binary);
    Random r(3);
    for (int i = 0; i < 5000; ++i) random.put(static_cast<char>(r.next() >> 24));
  }
  write_ints(dir / "none.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 48000, {});
  write_ints(dir / "wide.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 65, 48000, noise_ints(10, 65, 16));
  write_ints(dir / "slow.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 1, 999, noise_ints(10, 1, 16));
  fs::create_directory(dir / "folder");
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  struct Case {
    const char* name;
    ErrorKind kind;
    const char* reason;
  };
  for (const Case& c : {Case{"no-such-file", ErrorKind::not_found, "FILE_NOT_FOUND"},
                        Case{"text.wav/below", ErrorKind::not_found, "FILE_NOT_FOUND"},
                        Case{"empty.wav", ErrorKind::invalid_argument, "NOT_AUDIO"},
                        Case{"text.wav", ErrorKind::invalid_argument, "NOT_AUDIO"},
                        Case{"head.wav", ErrorKind::invalid_argument, "NOT_AUDIO"},
                        Case{"random.flac", ErrorKind::invalid_argument, "NOT_AUDIO"},
                        Case{"none.wav", ErrorKind::invalid_argument, "NOT_AUDIO"},
                        Case{"wide.wav", ErrorKind::invalid_argument, "NOT_AUDIO"},
                        Case{"slow.wav", ErrorKind::invalid_argument, "NOT_AUDIO"},
                        Case{"folder", ErrorKind::invalid_argument, "NOT_A_FILE"},
                        Case{"fifo", ErrorKind::invalid_argument, "NOT_A_FILE"}}) {
    CAPTURE(std::string(c.name));
    const auto result = probe(dir / c.name);
    REQUIRE_FALSE(result);
    CHECK(result.error().kind == c.kind);
    CHECK(result.error().reason == c.reason);
    CHECK(result.error().message.find(c.name) != std::string::npos);
    CHECK_FALSE(StreamReader::open({.file = dir / c.name}));
  }
  CHECK_FALSE(probe("/dev/zero"));
}

TEST_CASE("probe: 64 channels, and a WAV that was cut off is as long as it is") {
  TempDir dir;
  write_ints(dir / "wide.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 64, 48000, noise_ints(100, 64, 24));
  auto info = probe(dir / "wide.wav");
  REQUIRE(info);
  CHECK(info->channels == 64);
  write_ints(dir / "cut.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 2, 48000, noise_ints(10'000, 2, 16));
  fs::resize_file(dir / "cut.wav", 44 + 4 * 3000 + 2);
  info = probe(dir / "cut.wav");
  REQUIRE(info);
  CHECK(info->frames == 3000);
}

TEST_CASE("frames_at_rate: to the nearest frame, at any length") {
  MediaInfo info{.channels = 1, .sample_rate_hz = 44100, .frames = 44100, .format = ""};
  CHECK(frames_at_rate(info, 48000.0) == 48000);
  info.frames = 1;
  CHECK(frames_at_rate(info, 48000.0) == 1);
  CHECK(frames_at_rate(info, 22050.0) == 1);  // a half goes up
  CHECK(frames_at_rate(info, 22049.0) == 0);
  info.frames = std::int64_t{44100} * 3600 * 24 * 365 * 1000 + 147;
  CHECK(frames_at_rate(info, 48000.0) == std::int64_t{48000} * 3600 * 24 * 365 * 1000 + 160);
  CHECK(frames_at_rate(info, 44100.02) == info.frames);
}
