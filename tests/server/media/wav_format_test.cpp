// The header and the one rule from float to integer.
#include "server/media/wav_format.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "server/media/decode.hpp"
#include "tests/server/media/media_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

std::uint64_t number(const std::vector<std::byte>& bytes, std::size_t at, int size) {
  std::uint64_t value = 0;
  for (int i = 0; i < size; ++i)
    value |= std::to_integer<std::uint64_t>(bytes[at + static_cast<std::size_t>(i)]) << (8 * i);
  return value;
}
std::string tag(const std::vector<std::byte>& bytes, std::size_t at) {
  return {reinterpret_cast<const char*>(bytes.data()) + at, 4};
}
int encode(SampleFormat format, float sample) {
  std::vector<std::byte> bytes;
  encode_samples(format, {&sample, 1}, bytes);
  const int shift = 32 - 8 * static_cast<int>(bytes.size());
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(number(bytes, 0, static_cast<int>(bytes.size())))
                                   << shift) >>
         shift;
}

}  // namespace

TEST_CASE("wav: the header is RIFF up to 4 GiB, RF64 beyond, and always of one length") {
  const WavFormat format{.channels = 2, .sample_rate_hz = 48000, .format = SampleFormat::float32};
  const std::vector<std::byte> small = wav_header(format, 100);
  CHECK(tag(small, 0) == "RIFF");
  CHECK(number(small, 4, 4) == small.size() - 8 + 800);
  CHECK(tag(small, 12) == "JUNK");
  const std::int64_t most = (0xFFFFFFFE - static_cast<std::int64_t>(small.size()) + 8) / 8;
  CHECK(tag(wav_header(format, most), 0) == "RIFF");
  const std::vector<std::byte> large = wav_header(format, most + 1);
  CHECK(large.size() == small.size());
  CHECK(tag(large, 0) == "RF64");
  CHECK(number(large, 4, 4) == 0xFFFFFFFF);
  CHECK(tag(large, 12) == "ds64");
  CHECK(number(large, 20, 8) == large.size() - 8 + 8 * static_cast<std::uint64_t>(most + 1));
  CHECK(number(large, 28, 8) == 8 * static_cast<std::uint64_t>(most + 1));
  CHECK(number(large, 36, 8) == static_cast<std::uint64_t>(most + 1));
  CHECK(number(large, large.size() - 4, 4) == 0xFFFFFFFF);
}

TEST_CASE("wav: an RF64 file beyond 4 GiB is read at its end") {
  TempDir dir;
  const WavFormat format{.channels = 2, .sample_rate_hz = 96000, .format = SampleFormat::pcm24};
  const std::int64_t frames = (std::int64_t{5} << 30) / 6;
  const std::vector<std::byte> header = wav_header(format, frames);
  FILE* out = std::fopen((dir / "a.wav").c_str(), "wb");
  REQUIRE(out != nullptr);
  CHECK(std::fwrite(header.data(), 1, header.size(), out) == header.size());
  std::fclose(out);
  fs::resize_file(dir / "a.wav", header.size() + static_cast<std::uintmax_t>(frames * 6));  // sparse
  auto decoder = Decoder::open(dir / "a.wav");
  REQUIRE(decoder);
  CHECK((*decoder)->info().frames == frames);
  CHECK((*decoder)->info().format == "RF64 24-bit");
  REQUIRE((*decoder)->seek(frames - 5));
  std::vector<float> part(20);
  CHECK((*decoder)->read(part.data(), 10) == 5);
}

TEST_CASE("wav: the trailer pads to even bytes") {
  const WavFormat odd{.channels = 1, .sample_rate_hz = 48000, .format = SampleFormat::pcm24};
  CHECK(wav_trailer(odd, 3).size() == 1);
  CHECK(wav_trailer(odd, 4).empty());
}

