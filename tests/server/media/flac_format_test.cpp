// FLAC that we write: every decoder gives back the samples, to the bit.
#include "server/media/flac_format.hpp"

#include <doctest/doctest.h>

#include <climits>
#include <random>

#include "server/media/flac_encoder.hpp"
#include "server/media/flac_head.hpp"
#include "server/media/flac_whole_frame.hpp"
#include "tests/server/media/flac_check.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

/// A whole file of these samples, which the encoder gets in pieces of any length.
std::vector<std::byte> flac_file(const FlacFormat& format, const std::vector<std::int32_t>& samples) {
  const std::size_t frames = samples.size() / format.channels;
  std::vector<std::byte> sound;
  std::size_t written = 0;
  FlacEncoder encoder(format, [&](std::span<const std::byte> bytes, std::uint32_t count) {
    const auto frame = read_flac_frame(format, bytes);
    REQUIRE(frame);
    REQUIRE(frame->frames == count);
    REQUIRE(frame->number * format.block == written);
    REQUIRE(whole_flac_frame(format, bytes) == bytes.size());
    sound.insert(sound.end(), bytes.begin(), bytes.end());
    written += count;
    return true;
  });
  std::mt19937 random(static_cast<unsigned>(samples.size()));
  for (std::size_t at = 0; at < frames;) {
    const std::size_t n = std::min<std::size_t>(1 + random() % (2 * format.block), frames - at);
    REQUIRE(encoder.encode(std::span(samples).subspan(at * format.channels, n * format.channels)));
    at += n;
    REQUIRE(at - written <= format.block);  // no more than that waits
  }
  REQUIRE(encoder.finish());
  REQUIRE(written == frames);
  auto bytes = flac_head(format, static_cast<std::int64_t>(frames), {"TIME_REFERENCE=1"}, {}, true, encoder.md5());
  bytes.insert(bytes.end(), sound.begin(), sound.end());
  return bytes;
}

/// As RFC 9639 has them: code of block and rate, number, and what the codes leave to words at the end.
std::vector<std::byte> frame_header(std::uint32_t block_code, std::uint32_t rate_code, std::uint64_t number,
                                    const std::vector<unsigned>& words) {
  std::vector<unsigned> bytes{0xFF, 0xF8, block_code << 4 | rate_code, 2u << 4 | 6u << 1};  // 3 channels, 24 bits
  unsigned more = 0;
  while (number >= 0x80 && more < 6 && (more == 0 || number >> (6 * more + 6 - more) != 0)) ++more;
  bytes.push_back(more == 0 ? static_cast<unsigned>(number)
                            : (0xFF00u >> (more + 1) & 0xFFu) | static_cast<unsigned>(number >> (6 * more)));
  while (more-- > 0) bytes.push_back(0x80u | static_cast<unsigned>(number >> (6 * more) & 0x3Fu));
  bytes.insert(bytes.end(), words.begin(), words.end());
  unsigned crc = 0;
  for (const unsigned byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = ((crc & 0x80) != 0 ? crc << 1 ^ 0x107u : crc << 1) & 0xFFu;
  }
  bytes.push_back(crc);
  std::vector<std::byte> header;
  for (const unsigned byte : bytes) header.push_back(static_cast<std::byte>(byte));
  return header;
}

std::vector<std::int32_t> decoded(const fs::path& path, const FlacFormat& format) {
  SF_INFO info{};
  SNDFILE* file = sf_open(path.c_str(), SFM_READ, &info);
  REQUIRE(file != nullptr);
  CHECK(info.channels == static_cast<int>(format.channels));
  CHECK(info.samplerate == static_cast<int>(format.sample_rate_hz));
  CHECK((info.format & SF_FORMAT_SUBMASK) == (format.bits == 16 ? SF_FORMAT_PCM_16 : SF_FORMAT_PCM_24));
  std::vector<std::int32_t> samples(static_cast<std::size_t>(info.frames * info.channels));
  CHECK(sf_readf_int(file, samples.data(), info.frames) == info.frames);
  sf_close(file);
  for (std::int32_t& s : samples) s >>= 32 - static_cast<int>(format.bits);
  return samples;
}

