// THREAD: disk - uncompressed samples from a file's bytes to floats, without a library in between
#pragma once

#include <cstddef>
#include <cstdint>

#include "server/media/block_file.hpp"

namespace continuo::media {

/// Where a file keeps its frames, one after another, little-endian.
struct RawLayout {
  enum class Sample { none, pcm16, pcm24, pcm32, float32 };
  Sample sample = Sample::none;  // none: not such a file
  std::int64_t data_at = 0;      // of frame 0, in bytes
  std::uint32_t channels = 0;
  [[nodiscard]] std::uint32_t sample_bytes() const noexcept {
    return sample == Sample::pcm16 ? 2 : sample == Sample::pcm24 ? 3 : 4;
  }
  [[nodiscard]] std::uint32_t frame_bytes() const noexcept { return channels * sample_bytes(); }
};

/// Integers times 2^-15, 2^-23 or 2^-31, rounded once; floats bit by bit. At most 2^30 samples.
void decode_samples(RawLayout::Sample sample, const std::byte* bytes, float* out, std::size_t samples) noexcept;

/// Frames from `frame` on, interleaved; fewer than `frames` where the file ends or cannot be read.
std::size_t read_raw_frames(BlockFile& file, const RawLayout& layout, std::int64_t frame, float* out,
                            std::size_t frames);

}  // namespace continuo::media
