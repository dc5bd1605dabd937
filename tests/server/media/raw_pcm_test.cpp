// Uncompressed files without libsndfile: the same samples as with it, from any place, in any portions.
#include "server/media/raw_pcm.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "server/media/decode.hpp"
#include "tests/server/media/media_test.hpp"

using namespace continuo::media;
using namespace continuo::media::test;

namespace {

/// A WAV file written by hand: what any other program may have made of it.
std::string wav_bytes(int channels, int bits, std::string_view before_data, const std::string& data,
                      std::uint32_t claimed) {
  std::string out = "RIFF....WAVEfmt ";
  const auto put = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  };
  put(16, 4);
  put(1, 2);
  put(static_cast<std::uint32_t>(channels), 2);
  put(48000, 4);
  put(static_cast<std::uint32_t>(48000 * channels * bits / 8), 4);
  put(static_cast<std::uint32_t>(channels * bits / 8), 2);
  put(static_cast<std::uint32_t>(bits), 2);
  out += before_data;
  out += "data";
  put(claimed, 4);
  out += data;
  const auto riff = static_cast<std::uint32_t>(out.size() - 8);
  for (std::size_t i = 0; i < 4; ++i) out[4 + i] = static_cast<char>(riff >> (8 * i));
  return out;
}

void write_text(const fs::path& file, const std::string& text) {
  FILE* out = std::fopen(file.c_str(), "wb");
  REQUIRE(out != nullptr);
  CHECK(std::fwrite(text.data(), 1, text.size(), out) == text.size());
  std::fclose(out);
}

}  // namespace

TEST_CASE("raw: every 16- and 24-bit value, the ends of 32 bits, floats bit by bit") {
  using Sample = RawLayout::Sample;
  std::vector<std::byte> bytes(3 << 24);
  std::vector<float> out(std::size_t{1} << 24);
  for (std::uint32_t v = 0; v < (1u << 24); ++v) std::memcpy(bytes.data() + 3 * std::size_t{v}, &v, 3);
  decode_samples(Sample::pcm24, bytes.data(), out.data(), out.size());
  std::size_t wrong = 0;
  for (std::uint32_t v = 0; v < (1u << 24); ++v)
    wrong += static_cast<double>(out[v]) != (static_cast<std::int32_t>(v << 8) >> 8) * 0x1p-23;
  CHECK(wrong == 0);
  for (std::uint32_t v = 0; v < (1u << 16); ++v) std::memcpy(bytes.data() + 2 * std::size_t{v}, &v, 2);
  decode_samples(Sample::pcm16, bytes.data(), out.data(), 1 << 16);
  for (std::uint32_t v = 0; v < (1u << 16); ++v)
    REQUIRE(static_cast<double>(out[v]) == static_cast<std::int16_t>(v) * 0x1p-15);
  const std::vector<std::int32_t> wide = {0, 1, -1, INT32_MAX, INT32_MIN, 0x7FFFFF7F, 0x40000001, -0x40000001};
  decode_samples(Sample::pcm32, reinterpret_cast<const std::byte*>(wide.data()), out.data(), wide.size());
  for (std::size_t i = 0; i < wide.size(); ++i) CHECK(out[i] == static_cast<float>(wide[i] * 0x1p-31));
  const std::vector<std::uint32_t> floats = {0x7FC00001u, 0x80000000u, 0x00000001u, 0xFF800000u, 0x3F800001u};
  decode_samples(Sample::float32, reinterpret_cast<const std::byte*>(floats.data()), out.data(), floats.size());
  CHECK(std::memcmp(out.data(), floats.data(), 4 * floats.size()) == 0);
}

TEST_CASE("raw: any number of samples, and not a byte beyond them") {
  for (const RawLayout::Sample sample :
       {RawLayout::Sample::pcm16, RawLayout::Sample::pcm24, RawLayout::Sample::pcm32, RawLayout::Sample::float32}) {
    const RawLayout layout{.sample = sample, .data_at = 0, .channels = 1};
    for (std::size_t n = 0; n < 70; ++n) {
      const std::vector<std::byte> bytes(n * layout.sample_bytes(), std::byte{0x3F});  // ends where it ends: ASan looks
      std::vector<float> out(n + 1, -7.0f);
      decode_samples(sample, bytes.data(), out.data(), n);
      CHECK(out[n] == -7.0f);
      for (std::size_t i = 1; i < n; ++i) REQUIRE(out[i] == out[0]);
    }
  }
}

