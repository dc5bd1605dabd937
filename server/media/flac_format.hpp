// THREAD: any - FLAC (RFC 9639) as far as a take needs it: one block as a frame, and a frame's header read again
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace continuo::media {

inline constexpr std::uint32_t kMaxFlacChannels = 8;
inline constexpr std::uint32_t kMaxFlacRate = 655'350;

struct FlacFormat {
  std::uint32_t channels = 2;  // 1 to 8
  std::uint32_t sample_rate_hz = 48000;
  std::uint32_t bits = 24;     // 16 or 24
  std::uint32_t block = 1152;  // frames of sound in each frame of FLAC but the last
  friend bool operator==(const FlacFormat&, const FlacFormat&) = default;
};

/// At most 25 ms: so much of a take waits in memory for its block to be full.
[[nodiscard]] std::uint32_t flac_block(std::uint32_t sample_rate_hz) noexcept;

/// Written by us: libsndfile's encoder holds a header back until its end, and knows no comments of one's own. Fixed
/// predictors, Rice codes, stereo as sum and difference: what FLAC's own levels 0 to 2 do. Lossless, to the bit.
class FlacEncoder {
 public:
  explicit FlacEncoder(const FlacFormat& format);
  /// Appends the frame of block `number`: 1 to `block` frames, interleaved, each in the format's bits.
  void encode(std::uint64_t number, std::span<const std::int32_t> samples, std::vector<std::byte>& out);

 private:
  FlacFormat format_;
  std::vector<std::vector<std::int32_t>> channels_;
  std::vector<std::int32_t> mid_, side_;
};

struct FlacFrame {
  std::uint64_t number = 0;  // of the block
  std::uint32_t frames = 0;  // of sound
  std::size_t header_bytes = 0;
};
/// What is at the start of `bytes`, if it is the header of a frame of this format.
[[nodiscard]] std::optional<FlacFrame> read_flac_frame(const FlacFormat& format, std::span<const std::byte> bytes);

/// 0 over a whole frame, its own CRC included.
[[nodiscard]] std::uint16_t flac_crc16(std::span<const std::byte> bytes, std::uint16_t crc = 0) noexcept;

}  // namespace continuo::media
