#include "server/media/wav_format.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>

#include "rt/dsp/dither.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kMax32 = 0xFFFFFFFE;  // all ones says "look into ds64"

void put(std::vector<std::byte>& to, std::string_view tag) {
  for (const char c : tag) to.push_back(static_cast<std::byte>(c));
}
void put(std::vector<std::byte>& to, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

void put_format(std::vector<std::byte>& to, const WavFormat& format) {
  const std::uint64_t code = format.format == SampleFormat::float32 ? 3 : 1;
  const bool extensible = format.channels > 2;
  put(to, "fmt ");
  put(to, extensible ? 40 : code == 3 ? 18 : 16, 4);
  put(to, extensible ? 0xFFFE : code, 2);
  put(to, format.channels, 2);
  put(to, format.sample_rate_hz, 4);
  put(to, std::uint64_t{format.sample_rate_hz} * format.frame_bytes(), 4);
  put(to, format.frame_bytes(), 2);
  put(to, 8 * bytes_per_sample(format.format), 2);
  if (!extensible) {
    if (code == 3) put(to, 0, 2);
    return;
  }
  put(to, 22, 2);
  put(to, 8 * bytes_per_sample(format.format), 2);
  put(to, 0, 4);  // no loudspeakers are meant
  put(to, code, 2);
  for (const unsigned byte : {0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71})
    put(to, byte, 1);
}

/// `added(i)` in LSB. The magic number rounds a half to even, as lrint does, in a loop that vectorises.
template <class Added>
void encode_integers(SampleFormat format, std::span<const float> samples, std::vector<std::byte>& bytes,
                     Added&& added) {
  constexpr double kMagic = 0x1.8p52;
  const std::size_t size = bytes_per_sample(format);
  const std::size_t from = bytes.size();
  bytes.resize(from + samples.size() * size);
  std::byte* to = bytes.data() + from;
  const double scale = format == SampleFormat::pcm16 ? 0x1p15 : 0x1p23;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    double scaled = static_cast<double>(samples[i]) * scale + added(i);
    scaled = scaled < scale - 1.0 ? scaled : scale - 1.0;
    scaled = scaled > -scale ? scaled : -scale;
    scaled = std::isnan(samples[i]) ? 0.0 : scaled;
    const auto value = static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(scaled + kMagic));
    for (std::size_t k = 0; k < size; ++k) *to++ = static_cast<std::byte>(value >> (8 * k));
  }
}

}  // namespace

std::vector<std::byte> wav_header(const WavFormat& format, std::int64_t frames, std::int64_t trailer_bytes) {
  const std::int64_t data = frames * format.frame_bytes();
  std::vector<std::byte> body;
  put_format(body, format);
  if (format.format == SampleFormat::float32) {
    put(body, "fact");
    put(body, 4, 4);
    put(body, static_cast<std::uint64_t>(std::min(frames, std::int64_t{0xFFFFFFFF})), 4);
  }
  constexpr std::int64_t kDs64 = 28;
  const std::int64_t riff = 4 + 8 + kDs64 + static_cast<std::int64_t>(body.size()) + 8 + data + trailer_bytes;
  const bool large = riff > format.max_riff_bytes;

  std::vector<std::byte> to;
  put(to, large ? "RF64" : "RIFF");
  put(to, large ? 0xFFFFFFFF : static_cast<std::uint64_t>(riff), 4);
  put(to, "WAVE");
  put(to, large ? "ds64" : "JUNK");  // the room for 64-bit sizes, should they be needed
  put(to, kDs64, 4);
  put(to, large ? static_cast<std::uint64_t>(riff) : 0, 8);
  put(to, large ? static_cast<std::uint64_t>(data) : 0, 8);
  put(to, large ? static_cast<std::uint64_t>(frames) : 0, 8);
  put(to, 0, 4);
  to.insert(to.end(), body.begin(), body.end());
  put(to, "data");
  put(to, large ? 0xFFFFFFFF : static_cast<std::uint64_t>(data), 4);
  return to;
}