enum class Sound { noise, silence, constant, full_square, quiet, sine, random_walk, shifted, spike, equal_channels };
constexpr Sound kSounds[] = {Sound::noise, Sound::silence,       Sound::constant,    Sound::full_square,
                             Sound::quiet, Sound::sine,          Sound::random_walk, Sound::shifted,
                             Sound::spike, Sound::equal_channels};

std::vector<std::int32_t> sound(Sound kind, const FlacFormat& format, std::size_t frames) {
  std::mt19937 random(static_cast<unsigned>(frames) + format.channels);
  const std::int32_t full = (1 << (format.bits - 1)) - 1;
  std::vector<std::int32_t> samples(frames * format.channels);
  std::int32_t walk = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::size_t frame = i / format.channels;
    const auto any = static_cast<std::int32_t>(random() % (2u * static_cast<unsigned>(full) + 2)) - full - 1;
    walk = std::clamp(walk + any / 1000, -full - 1, full);
    const double turn = static_cast<double>(frame) * 0.05 + static_cast<double>(i % format.channels);
    switch (kind) {
      case Sound::noise:
        samples[i] = any;
        break;
      case Sound::silence:
        samples[i] = 0;
        break;
      case Sound::constant:
        samples[i] = -full - 1;
        break;
      case Sound::full_square:
        samples[i] = (frame + i % format.channels) % 2 != 0 ? full : -full - 1;
        break;
      case Sound::quiet:
        samples[i] = any % 3;
        break;
      case Sound::sine:
        samples[i] = static_cast<std::int32_t>(std::sin(turn) * full);
        break;
      case Sound::random_walk:
        samples[i] = walk;
        break;
      case Sound::shifted:
        samples[i] = any & ~0xFF;
        break;
      case Sound::spike:
        samples[i] = frame % 700 == 350 ? full : 0;
        break;
      case Sound::equal_channels:
        samples[i] = static_cast<std::int32_t>(frame * 977 % 30011) - 15000;
        break;
    }
  }
  return samples;
}

}  // namespace

TEST_CASE("flac: what libsndfile decodes is what was encoded, for every sound, width, channel count and last block") {
  TempDir dir;
  for (const std::uint32_t bits : {16u, 24u}) {
    for (std::uint32_t channels = 1; channels <= kMaxFlacChannels; ++channels) {
      for (const Sound kind : kSounds) {
        for (const std::size_t frames : {1u, 3u, 5u, 191u, 1152u, 1153u, 2304u + 576u}) {
          const FlacFormat format{channels, 48000, bits, flac_block(48000)};
          CAPTURE(bits);
          CAPTURE(channels);
          CAPTURE(static_cast<int>(kind));
          CAPTURE(frames);
          const auto samples = sound(kind, format, frames);
          REQUIRE(decoded(save(flac_file(format, samples), dir / "a.flac"), format) == samples);
        }
      }
    }
  }
}

TEST_CASE("flac: every rate has a block of at most 25 ms and a header that is read again") {
  TempDir dir;
  for (const std::uint32_t rate : {8000u, 11025u, 16000u, 22050u, 32000u, 44100u, 44101u, 48000u, 88200u, 96000u,
                                   176400u, 192000u, 352800u, 384000u, kMaxFlacRate}) {
    CAPTURE(rate);
    const FlacFormat format{2, rate, 24, flac_block(rate)};
    CHECK(format.block * 40 <= rate);
    CHECK(format.block >= 192);
    const auto samples = sound(Sound::sine, format, 3 * format.block + 17);
    const auto bytes = flac_file(format, samples);
    CHECK(decoded(save(bytes, dir / "a.flac"), format) == samples);
    const auto stream = read_flac_stream(bytes);
    REQUIRE(stream);
    CHECK(stream->format == format);
    CHECK(stream->frames == 3 * format.block + 17);
    const auto first = read_flac_frame(format, std::span(bytes).subspan(kFlacHeadBytes));
    REQUIRE(first);
    CHECK(first->number == 0);
    CHECK(first->frames == format.block);
  }
}

