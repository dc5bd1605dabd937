#include "server/media/wav_format.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <string_view>

#include "rt/dsp/dither.hpp"

namespace continuo::media {
namespace {

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

std::vector<std::byte> wav_header(const WavFormat& format, std::int64_t frames, std::int64_t trailer_bytes,
                                  const WavChunks& chunks) {
  const std::int64_t data = frames * format.frame_bytes();
  std::vector<std::byte> body(chunks.before_format.begin(), chunks.before_format.end());
  put_format(body, format);
  if (format.format == SampleFormat::float32) {
    put(body, "fact");
    put(body, 4, 4);
    put(body, static_cast<std::uint64_t>(std::min(frames, std::int64_t{0xFFFFFFFF})), 4);
  }
  body.insert(body.end(), chunks.before_data.begin(), chunks.before_data.end());
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
  constexpr std::size_t kRiffSize = 4, kBigRiff = 20, kBigData = 28, kChunks = 48;
  constexpr std::uint64_t kBext = 0x74786562;  // as it stands in the file
  WavHeader read;
  std::size_t format_at = kChunks;
  if (number(kChunks, 4) == kBext) {
    const std::uint64_t bytes = 8 + number(kChunks + 4, 4);
    if (head.size() < kTakeHeaderBytes || bytes % 2 != 0 || bytes > kTakeHeaderBytes / 2) return std::nullopt;
    head = head.first(kTakeHeaderBytes);
    read.chunks.before_format = head.subspan(kChunks, static_cast<std::size_t>(bytes));
    format_at += static_cast<std::size_t>(bytes);
  }
  const std::size_t code_at = format_at + 8, sub_code_at = format_at + 32;
  const std::uint64_t code = number(number(code_at, 2) == 0xFFFE ? sub_code_at : code_at, 2);
  const std::uint64_t bits = number(code_at + 14, 2);
  read.format = {static_cast<std::uint32_t>(number(code_at + 2, 2)),
                 static_cast<std::uint32_t>(number(code_at + 4, 4)),
                 code == 3    ? SampleFormat::float32
                 : bits == 16 ? SampleFormat::pcm16
                              : SampleFormat::pcm24};
  if (read.format.channels == 0) return std::nullopt;
  const std::size_t plain = wav_header(read.format, 0).size();
  if (!read.chunks.before_format.empty()) {
    const std::size_t behind = format_at + plain - kChunks - 8;  // the format and what belongs to it
    read.chunks.before_data = head.subspan(behind, kTakeHeaderBytes - 8 - behind);
  }
  const std::size_t bytes = plain + read.chunks.before_format.size() + read.chunks.before_data.size();
  if (head.size() < bytes) return std::nullopt;
  head = head.first(bytes);
  read.bytes = static_cast<std::int64_t>(bytes);
  const bool large = head[1] == std::byte{'F'};  // RF64; then it stays that
  if (large) read.format.max_riff_bytes = 0;
  const auto data = static_cast<std::int64_t>(large ? number(kBigData, 8) : number(head.size() - 4, 4));
  const auto riff = static_cast<std::int64_t>(large ? number(kBigRiff, 8) : number(kRiffSize, 4));
  read.frames = data / read.format.frame_bytes();
  read.trailer_bytes = riff + 8 - read.bytes - data;
  constexpr std::int64_t kMaxTrailer = 1 << 16;
  const bool fits = read.frames >= 0 && read.trailer_bytes >= 0 && read.trailer_bytes <= kMaxTrailer;
  const bool take = !read.chunks.before_format.empty();
  if (!fits && !take) return std::nullopt;
  // A take's sizes lie at both ends of its header, so a kill may leave new ones here and old ones there.
  if (!fits) read.frames = read.trailer_bytes = 0;
  std::vector<std::byte> ours = wav_header(read.format, read.frames, read.trailer_bytes, read.chunks);
  const auto as_told = [&](std::size_t at, std::size_t count) {
    std::copy_n(head.begin() + static_cast<std::ptrdiff_t>(at), count, ours.begin() + static_cast<std::ptrdiff_t>(at));
  };
  if (take) {
    as_told(kRiffSize, 4);
    if (large) as_told(kBigRiff, 24);
    if (code == 3) as_told(head.size() - 8 - read.chunks.before_data.size() - 4, 4);
    as_told(head.size() - 4, 4);
  }
  if (!std::ranges::equal(ours, head)) return std::nullopt;
  return read;
}

std::vector<std::byte> wav_stream_header(const WavFormat& format) {
  std::vector<std::byte> header = wav_header(format, 0);
  constexpr std::size_t kRiffSize = 4;
  for (const std::size_t at : {kRiffSize, header.size() - 4}) std::fill_n(header.begin() + at, 4, std::byte{0xFF});
  return header;
}

std::vector<std::byte> wav_trailer(const WavFormat& format, std::int64_t frames) {
  return std::vector<std::byte>((frames * format.frame_bytes()) % 2 != 0 ? 1 : 0);
}

void encode_samples(SampleFormat format, std::span<const float> samples, std::vector<std::byte>& bytes) {
  if (format != SampleFormat::float32) {
    return encode_integers(format, samples, bytes, [](std::size_t) { return 0.0; });
  }
  if (samples.empty()) return;
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
