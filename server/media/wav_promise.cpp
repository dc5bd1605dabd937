#include "server/media/wav_promise.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

namespace continuo::media {
namespace {

static_assert(std::endian::native == std::endian::little);
constexpr int kMostChunks = 1000;  // before the samples; more is no file that anybody wrote

struct Head {
  char tag[4];
  std::uint32_t bytes;
  [[nodiscard]] bool is(std::string_view name) const { return std::string_view(tag, sizeof tag) == name; }
};

bool says_nothing(std::uint32_t bytes) {
  return bytes == 0 || bytes == 0x7FFF'F000 || bytes == 0x7FFF'FFFF || bytes == 0x8000'0000 || bytes >= 0xFFFF'0000;
}

std::int64_t unless_there(const BlockFile& file, std::int64_t data_at, std::uint64_t bytes) {
  const std::uint64_t there = static_cast<std::uint64_t>(std::max<std::int64_t>(0, file.size() - data_at));
  constexpr std::uint64_t kLies = std::uint64_t{1} << 60;
  return bytes > there && bytes < kLies ? static_cast<std::int64_t>(bytes) : 0;
}

}  // namespace

std::int64_t promised_wav_bytes(BlockFile& file) {
  Head head{};
  char wave[4];
  if (file.read_at(0, &head, sizeof head) < sizeof head || file.read_at(8, wave, 4) < 4) return 0;
  const bool large = head.is("RF64") || head.is("BW64");
  if ((!large && !head.is("RIFF")) || std::memcmp(wave, "WAVE", 4) != 0) return 0;
  std::uint64_t data_bytes = 0;  // of the ds64 chunk
  std::int64_t at = 12;
  for (int i = 0; i < kMostChunks; ++i) {
    if (file.read_at(at, &head, sizeof head) < sizeof head) return 0;
    at += sizeof head;
    if (head.is("data")) {
      if (large && head.bytes == 0xFFFF'FFFF) return unless_there(file, at, data_bytes);
      return says_nothing(head.bytes) ? 0 : unless_there(file, at, head.bytes);
    }
    if (large && head.is("ds64") && file.read_at(at + 8, &data_bytes, sizeof data_bytes) < sizeof data_bytes) return 0;
    at += std::int64_t{head.bytes} + head.bytes % 2;
  }
  return 0;
}

}  // namespace continuo::media
