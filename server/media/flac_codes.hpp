// THREAD: any - the codes of a FLAC frame's header, for who writes it and who reads it
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace continuo::media::flac {

/// The block sizes that a header has a code for, and that a take may have.
struct Block {
  std::uint32_t frames, code;
};
inline constexpr std::array<Block, 11> kBlocks{{{4608, 5},
                                                {4096, 12},
                                                {2304, 4},
                                                {2048, 11},
                                                {1152, 3},
                                                {1024, 10},
                                                {576, 2},
                                                {512, 9},
                                                {256, 8},
                                                {192, 1},
                                                {0, 7}}};
inline constexpr std::array<std::uint32_t, 12> kRates{0,     88200, 176400, 192000, 8000,  16000,
                                                      22050, 24000, 32000,  44100,  48000, 96000};

template <class Crc, Crc kPolynomial>
constexpr std::array<Crc, 256> crc_table() {
  constexpr int kTop = 8 * sizeof(Crc) - 1;
  std::array<Crc, 256> table{};
  for (unsigned i = 0; i < 256; ++i) {
    auto crc = static_cast<Crc>(i << (kTop - 7));
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<Crc>((crc >> kTop & 1u) != 0 ? (crc << 1u) ^ kPolynomial : crc << 1u);
    table[i] = crc;
  }
  return table;
}
inline constexpr auto kCrc8 = crc_table<std::uint8_t, 0x07>();
inline constexpr auto kCrc16 = crc_table<std::uint16_t, 0x8005>();

inline std::uint8_t crc8(std::span<const std::byte> bytes) {
  std::uint8_t crc = 0;
  for (const std::byte byte : bytes) crc = kCrc8[crc ^ std::to_integer<std::uint8_t>(byte)];
  return crc;
}

inline std::uint32_t bits_code(std::uint32_t bits) { return bits == 16 ? 4 : 6; }

inline std::uint32_t rate_code(std::uint32_t rate) {
  const auto found = std::find(kRates.begin() + 1, kRates.end(), rate);
  return found == kRates.end() ? 0 : static_cast<std::uint32_t>(found - kRates.begin());
}

}  // namespace continuo::media::flac
