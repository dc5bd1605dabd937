#include "server/session/names.hpp"

#include <algorithm>
#include <cstdint>

#include "server/session/document.hpp"

namespace continuo::session {
namespace {

bool is_id_char(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; }

// Bytes of the UTF-8 character at the front of `text`; 0 where it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const std::uint8_t second = byte(1);
  const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  const bool outside = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
  return overlong || outside ? 0 : length;
}

}  // namespace

bool is_id(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), is_id_char);
}

bool is_path(std::string_view text) {
  std::size_t depth = 0;
  while (true) {
    const std::size_t slash = text.find('/');
    if (!is_id(text.substr(0, slash)) || ++depth > kMaxDepth) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_clean_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = text.front() == '\0' ? 0 : utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

Result<> check_text(std::string_view text, std::size_t max_bytes, const std::string& field) {
  if (text.size() > max_bytes) {
    return bad("TOO_LONG", field,
               "the text has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(max_bytes) +
                   " are allowed");
  }
  if (!is_clean_utf8(text)) return bad("BAD_UTF8", field, "the text is not valid UTF-8");
  return {};
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string out = "\"";
  while (!text.empty() && out.size() < kMost) {
    const std::size_t length = utf8_length(text);
    const bool shown = length > 0 && static_cast<std::uint8_t>(text.front()) >= 0x20 && text.front() != 0x7f;
    out += shown ? text.substr(0, length) : "?";
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + (text.empty() ? "\"" : "...\"");
}

std::string field_name(std::string_view text) {
  const std::string shown = quoted(text);
  return shown.substr(1, shown.size() - (shown.back() == '"' ? 2 : 1));
}

Error bad(std::string reason, std::string field, std::string message) {
  return make_error(ErrorKind::invalid_argument, std::move(reason), std::move(field), std::move(message));
}

}  // namespace continuo::session