TEST_CASE("flac: frame numbers of one to seven bytes, and no header that is damaged") {
  const FlacFormat format{3, 48000, 24, 1152};
  for (const std::uint64_t number : {0ull, 127ull, 128ull, 2047ull, 2048ull, 65535ull, 65536ull, 2097151ull, 2097152ull,
                                     67108863ull, 67108864ull, 2147483647ull, 2147483648ull, 68719476735ull}) {
    CAPTURE(number);
    const auto bytes = frame_header(7, 10, number, {1, 6});
    const auto frame = read_flac_frame(format, bytes);
    REQUIRE(frame);
    CHECK(frame->number == number);
    CHECK(frame->frames == 263);
    CHECK(frame->header_bytes == bytes.size());
    for (std::size_t at = 0; at < frame->header_bytes; ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        auto wrong = bytes;
        wrong[at] ^= static_cast<std::byte>(1 << bit);
        const auto read = read_flac_frame(format, wrong);
        CHECK_FALSE(read.has_value());
      }
      CHECK_FALSE(read_flac_frame(format, std::span(bytes).first(at)));
    }
  }
}

TEST_CASE("flac: a header says its block and its rate in any of the ways that there are, and only this take's is one") {
  const auto frames = [](std::uint32_t rate, std::uint32_t block, std::uint32_t rate_code,
                         const std::vector<unsigned>& words) {
    const auto read = read_flac_frame({3, rate, 24, 4608}, frame_header(block, rate_code, 5, words));
    return read ? read->frames : 0;
  };
  CHECK(frames(48000, 5, 10, {}) == 4608);
  CHECK(frames(48000, 1, 10, {}) == 192);
  CHECK(frames(48000, 6, 10, {255}) == 256);
  CHECK(frames(48000, 7, 10, {1, 0}) == 257);
  CHECK(frames(48000, 7, 10, {0xFF, 0xFF}) == 0);  // more than a block
  CHECK(frames(48000, 0, 10, {}) == 0);
  CHECK(frames(48000, 15, 10, {}) == 0);
  CHECK(frames(44101, 3, 0, {}) == 1152);  // as the stream
  CHECK(frames(48000, 3, 12, {48}) == 1152);
  CHECK(frames(44101, 3, 13, {0xAC, 0x45}) == 1152);
  CHECK(frames(352800, 6, 14, {9, 0x89, 0xD0}) == 10);
  CHECK(frames(44100, 3, 10, {}) == 0);
  CHECK(frames(44100, 3, 13, {0xAC, 0x45}) == 0);
  CHECK(frames(48000, 3, 15, {}) == 0);
}

TEST_CASE("flac: the MD5 is that of all samples, and a write that fails ends it all") {
  TempDir dir;
  for (const std::uint32_t bits : {16u, 24u}) {
    for (const std::uint32_t channels : {1u, 2u, 8u}) {
      const FlacFormat format{channels, 48000, bits, flac_block(48000)};
      auto bytes = flac_file(format, sound(Sound::random_walk, format, 5000));
      CHECK(check_flac(save(bytes, dir / "a.flac")) == FlacFile::md5_right);
      bytes[30] ^= std::byte{1};
      CHECK(check_flac(save(bytes, dir / "a.flac")) == FlacFile::md5_wrong);
    }
  }
  const FlacFormat format{2, 48000, 24, 1152};
  for (const int good : {0, 1, 3}) {
    int asked = 0;
    FlacEncoder encoder(format, [&](std::span<const std::byte>, std::uint32_t) { return asked++ < good; });
    CHECK(encoder.encode(sound(Sound::noise, format, 1152)));  // waits for what follows
    CHECK(asked == 0);
    CHECK(encoder.encode(sound(Sound::noise, format, 1152)) == (good > 0));
    CHECK(encoder.encode(sound(Sound::noise, format, 1152)) == (good > 1));
    CHECK_FALSE((good > 1 && encoder.encode(sound(Sound::noise, format, 2305))));
    CHECK_FALSE(encoder.encode(sound(Sound::noise, format, 1)));
    CHECK_FALSE(encoder.finish());
    CHECK(encoder.md5() == FlacMd5{});
    CHECK(asked == good + 1);
  }
}

