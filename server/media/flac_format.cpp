#include "server/media/flac_format.hpp"

#include <algorithm>
#include <bit>

#include "server/media/flac_codes.hpp"

namespace continuo::media {

std::uint32_t flac_block(std::uint32_t sample_rate_hz) noexcept {
  for (const flac::Block& block : flac::kBlocks) {
    if (std::uint64_t{block.frames} * 40 <= sample_rate_hz && block.frames > 0) return block.frames;
  }
  return 192;
}

std::uint16_t flac_crc16(std::span<const std::byte> bytes, std::uint16_t crc) noexcept {
  for (const std::byte byte : bytes)
    crc = static_cast<std::uint16_t>(crc << 8 ^ flac::kCrc16[crc >> 8 ^ std::to_integer<unsigned>(byte)]);
  return crc;
}

std::optional<FlacFrame> read_flac_frame(const FlacFormat& format, std::span<const std::byte> bytes) {
  const auto byte = [&](std::size_t at) {
    return at < bytes.size() ? std::to_integer<std::uint32_t>(bytes[at]) : 0xFFFFu;
  };
  if (byte(0) != 0xFF || byte(1) != 0xF8) return std::nullopt;
  const std::uint32_t block_code = byte(2) >> 4, assignment = byte(3) >> 4;
  const bool channels_fit =
      assignment == format.channels - 1 || (format.channels == 2 && assignment >= 8 && assignment <= 10);
  if ((byte(2) & 0xF) != flac::rate_code(format.sample_rate_hz) || !channels_fit ||
      (byte(3) & 0xF) != flac::bits_code(format.bits) << 1)
    return std::nullopt;
  FlacFrame frame;
  std::size_t at = 4;
  const auto lead = static_cast<std::uint8_t>(byte(at++));
  const int ones = std::countl_one(lead);
  if (ones == 1 || ones > 7) return std::nullopt;
  frame.number = ones == 0 ? lead : lead & (0x7Fu >> ones);
  for (int i = 1; i < ones; ++i) {
    if ((byte(at) & 0xC0) != 0x80 || byte(at) > 0xFF) return std::nullopt;
    frame.number = frame.number << 6 | (byte(at++) & 0x3F);
  }
  if (block_code == 7) {
    frame.frames = (byte(at) << 8 | byte(at + 1)) + 1;
    at += 2;
  } else {
    const auto known = std::ranges::find(flac::kBlocks, block_code, &flac::Block::code);
    if (known == flac::kBlocks.end()) return std::nullopt;
    frame.frames = known->frames;
  }
  frame.header_bytes = at + 1;
  if (bytes.size() < frame.header_bytes || flac::crc8(bytes.first(at)) != byte(at) || frame.frames > format.block)
    return std::nullopt;
  return frame;
}

}  // namespace continuo::media