TEST_CASE("raw: in each container and width what libsndfile reads, in portions of any size, from anywhere") {
  TempDir dir;
  const auto same = [](const std::vector<float>& got, const std::vector<float>& all, std::int64_t from, int channels) {
    const auto at = static_cast<std::size_t>(from * channels);
    return at + got.size() <= all.size() && std::memcmp(got.data(), all.data() + at, got.size() * sizeof(float)) == 0;
  };
  for (const int container :
       std::initializer_list<int>{SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64, SF_FORMAT_W64, SF_FORMAT_AIFF,
                                  SF_FORMAT_WAV | SF_ENDIAN_BIG, SF_FORMAT_AIFF | SF_ENDIAN_LITTLE, SF_FORMAT_CAF}) {
    for (const int width : {SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_PCM_32, SF_FORMAT_FLOAT}) {
      if (container == (SF_FORMAT_AIFF | SF_ENDIAN_LITTLE) && width == SF_FORMAT_FLOAT) continue;  // there is none
      for (const int channels : {1, 3}) {
        CAPTURE(container);
        CAPTURE(width);
        CAPTURE(channels);
        constexpr std::int64_t kFrames = 50'000;  // more than a block of any width
        write_floats(dir / "a", container | width, channels, 48000, noise_floats(kFrames, channels));
        SF_INFO info{};
        SNDFILE* in = sf_open((dir / "a").c_str(), SFM_READ, &info);
        REQUIRE(in != nullptr);
        std::vector<int> ints(static_cast<std::size_t>(kFrames * channels));
        std::vector<float> expected(ints.size());
        if (width == SF_FORMAT_FLOAT) {
          CHECK(sf_readf_float(in, expected.data(), kFrames) == kFrames);
        } else {
          CHECK(sf_readf_int(in, ints.data(), kFrames) == kFrames);
          for (std::size_t i = 0; i < ints.size(); ++i) expected[i] = static_cast<float>(ints[i] * 0x1p-31);
        }
        sf_close(in);
        auto decoder = Decoder::open(dir / "a");
        REQUIRE(decoder);
        CHECK((*decoder)->info().frames == kFrames);
        Random random(7);
        for (int i = 0; i < 30; ++i) {
          const std::int64_t at = i == 0 ? 0 : random.below(kFrames + 1);
          const auto n = static_cast<std::size_t>(1 + random.below(i % 3 == 0 ? 30'000 : 50));
          REQUIRE((*decoder)->seek(at));
          std::vector<float> got(n * static_cast<std::size_t>(channels));
          got.resize((*decoder)->read(got.data(), n) * static_cast<std::size_t>(channels));
          CHECK(got.size() ==
                std::min<std::size_t>(n, static_cast<std::size_t>(kFrames - at)) * static_cast<std::size_t>(channels));
          CHECK(same(got, expected, at, channels));
        }
        CHECK((*decoder)->error().empty());
      }
    }
  }
}

TEST_CASE("raw: chunks before the samples, an odd place, a length that lies, a byte too few") {
  TempDir dir;
  std::string data;
  for (int i = 0; i < 3 * 1001; ++i) data += static_cast<char>(i * 7);
  const auto open = [&](std::string_view before, std::uint32_t claimed, const std::string& samples) {
    write_text(dir / "a.wav", wav_bytes(1, 24, before, samples, claimed));
    auto decoder = Decoder::open(dir / "a.wav");
    REQUIRE(decoder);
    return std::move(*decoder);
  };
  const auto first = [](Decoder& decoder, std::size_t n) {
    std::vector<float> out(n);
    out.resize(decoder.read(out.data(), n));
    return out;
  };
  const std::vector<float> expected = first(*open("", 3003, data), 2000);
  CHECK(expected.size() == 1001);
  CHECK(first(*open(std::string_view("junk\5\0\0\0abcde\0", 14), 3003, data), 2000) == expected);
  CHECK(open("", 3003, data + "LIST\4\0\0\0abcd")->info().frames == 1001);
  for (const std::uint32_t claimed : {0x7FFFFFFFu, 0xFFFFFFFFu, 5000u}) {
    auto lies = open("", claimed, data);
    CHECK(first(*lies, 5000) == expected);
  }
  auto cut = open("", 3003, data.substr(0, 3002));
  CHECK(cut->info().frames == 1000);
  CHECK(first(*cut, 5000).size() == 1000);

  // It shrinks after it was opened.
  const std::string large(3 * 50'000, 'x');
  auto shrinks = open("", 150'000, large);
  CHECK(first(*shrinks, 10'000).size() == 10'000);
  fs::resize_file(dir / "a.wav", 44 + 3 * 40'000);
  CHECK(first(*shrinks, 50'000).size() == 30'000);
  CHECK(shrinks->error().find("damaged or cut off at frame 40000 of 50000") != std::string::npos);
  CHECK(first(*shrinks, 10).empty());
}
