#include "server/media/flac_head.hpp"

#include <algorithm>
#include <charconv>

#include "server/base/check.hpp"
#include "server/media/take_notes.hpp"

namespace continuo::media {
namespace {

constexpr std::size_t kStreamInfo = 34;
constexpr std::size_t kBlockHead = 4;
constexpr std::size_t kMarksRoom = 16'000;  // characters: marks of 15 digits, or fewer than kMaxMarks of more
constexpr std::int64_t kMaxTold = (std::int64_t{1} << 36) - 1;
constexpr unsigned kStreamInfoKind = 0, kPaddingKind = 1, kCommentKind = 4, kLastBlock = 0x80;

void put_big(std::vector<std::byte>& to, std::uint64_t value, std::size_t bytes) {
  while (bytes-- > 0) to.push_back(static_cast<std::byte>(value >> (8 * bytes)));
}
void put_text(std::vector<std::byte>& to, std::string_view text) {
  for (int i = 0; i < 4; ++i) to.push_back(static_cast<std::byte>(text.size() >> (8 * i)));
  for (const char c : text) to.push_back(static_cast<std::byte>(c));
}
std::uint64_t big(std::span<const std::byte> from, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | std::to_integer<std::uint8_t>(from[at + i]);
  return value;
}
std::uint64_t little(std::span<const std::byte> from, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value |= std::uint64_t{std::to_integer<std::uint8_t>(from[at + i])} << (8 * i);
  return value;
}
bool begins(std::span<const std::byte> head, std::string_view text) {
  return head.size() >= text.size() &&
         std::ranges::equal(head.first(text.size()), text, {}, {}, [](char c) { return static_cast<std::byte>(c); });
}

std::string marks_text(std::span<const std::int64_t> marks, bool closed) {
  if (marks.empty()) return {};
  std::string text;
  for (const std::int64_t mark : marks.first(std::min(marks.size(), kMaxMarks))) {
    const std::string one = (text.empty() ? "" : ",") + std::to_string(mark);
    if (text.size() + one.size() > kMarksRoom) break;
    text += one;
  }
  if (!closed) text.resize(kMarksRoom, ' ');
  return std::string(kMarkersComment) + text;
}

}  // namespace

std::vector<std::byte> flac_head(const FlacFormat& format, std::int64_t frames,
                                 const std::vector<std::string>& comments, std::span<const std::int64_t> marks,
                                 bool closed, const FlacMd5& md5) {
  std::vector<std::byte> to;
  for (const char c : std::string_view("fLaC")) to.push_back(static_cast<std::byte>(c));
  put_big(to, kStreamInfoKind << 24 | kStreamInfo, kBlockHead);
  put_big(to, format.block, 2);
  put_big(to, format.block, 2);
  put_big(to, 0, 6);  // smallest and largest frame in bytes: not told
  const std::int64_t told = frames > kMaxTold ? 0 : frames;
  put_big(to,
          std::uint64_t{format.sample_rate_hz} << 44 | std::uint64_t{format.channels - 1} << 41 |
              std::uint64_t{format.bits - 1} << 36 | static_cast<std::uint64_t>(told),
          8);
  to.insert(to.end(), md5.begin(), md5.end());

  std::vector<std::byte> body;
  put_text(body, originator());
  const std::string marked = marks_text(marks, closed);
  const std::size_t count = comments.size() + (marked.empty() ? 0 : 1);
  for (int i = 0; i < 4; ++i) body.push_back(static_cast<std::byte>(count >> (8 * i)));
  for (const std::string& comment : comments) put_text(body, comment);
  if (!marked.empty()) put_text(body, marked);
  put_big(to, kCommentKind << 24 | body.size(), kBlockHead);
  to.insert(to.end(), body.begin(), body.end());
  CONTINUO_CHECK(to.size() + kBlockHead <= kFlacHeadBytes, "there is room for all marks behind short comments");
  put_big(to, (kLastBlock | kPaddingKind) << 24 | (kFlacHeadBytes - to.size() - kBlockHead), kBlockHead);
  to.resize(kFlacHeadBytes);
  return to;
}

std::optional<FlacStream> read_flac_stream(std::span<const std::byte> head) {
  if (!begins(head, "fLaC") || head.size() < kFlacStreamBytes || (big(head, 4, 1) & 0x7F) != kStreamInfoKind ||
      big(head, 5, 3) != kStreamInfo)
    return std::nullopt;
  const std::uint64_t packed = big(head, 18, 8);
  FlacStream stream;
  stream.format = {static_cast<std::uint32_t>((packed >> 41 & 7) + 1), static_cast<std::uint32_t>(packed >> 44),
                   static_cast<std::uint32_t>((packed >> 36 & 31) + 1), static_cast<std::uint32_t>(big(head, 10, 2))};
  stream.frames = static_cast<std::int64_t>(packed & kMaxTold);
  return stream;
}

FlacComments read_flac_comments(std::span<const std::byte> head) {
  FlacComments read;
  if (!begins(head, "fLaC")) return read;
  std::size_t at = 4;
  while (at + kBlockHead <= head.size()) {
    const auto kind = static_cast<unsigned>(big(head, at, 1));
    const auto bytes = static_cast<std::size_t>(big(head, at + 1, 3));
    const std::size_t comments_at = at + kBlockHead;
    at = comments_at + bytes;
    if ((kind & 0x7F) == kCommentKind) {
      const std::size_t end = std::min(at, head.size());
      std::size_t next = comments_at;
      const auto text = [&]() -> std::optional<std::string> {
        if (next + 4 > end) return std::nullopt;
        const std::uint64_t length = little(head, next);
        if (length > end - next - 4) return std::nullopt;
        const auto* chars = reinterpret_cast<const char*>(head.data() + next + 4);
        next += 4 + static_cast<std::size_t>(length);
        return std::string(chars, static_cast<std::size_t>(length));
      };
      const auto vendor = text();
      read.ours = vendor && vendor->starts_with("Continuo ") && comments_at == kFlacStreamBytes + kBlockHead;
      if (!vendor || next + 4 > end) return read;
      std::uint64_t count = little(head, next);
      next += 4;
      for (; count > 0; --count) {
        auto comment = text();
        if (!comment) break;
        read.all.push_back(std::move(*comment));
      }
    }
    if ((kind & kLastBlock) != 0) break;
  }
  return read;
}

std::vector<std::int64_t> marks_of_comment(std::string_view value) {
  std::vector<std::int64_t> marks;
  while (marks.size() < kMaxMarks) {
    std::int64_t mark = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), mark);
    if (error != std::errc{} || mark < 0 || (!marks.empty() && mark < marks.back())) break;
    marks.push_back(mark);
    value.remove_prefix(static_cast<std::size_t>(end - value.data()));
    if (!value.starts_with(',')) break;
    value.remove_prefix(1);
  }
  return marks;
}

}  // namespace continuo::media
