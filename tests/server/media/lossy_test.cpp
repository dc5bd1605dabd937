#include <doctest/doctest.h>
#include <sndfile.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "server/media/decode.hpp"
#include "server/media/probe.hpp"
#include "tests/server/media/media_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kFrames = 50'003;  // no whole number of anybody's packets

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_bytes(const fs::path& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

/// The same MP3 from an encoder that writes no tag: its first frame is then a frame of silence like any other.
std::string without_tag(std::string bytes) {
  for (const char* tag : {"Xing", "Info"})
    if (const std::size_t at = bytes.find(tag); at < 4096) bytes.replace(at, 200, 200, '\0');
  return bytes;
}

std::vector<float> all_of(Decoder& decoder) {
  std::vector<float> samples(static_cast<std::size_t>(decoder.info().frames) * decoder.info().channels);
  samples.resize(decoder.read(samples.data(), static_cast<std::size_t>(decoder.info().frames)) *
                 decoder.info().channels);
  return samples;
}

/// By how many frames `late` is behind `sound`: where their product is greatest.
int lag(const std::vector<float>& sound, const std::vector<float>& late) {
  int best = 0;
  double greatest = -1e9;
  for (int k = -3000; k <= 3000; ++k) {
    double sum = 0.0;
    for (std::size_t i = 8000; i < 16'000; ++i) sum += static_cast<double>(sound[i]) * late[i + k];
    if (sum > greatest) greatest = sum, best = k;
  }
  return best;
}

}  // namespace

TEST_CASE("lossy: the encoder's delay and padding are cut off, so that files which were one join without a gap") {
  TempDir dir;
  const std::vector<float> tone = sine(kFrames, 1, 441.0, 48000.0, 0.2);
  std::vector<float> sound = noise_floats(kFrames, 1);
  for (std::size_t i = 0; i < sound.size(); ++i) sound[i] = 0.2f * sound[i] + tone[i];
  for (const int format :
       {SF_FORMAT_OGG | SF_FORMAT_VORBIS, SF_FORMAT_OGG | SF_FORMAT_OPUS, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}) {
    CAPTURE(format);
    write_floats(dir / "a", format, 1, 48000, sound);
    auto decoder = Decoder::open(dir / "a");
    REQUIRE(decoder);
    CHECK((*decoder)->info().frames == kFrames);
    const std::vector<float> heard = all_of(**decoder);
    REQUIRE(heard.size() == static_cast<std::size_t>(kFrames));
    CHECK((*decoder)->error().empty());
    CHECK(lag(sound, heard) == 0);
  }
}

TEST_CASE("lossy: an MP3 that does not say its length is counted, not guessed, and is not called damaged") {
  TempDir dir;
  write_floats(dir / "a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 2, 44100, noise_floats(kFrames, 2));
  const std::string bytes = without_tag(bytes_of(dir / "a.mp3"));
  REQUIRE(bytes != bytes_of(dir / "a.mp3"));
  // A player's note at the end, and a picture in front, make a guess from the bytes too long.
  std::string picture("ID3\x04\x00\x00\x00\x01\x00\x00", 10);  // 2^14 bytes follow
  picture.append(std::size_t{1} << 14, '\0');
  for (const std::string& front : {std::string(), picture}) {
    CAPTURE(front.size());
    write_bytes(dir / "b.mp3", front + bytes + "TAG" + std::string(125, ' '));
    const auto info = probe(dir / "b.mp3");
    REQUIRE(info);
    CHECK(info->frames % 1152 == 0);
    CHECK(info->frames > kFrames);  // nobody knows what was put in front of it and behind it
    for (const std::int64_t known : {std::int64_t{0}, info->frames}) {
      auto decoder = Decoder::open(dir / "b.mp3", known);
      REQUIRE(decoder);
      CHECK((*decoder)->info().frames == info->frames);
      CHECK(all_of(**decoder).size() == static_cast<std::size_t>(info->frames) * 2);
      CHECK((*decoder)->error().empty());
    }
  }
}
