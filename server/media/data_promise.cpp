#include "server/media/data_promise.hpp"

#include <algorithm>
#include <bit>
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

std::int64_t riff_promise(BlockFile& file, bool large) {
  Head head{};
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

/// AIFF and AIFF-C: the same in the other byte order; eight bytes of SSND come before the samples.
std::int64_t aiff_promise(BlockFile& file) {
  Head head{};
  std::int64_t at = 12;
  for (int i = 0; i < kMostChunks; ++i) {
    if (file.read_at(at, &head, sizeof head) < sizeof head) return 0;
    at += sizeof head;
    const std::uint32_t bytes = __builtin_bswap32(head.bytes);
    if (head.is("SSND"))
      return bytes <= 8 || says_nothing(bytes) ? 0 : unless_there(file, at + 8, std::uint64_t{bytes} - 8);
    at += std::int64_t{bytes} + bytes % 2;
  }
  return 0;
}

/// Sony's Wave64: names of 16 bytes that begin as RIFF's do, lengths of 8 that count the 24 bytes of the head, and
/// chunks on multiples of 8.
std::int64_t wave64_promise(BlockFile& file) {
  struct {
    char tag[16];
    std::uint64_t bytes;
  } head{};
  std::int64_t at = 40;
  for (int i = 0; i < kMostChunks; ++i) {
    if (file.read_at(at, &head, sizeof head) < sizeof head || head.bytes < sizeof head) return 0;
    if (std::string_view(head.tag, 4) == "data") return unless_there(file, at + 24, head.bytes - 24);
    if (head.bytes > static_cast<std::uint64_t>(file.size())) return 0;
    at += static_cast<std::int64_t>((head.bytes + 7) & ~std::uint64_t{7});
  }
  return 0;
}

}  // namespace

std::int64_t promised_data_bytes(BlockFile& file) {
  Head head{};
  char form[4];
  if (file.read_at(0, &head, sizeof head) < sizeof head || file.read_at(8, form, 4) < 4) return 0;
  const std::string_view kind(form, 4);
  const bool large = head.is("RF64") || head.is("BW64");
  if ((large || head.is("RIFF")) && kind == "WAVE") return riff_promise(file, large);
  if (head.is("FORM") && (kind == "AIFF" || kind == "AIFC")) return aiff_promise(file);
  if (head.is("riff")) return wave64_promise(file);
  return 0;
}

}  // namespace continuo::media
