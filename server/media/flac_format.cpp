#include "server/media/flac_format.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace continuo::media {
namespace {

/// The block sizes that a header has a code for, and that a take may have.
struct Block {
  std::uint32_t frames, code;
};
constexpr std::array<Block, 10> kBlocks{
    {{4608, 5}, {4096, 12}, {2304, 4}, {2048, 11}, {1152, 3}, {1024, 10}, {576, 2}, {512, 9}, {256, 8}, {192, 1}}};
constexpr std::uint32_t kBlockByte = 6, kBlockWord = 7;  // it stands behind the number
constexpr std::array<std::uint32_t, 12> kRates{0,     88200, 176400, 192000, 8000,  16000,
                                               22050, 24000, 32000,  44100,  48000, 96000};
constexpr std::uint32_t kRateAsStream = 0, kRateKilohertz = 12, kRateHertz = 13, kRateTens = 14;

constexpr auto kCrc8 = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    unsigned crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x80u) != 0 ? crc << 1 ^ 0x107u : crc << 1;
    table[i] = static_cast<std::uint8_t>(crc);
  }
  return table;
}();
std::uint8_t crc8(std::span<const std::byte> bytes) {
  std::uint8_t crc = 0;
  for (const std::byte byte : bytes) crc = kCrc8[crc ^ std::to_integer<std::uint8_t>(byte)];
  return crc;
}

constexpr std::uint32_t bits_code(std::uint32_t bits) { return bits == 16 ? 4 : 6; }

/// A header byte by byte; 0x100 and more behind its end.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::uint32_t next() {
    return at_ < bytes_.size() ? std::to_integer<std::uint32_t>(bytes_[at_++]) : (++at_, 0xFFFFFFu);
  }
  std::uint32_t word() {
    const std::uint32_t high = next();
    return high << 8 | next();
  }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
};

/// As UTF-8, of up to seven bytes.
std::optional<std::uint64_t> read_number(Bytes& bytes) {
  const std::uint32_t lead = bytes.next();
  const int ones = std::countl_one(static_cast<std::uint8_t>(lead));
  if (lead > 0xFF || ones == 1 || ones > 7) return std::nullopt;
  std::uint64_t number = ones == 0 ? lead : lead & (0x7Fu >> ones);
  for (int i = 1; i < ones; ++i) {
    const std::uint32_t more = bytes.next();
    if (more > 0xFF || (more & 0xC0) != 0x80) return std::nullopt;
    number = number << 6 | (more & 0x3F);
  }
  return number;
}

std::optional<std::uint32_t> read_block(std::uint32_t code, Bytes& bytes) {
  if (code == kBlockByte) return bytes.next() + 1;
  if (code == kBlockWord) return bytes.word() + 1;
  const auto known = std::ranges::find(kBlocks, code, &Block::code);
  if (known == kBlocks.end()) return std::nullopt;
  return known->frames;
}

std::uint32_t read_rate(std::uint32_t code, std::uint32_t of_stream, Bytes& bytes) {
  if (code == kRateAsStream) return of_stream;
  if (code == kRateKilohertz) return 1000 * bytes.next();
  if (code == kRateHertz) return bytes.word();
  if (code == kRateTens) return 10 * bytes.word();
  return code < kRates.size() ? kRates[code] : 0;
}

}  // namespace

std::uint32_t flac_block(std::uint32_t sample_rate_hz) noexcept {
  for (const Block& block : kBlocks) {
    if (std::uint64_t{block.frames} * 40 <= sample_rate_hz) return block.frames;
  }
  return kBlocks.back().frames;
}

std::optional<FlacFrame> read_flac_frame(const FlacFormat& format, std::span<const std::byte> bytes) {
  Bytes from(bytes);
  if (from.word() != 0xFFF8) return std::nullopt;
  const std::uint32_t block_and_rate = from.next(), sound = from.next(), assignment = sound >> 4;
  const bool channels_fit =
      assignment == format.channels - 1 || (format.channels == 2 && assignment >= 8 && assignment <= 10);
  if (!channels_fit || (sound & 0xF) != bits_code(format.bits) << 1) return std::nullopt;
  const auto number = read_number(from);
  if (!number) return std::nullopt;
  const auto frames = read_block(block_and_rate >> 4, from);
  if (!frames || *frames > format.block ||
      read_rate(block_and_rate & 0xF, format.sample_rate_hz, from) != format.sample_rate_hz)
    return std::nullopt;
  const std::size_t before_crc = from.at();
  if (bytes.size() <= before_crc || crc8(bytes.first(before_crc)) != from.next()) return std::nullopt;
  return FlacFrame{*number, *frames, before_crc + 1};
}

}  // namespace continuo::media