TEST_CASE("flac: a frame's end is found whatever follows it, and no frame that lacks or changed a bit is whole") {
  for (const std::uint32_t channels : {1u, 2u, 5u}) {
    const FlacFormat format{channels, 8000, 16, 192};
    const auto file = flac_file(format, sound(Sound::random_walk, format, 192 + 50));
    const std::span<const std::byte> first = std::span(file).subspan(kFlacHeadBytes);
    const auto length = whole_flac_frame(format, first);
    REQUIRE(length);
    const auto second = first.subspan(*length);
    REQUIRE(whole_flac_frame(format, second) == second.size());
    for (const std::byte filler : {std::byte{0}, std::byte{0xFF}}) {
      std::vector<std::byte> more(second.begin(), second.end());
      more.resize(more.size() + 5000, filler);
      CHECK(whole_flac_frame(format, more) == second.size());
    }
    for (std::size_t cut = 0; cut < second.size(); ++cut) CHECK_FALSE(whole_flac_frame(format, second.first(cut)));
    for (std::size_t at = 0; at < second.size(); ++at) {
      std::vector<std::byte> wrong(second.begin(), second.end());
      wrong[at] ^= static_cast<std::byte>(1u << at % 8);
      CHECK_FALSE(whole_flac_frame(format, wrong));
    }
  }
}

TEST_CASE("flac: it is smaller where there is something to leave out, and hardly larger where there is not") {
  const FlacFormat format{2, 48000, 24, flac_block(48000)};
  const std::size_t plain = 48000 * 6;
  const auto size = [&](Sound kind) { return flac_file(format, sound(kind, format, 48000)).size() - kFlacHeadBytes; };
  CHECK(size(Sound::noise) < plain * 1005 / 1000);
  CHECK(size(Sound::silence) < plain / 200);
  CHECK(size(Sound::sine) < plain / 2);
  CHECK(size(Sound::shifted) < plain * 68 / 100);
  CHECK(size(Sound::equal_channels) < plain * 55 / 100);
}

TEST_CASE("flac: marks stand in the comments, running and closed, and the head keeps its length") {
  const FlacFormat format{2, 48000, 24, 1152};
  const std::vector<std::string> comments{"DESCRIPTION=vox", "TIME_REFERENCE=-5"};
  std::vector<std::int64_t> marks;
  for (const bool closed : {false, true}) {
    for (const std::size_t count : {0u, 1u, 2u, 999u, 1000u, 1500u}) {
      CAPTURE(count);
      marks.clear();
      for (std::size_t i = 0; i < count; ++i) marks.push_back(static_cast<std::int64_t>(i) * 1'000'000'007);
      const auto head = flac_head(format, 12345, comments, marks, closed);
      CHECK(head.size() == kFlacHeadBytes);
      const FlacComments read = read_flac_comments(head);
      CHECK(read.ours);
      REQUIRE(read.all.size() == (count == 0 ? 2 : 3));
      CHECK(read.all[0] == comments[0]);
      if (count == 0) continue;
      const auto again = marks_of_comment(std::string_view(read.all[2]).substr(kMarkersComment.size()));
      REQUIRE(again.size() == std::min<std::size_t>(count, 1000));
      CHECK(std::equal(again.begin(), again.end(), marks.begin()));
    }
  }
  for (std::size_t cut = 0; cut < kFlacHeadBytes; cut += 7) {
    const auto head = flac_head(format, 12345, comments, marks, true);
    static_cast<void>(read_flac_comments(std::span(head).first(cut)));
    CHECK(read_flac_stream(std::span(head).first(cut)).has_value() == (cut >= kFlacStreamBytes));
  }
  CHECK(marks_of_comment("").empty());
  CHECK(marks_of_comment("5,4").size() == 1);
  CHECK(marks_of_comment("5,,6").size() == 1);
  CHECK(marks_of_comment("99999999999999999999999").empty());
  CHECK(marks_of_comment("-1").empty());
}
