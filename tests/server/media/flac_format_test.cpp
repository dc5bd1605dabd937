// FLAC that we write: every decoder gives back the samples, to the bit.
#include "server/media/flac_format.hpp"

#include <doctest/doctest.h>

#include <climits>
#include <random>

#include "server/media/flac_head.hpp"
#include "tests/server/media/take_test.hpp"

using namespace continuo;
using namespace continuo::media;
using namespace continuo::media::test;

namespace {

/// A whole file of these samples.
std::vector<std::byte> flac_file(const FlacFormat& format, const std::vector<std::int32_t>& samples) {
  const std::size_t frames = samples.size() / format.channels;
  std::vector<std::byte> bytes = flac_head(format, static_cast<std::int64_t>(frames), {"TIME_REFERENCE=1"}, {}, true);
  FlacEncoder encoder(format);
  for (std::size_t at = 0, number = 0; at < frames; at += format.block, ++number) {
    const std::size_t n = std::min<std::size_t>(format.block, frames - at);
    encoder.encode(number, std::span(samples).subspan(at * format.channels, n * format.channels), bytes);
  }
  return bytes;
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
  FlacEncoder encoder(format);
  const std::vector<std::int32_t> samples(3 * 7, 5);
  for (const std::uint64_t number : {0ull, 127ull, 128ull, 2047ull, 2048ull, 65535ull, 65536ull, 2097151ull, 2097152ull,
                                     67108863ull, 67108864ull, 2147483647ull, 2147483648ull, 68719476735ull}) {
    CAPTURE(number);
    std::vector<std::byte> bytes;
    encoder.encode(number, samples, bytes);
    const auto frame = read_flac_frame(format, bytes);
    REQUIRE(frame);
    CHECK(frame->number == number);
    CHECK(frame->frames == 7);
    CHECK(flac_crc16(bytes) == 0);
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
