// THREAD: any - FLAC (RFC 9639) as far as a take needs it: its blocks, and a frame's header read again
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

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

struct FlacFrame {
  std::uint64_t number = 0;  // of the block
  std::uint32_t frames = 0;  // of sound
  std::size_t header_bytes = 0;
};
/// What is at the start of `bytes`, if it is the header of a frame of this format.
[[nodiscard]] std::optional<FlacFrame> read_flac_frame(const FlacFormat& format, std::span<const std::byte> bytes);

}  // namespace continuo::media