std::optional<WavHeader> read_wav_header(std::span<const std::byte> head) {
  const auto number = [&](std::size_t at, std::size_t bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes && at + i < head.size(); ++i)
      value |= std::uint64_t{std::to_integer<std::uint8_t>(head[at + i])} << (8 * i);
    return value;
  };
  constexpr std::size_t kRiffSize = 4, kBigRiff = 20, kBigData = 28, kCode = 56, kSubCode = 80;
  constexpr std::int64_t kMaxTrailer = 12 + 24 * static_cast<std::int64_t>(kMaxMarks) + 1;
  WavHeader read;
  const std::uint64_t code = number(number(kCode, 2) == 0xFFFE ? kSubCode : kCode, 2), bits = number(kCode + 14, 2);
  read.format = {static_cast<std::uint32_t>(number(kCode + 2, 2)), static_cast<std::uint32_t>(number(kCode + 4, 4)),
                 code == 3    ? SampleFormat::float32
                 : bits == 16 ? SampleFormat::pcm16
                              : SampleFormat::pcm24};
  if (read.format.channels == 0) return std::nullopt;
  read.bytes = static_cast<std::int64_t>(wav_header(read.format, 0).size());
  if (static_cast<std::int64_t>(head.size()) < read.bytes) return std::nullopt;
  head = head.first(static_cast<std::size_t>(read.bytes));
  const bool large = head[1] == std::byte{'F'};  // RF64; then it stays that
  if (large) read.format.max_riff_bytes = 0;
  const auto data = static_cast<std::int64_t>(large ? number(kBigData, 8) : number(head.size() - 4, 4));
  const auto riff = static_cast<std::int64_t>(large ? number(kBigRiff, 8) : number(kRiffSize, 4));
  read.frames = data / read.format.frame_bytes();
  read.trailer_bytes = riff + 8 - read.bytes - data;
  if (read.frames < 0 || read.trailer_bytes < 0 || read.trailer_bytes > kMaxTrailer) return std::nullopt;
  const std::vector<std::byte> ours = wav_header(read.format, read.frames, read.trailer_bytes);
  if (!std::ranges::equal(ours, head)) return std::nullopt;
  return read;
}

std::vector<std::byte> wav_stream_header(const WavFormat& format) {
  std::vector<std::byte> header = wav_header(format, 0);
  constexpr std::size_t kRiffSize = 4;
  for (const std::size_t at : {kRiffSize, header.size() - 4}) std::fill_n(header.begin() + at, 4, std::byte{0xFF});
  return header;
}

std::vector<std::byte> wav_trailer(const WavFormat& format, std::int64_t frames, std::span<const std::int64_t> marks) {
  std::vector<std::byte> to;
  if ((frames * format.frame_bytes()) % 2 != 0) put(to, 0, 1);
  std::vector<std::uint64_t> kept;
  for (const std::int64_t mark : marks) {
    if (mark >= 0 && mark <= kMax32 && kept.size() < kMaxMarks) kept.push_back(static_cast<std::uint64_t>(mark));
  }
  if (kept.empty()) return to;
  put(to, "cue ");
  put(to, 4 + 24 * kept.size(), 4);
  put(to, kept.size(), 4);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    put(to, i + 1, 4);
    put(to, kept[i], 4);
    put(to, "data");
    put(to, 0, 8);  // chunk and block start: none
    put(to, kept[i], 4);
  }
  return to;
}

void encode_samples(SampleFormat format, std::span<const float> samples, std::vector<std::byte>& bytes) {
  if (format != SampleFormat::float32) {
    return encode_integers(format, samples, bytes, [](std::size_t) { return 0.0; });
  }
  const std::size_t from = bytes.size();
  bytes.resize(from + samples.size_bytes());
  std::memcpy(bytes.data() + from, samples.data(), samples.size_bytes());  // little-endian, like every machine here
}

void encode_dithered(SampleFormat format, std::uint32_t channels, std::int64_t frame, std::span<const float> samples,
                     std::vector<std::byte>& bytes, std::uint32_t first_channel) {
  if (format == SampleFormat::float32) return encode_samples(format, samples, bytes);
  std::vector<std::uint64_t> keys(channels);
  for (std::uint32_t c = 0; c < channels; ++c) keys[c] = rt::dsp::dither_key(0, first_channel + c);
  std::uint32_t channel = 0;
  encode_integers(format, samples, bytes, [&](std::size_t) {
    const double dither = rt::dsp::tpdf(keys[channel], frame);
    if (++channel == channels) {
      channel = 0;
      ++frame;
    }
    return dither;
  });
}

}  // namespace continuo::media
