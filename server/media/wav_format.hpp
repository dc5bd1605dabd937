// THREAD: any - a WAV file's header and samples as bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace continuo::media {

enum class SampleFormat { pcm16, pcm24, float32 };

/// What is added before a sample is rounded to an integer; floats have none.
enum class Dither { none, tpdf };

[[nodiscard]] constexpr std::uint32_t bytes_per_sample(SampleFormat format) noexcept {
  return format == SampleFormat::pcm16 ? 2 : format == SampleFormat::pcm24 ? 3 : 4;
}

/// Written by us and not by libsndfile: its length never changes while the file grows, so it can be brought up to date
/// in place at any moment; after a full disk every byte is accounted for; and nothing in it depends on the time of day
/// (libsndfile's PEAK chunk does), so that equal takes are equal files.
struct WavFormat {
  std::uint32_t channels = 2;
  std::uint32_t sample_rate_hz = 48000;
  SampleFormat format = SampleFormat::float32;
  std::int64_t max_riff_bytes = 0xFFFFFFFE;  // a longer file is RF64; less in tests
  [[nodiscard]] std::uint32_t frame_bytes() const noexcept { return channels * bytes_per_sample(format); }
};

/// Whole chunks, of even length, that stand in front of the sound.
struct WavChunks {
  std::span<const std::byte> before_format{};
  std::span<const std::byte> before_data{};
};

/// The bytes before the first sample, for a file of `frames` frames and `trailer_bytes` of chunks after them: RIFF, or
/// RF64 where 32 bits (or max_riff_bytes) do not hold the sizes. Of the same length for any number of frames.
[[nodiscard]] std::vector<std::byte> wav_header(const WavFormat& format, std::int64_t frames,
                                                std::int64_t trailer_bytes = 0, const WavChunks& chunks = {});

/// What a header says that wav_header() made, without chunks or as a take's (take_header.hpp); nothing for any other.
struct WavHeader {
  WavFormat format;
  std::int64_t bytes = 0;  // its own length
  std::int64_t frames = 0;
  std::int64_t trailer_bytes = 0;
  WavChunks chunks{};  // inside what was read; both empty, or of a take
};
inline constexpr std::size_t kTakeHeaderBytes = 28'672;  // of a take's: it says where and when, and has room for marks
/// `head`: the file's first kTakeHeaderBytes, or all of it where it is shorter.
[[nodiscard]] std::optional<WavHeader> read_wav_header(std::span<const std::byte> head);

/// The same for a stream of unknown length: the sizes that have 32 bits are all ones.
[[nodiscard]] std::vector<std::byte> wav_stream_header(const WavFormat& format);

/// What comes after the samples: the pad byte of an odd number of bytes.
[[nodiscard]] std::vector<std::byte> wav_trailer(const WavFormat& format, std::int64_t frames);

/// Appends samples as the file holds them. Integers: x * 2^15 or 2^23 to the nearest (half to even), clipped, NaN as 0;
/// so what came from a file of at most that many bits goes back bit for bit. Floats: as they are.
void encode_samples(SampleFormat format, std::span<const float> samples, std::vector<std::byte>& bytes);

/// The same with rt/dsp/dither.hpp's TPDF added to integers. `frame` is the first sample's place, from which (and from
/// the channel) the dither follows: cut anywhere, the bytes are the same. `first_channel`: of the take, from 0.
void encode_dithered(SampleFormat format, std::uint32_t channels, std::int64_t frame, std::span<const float> samples,
                     std::vector<std::byte>& bytes, std::uint32_t first_channel = 0);

}  // namespace continuo::media
