#include "server/media/take_header.hpp"

#include <algorithm>
#include <string_view>

#include "server/base/check.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kMax32 = 0xFFFFFFFE;
constexpr std::size_t kHead = 12;   // tag, size, count
constexpr std::size_t kPoint = 24;  // a cue point
constexpr std::size_t kRoom = kHead + kPoint * kMaxMarks;

void put(std::span<std::byte> to, std::size_t at, std::uint64_t value, std::size_t bytes = 4) {
  for (std::size_t i = 0; i < bytes; ++i) to[at + i] = static_cast<std::byte>(value >> (8 * i));
}
void put(std::span<std::byte> to, std::size_t at, std::string_view tag) {
  for (std::size_t i = 0; i < tag.size(); ++i) to[at + i] = static_cast<std::byte>(tag[i]);
}
void put_chunk(std::span<std::byte> to, std::size_t at, std::string_view tag, std::size_t bytes) {
  put(to, at, tag);
  put(to, at + 4, bytes - 8);
}
std::uint64_t number(std::span<const std::byte> from, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint64_t{std::to_integer<std::uint8_t>(from[at + i])} << (8 * i);
  return value;
}
bool is(std::span<const std::byte> from, std::size_t at, std::string_view tag) {
  for (std::size_t i = 0; i < tag.size(); ++i) {
    if (from[at + i] != static_cast<std::byte>(tag[i])) return false;
  }
  return true;
}

/// What fills the header up to where the sound begins.
std::size_t late_bytes(const WavFormat& format, std::span<const std::byte> bext) {
  const std::size_t used = wav_header(format, 0).size() + bext.size();
  CONTINUO_CHECK(used + kRoom + 8 <= kTakeHeaderBytes, "there is room for all marks and a chunk behind them");
  return kTakeHeaderBytes - used;
}

}  // namespace

TakeHeaderParts take_header_parts(const WavFormat& format, std::span<const std::byte> bext) {
  return {kTakeHeaderBytes - 8 - late_bytes(format, bext) + kHead, kTakeHeaderBytes - 8};
}

std::vector<std::byte> take_header(const WavFormat& format, std::span<const std::byte> bext,
                                   std::span<const std::int64_t> marks, std::int64_t frames, std::int64_t trailer_bytes,
                                   bool closed) {
  std::vector<std::byte> late(late_bytes(format, bext));
  std::size_t count = 0;
  for (const std::int64_t mark : marks) {
    if (mark < 0 || mark > kMax32 || count == kMaxMarks) continue;
    const std::size_t at = kHead + count++ * kPoint;
    put(late, at, count);
    put(late, at + 4, static_cast<std::uint64_t>(mark));
    put(late, at + 8, "data");
    put(late, at + 20, static_cast<std::uint64_t>(mark));
  }
  const std::size_t used = closed && count > 0 ? kHead + count * kPoint : kRoom;
  put_chunk(late, 0, count > 0 ? "cue " : "JUNK", used);
  put(late, 8, count);
  if (used < kRoom) put_chunk(late, used, "JUNK", kRoom - used);
  put_chunk(late, kRoom, "JUNK", late.size() - kRoom);  // where a reader goes on before the front is closed, too
  return wav_header(format, frames, trailer_bytes, {bext, late});
}

std::vector<std::int64_t> marks_in(std::span<const std::byte> before_data) {
  std::vector<std::int64_t> marks;
  if (before_data.size() < kHead || !is(before_data, 0, "cue ")) return marks;
  const std::uint64_t count = std::min<std::uint64_t>(number(before_data, 8), kMaxMarks);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = kHead + i * kPoint;
    if (at + kPoint > before_data.size() || number(before_data, at) != i + 1 || !is(before_data, at + 8, "data")) break;
    marks.push_back(static_cast<std::int64_t>(number(before_data, at + 20)));
  }
  return marks;
}

}  // namespace continuo::media