TEST_CASE("wav: to the nearest integer, clipped, never undefined") {
  for (const SampleFormat format : {SampleFormat::pcm16, SampleFormat::pcm24}) {
    const int full = format == SampleFormat::pcm16 ? 1 << 15 : 1 << 23;
    const float step = 1.0f / static_cast<float>(full);
    CHECK(encode(format, 0.0f) == 0);
    CHECK(encode(format, -0.0f) == 0);
    CHECK(encode(format, 1.0f) == full - 1);
    CHECK(encode(format, -1.0f) == -full);
    CHECK(encode(format, 1e30f) == full - 1);
    CHECK(encode(format, -1e30f) == -full);
    CHECK(encode(format, std::numeric_limits<float>::infinity()) == full - 1);
    CHECK(encode(format, -std::numeric_limits<float>::infinity()) == -full);
    CHECK(encode(format, std::numeric_limits<float>::quiet_NaN()) == 0);
    CHECK(encode(format, 0.49f * step) == 0);
    CHECK(encode(format, 0.51f * step) == 1);
    CHECK(encode(format, 1.5f * step) == 2);
    CHECK(encode(format, 2.5f * step) == 2);
    CHECK(encode(format, -1.6f * step) == -2);
    for (int v = -full; v < full; v += full / 4096 + 7) REQUIRE(encode(format, static_cast<float>(v) * step) == v);
  }
}

TEST_CASE("wav: dithered samples do not depend on how they are cut, differ by channel, and stay in range") {
  std::vector<float> samples = noise_floats(1000, 3);
  samples[10] = 1.0f;
  samples[11] = -1.0f;
  samples[12] = std::numeric_limits<float>::quiet_NaN();
  samples[13] = std::numeric_limits<float>::infinity();
  for (const SampleFormat format : {SampleFormat::pcm16, SampleFormat::pcm24, SampleFormat::float32}) {
    std::vector<std::byte> whole;
    encode_dithered(format, 3, -100, samples, whole);
    for (const std::size_t step : {1u, 7u, 64u, 999u}) {
      std::vector<std::byte> parts;
      for (std::size_t frame = 0; frame < 1000; frame += step) {
        const std::size_t n = std::min<std::size_t>(step, 1000 - frame);
        encode_dithered(format, 3, static_cast<std::int64_t>(frame) - 100, std::span(samples).subspan(3 * frame, 3 * n),
                        parts);
      }
      CHECK(parts == whole);
    }
    std::vector<std::byte> plain;
    encode_samples(format, samples, plain);
    CHECK((whole == plain) == (format == SampleFormat::float32));
    if (format == SampleFormat::float32) continue;
    const int size = static_cast<int>(bytes_per_sample(format));
    const int shift = 32 - 8 * size;
    int worst = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const auto at = i * static_cast<std::size_t>(size);
      const auto value = [&](const std::vector<std::byte>& b) {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(number(b, at, size)) << shift) >> shift;
      };
      worst = std::max(worst, std::abs(value(whole) - value(plain)));
    }
    CHECK(worst <= 1);  // half an LSB of rounding and one of dither; never a wrap at full scale
    CHECK(number(whole, 12 * static_cast<std::size_t>(size), size) == 0);
    std::vector<std::byte> silence;
    encode_dithered(format, 2, 0, std::vector<float>(2000), silence);
    std::size_t equal = 0;
    for (std::size_t frame = 0; frame < 1000; ++frame)
      equal += number(silence, frame * 2 * static_cast<std::size_t>(size), size) ==
               number(silence, (frame * 2 + 1) * static_cast<std::size_t>(size), size);
    CHECK(equal < 700);
  }
}

TEST_CASE("wav: the header of a stream of unknown length") {
  const WavFormat format{.channels = 2, .sample_rate_hz = 48000, .format = SampleFormat::pcm16};
  const std::vector<std::byte> header = wav_stream_header(format);
  CHECK(header.size() == wav_header(format, 0).size());
  CHECK(tag(header, 0) == "RIFF");
  CHECK(number(header, 4, 4) == 0xFFFFFFFF);
  CHECK(tag(header, header.size() - 8) == "data");
  CHECK(number(header, header.size() - 4, 4) == 0xFFFFFFFF);
}
