#include "server/session/json_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace continuo::session {
namespace {

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Length of the JSON number at the front of `text`; 0 where there is none.
std::size_t number_length(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const std::size_t whole_at = i;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[whole_at] == '0')) return 0;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return 0;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return 0;
  }
  return i;
}

}  // namespace

void JsonReader::skip_space() {
  while (!done() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
}

JsonReader::Kind JsonReader::peek() {
  skip_space();
  if (done() || error_) return Kind::nothing;
  const std::string_view rest = text_.substr(at_, 5);
  switch (const char c = rest.front()) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::string;
    case 't':
      return rest.starts_with("true") ? Kind::boolean : Kind::nothing;
    case 'f':
      return rest.starts_with("false") ? Kind::boolean : Kind::nothing;
    case 'n':
      return rest.starts_with("null") ? Kind::null : Kind::nothing;
    default:
      return c == '-' || is_digit(c) ? Kind::number : Kind::nothing;
  }
}

bool JsonReader::fail(std::string reason, std::string message) {
  return fail(bad(std::move(reason), field_, std::move(message)));
}

bool JsonReader::fail(Error error) {
  if (error_) return false;
  if (lines_) {
    const auto lines =
        std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size())), '\n');
    error.message += " (line " + std::to_string(lines + 1) + ")";
  }
  error_ = std::move(error);
  return false;
}

bool JsonReader::mismatch(const char* wanted) {
  static constexpr const char* kNames[] = {"null", "true or false", "a number", "a text", "a list", "an object"};
  const Kind found = peek();
  if (found != Kind::nothing) {
    return fail("WRONG_KIND", std::string("expected ") + wanted + ", found " + kNames[static_cast<std::size_t>(found)]);
  }
  if (done()) return fail("BAD_JSON", std::string("the text ends where ") + wanted + " should be: it is cut off");
  constexpr std::string_view kNotNumbers[] = {"NaN", "Infinity", "+", "nan", "inf"};
  for (const std::string_view word : kNotNumbers) {
    if (text_.substr(at_).starts_with(word)) return fail("NOT_FINITE", "only plain finite numbers are allowed");
  }
  return fail("BAD_JSON", std::string("expected ") + wanted + ", found " + quoted(text_.substr(at_, 12)));
}

bool JsonReader::word(std::string_view wanted) {
  if (!text_.substr(at_).starts_with(wanted)) return fail("BAD_JSON", "expected " + std::string(wanted));
  at_ += wanted.size();
  return true;
}

bool JsonReader::boolean(bool& out) {
  if (peek() != Kind::boolean) return mismatch("true or false");
  out = text_[at_] == 't';
  return word(out ? "true" : "false");
}

bool JsonReader::number(double& out) {
  if (peek() != Kind::number) return mismatch("a number");
  const std::size_t length = number_length(text_.substr(at_));
  if (text_.substr(at_).starts_with("-Infinity")) return fail("NOT_FINITE", "only plain finite numbers are allowed");
  if (length == 0) return fail("BAD_JSON", quoted(text_.substr(at_, 12)) + " is not a number");
  double value = 0.0;
  const char* begin = text_.data() + at_;
  const auto [end, status] = std::from_chars(begin, begin + length, value);
  const std::string_view shown(begin, std::min<std::size_t>(length, 24));
  if (status == std::errc::result_out_of_range) {
    return fail("OUT_OF_RANGE", quoted(shown) + " is beyond what a number can hold");
  } else if (status != std::errc{} || end != begin + length || !std::isfinite(value)) {
    return fail("BAD_JSON", quoted(shown) + " is not a number");
  }
  at_ += length;
  out = value + 0.0;  // -0 and 0 are one value
  return true;
}

bool JsonReader::string(std::string& out) {
  if (peek() != Kind::string) return mismatch("a text");
  ++at_;
  out.clear();
  while (true) {
    const std::size_t begin = at_;
    while (!done() && text_[at_] != '"' && text_[at_] != '\\' && static_cast<std::uint8_t>(text_[at_]) >= 0x20) ++at_;
    out += text_.substr(begin, at_ - begin);
    if (done()) return fail("BAD_JSON", "the text ends inside quotes: it is cut off");
    const char c = text_[at_++];
    if (c == '"') break;
    if (c != '\\')
      return fail("BAD_JSON",
                  "a control character inside quotes; a quote is missing, or it must be written as \\u00XX");
    if (!escape(out)) return false;
  }
  if (!is_clean_utf8(out)) return fail("BAD_UTF8", "the text is not valid UTF-8, or holds a NUL");
  return true;
}

bool JsonReader::escape(std::string& out) {
  if (done()) return fail("BAD_JSON", "the text ends inside quotes: it is cut off");
  switch (const char c = text_[at_++]) {
    case '"':
    case '\\':
    case '/':
      out += c;
      return true;
    case 'b':
      out += '\b';
      return true;
    case 'f':
      out += '\f';
      return true;
    case 'n':
      out += '\n';
      return true;
    case 'r':
      out += '\r';
      return true;
    case 't':
      out += '\t';
      return true;
    case 'u':
      break;
    default:
      return fail("BAD_JSON", "unknown escape " + quoted({&c, 1}) + " after a backslash");
  }
  std::uint32_t code = 0;
  if (!hex4(code)) return false;
  if (code >= 0xd800 && code < 0xdc00 && text_.substr(at_).starts_with("\\u")) {
    at_ += 2;
    std::uint32_t low = 0;
    if (!hex4(low)) return false;
    if (low >= 0xdc00 && low < 0xe000) code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  if (code >= 0xd800 && code < 0xe000) return fail("BAD_UTF8", "half of a surrogate pair");
  append_utf8(out, code);
  return true;
}

bool JsonReader::hex4(std::uint32_t& out) {
  const std::string_view digits = text_.substr(std::min(at_, text_.size()), 4);
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
  if (digits.size() != 4 || status != std::errc{} || end != digits.data() + 4) {
    return fail("BAD_JSON", "\\u needs four hexadecimal digits");
  }
  at_ += 4;
  return true;
}

bool JsonReader::open(char bracket, const char* wanted) {
  if (peek() != (bracket == '{' ? Kind::object : Kind::array)) return mismatch(wanted);
  if (++nesting_ > kMaxNesting) {
    field_.resize(std::min<std::size_t>(field_.size(), 60));
    return fail("TOO_DEEP",
                "nested more than " + std::to_string(kMaxNesting) + " deep; a tree of nodes may be 32 deep");
  }
  ++at_;
  return true;
}

bool JsonReader::next_item(char closing, bool first) {
  skip_space();
  if (error_) return false;
  if (done()) return fail("BAD_JSON", std::string("the text ends before its '") + closing + "': it is cut off");
  if (text_[at_] == closing) {
    ++at_;
    --nesting_;
    return false;
  }
  if (first) return true;
  if (text_[at_] != ',') {
    return fail("BAD_JSON", std::string("expected ',' or '") + closing + "', found " + quoted(text_.substr(at_, 12)));
  }
  ++at_;
  skip_space();
  if (!done() && text_[at_] == closing) return fail("BAD_JSON", "a ',' with nothing behind it");
  return true;
}

bool JsonReader::key_of_member(std::string& key) {
  if (peek() != Kind::string) return mismatch("a key in quotes");
  if (!string(key)) return false;
  skip_space();
  if (done() || text_[at_] != ':') return fail("BAD_JSON", "expected ':' after the key " + quoted(key));
  ++at_;
  return true;
}

bool JsonReader::note(std::vector<std::string>& seen, const std::string& key) {
  if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
    return fail("DUPLICATE_KEY", "the key " + quoted(key) + " stands here twice");
  }
  seen.push_back(key);
  return true;
}

bool JsonReader::skip() { return skip(false); }

bool JsonReader::raw(std::string_view& out) {
  skip_space();
  const std::size_t begin = at_;
  if (!skip(true)) return false;
  out = text_.substr(begin, at_ - begin);
  return true;
}

bool JsonReader::skip(bool unique_keys) {
  bool ignored = false;
  double number = 0.0;
  std::string text;
  switch (peek()) {
    case Kind::boolean:
      return boolean(ignored);
    case Kind::number:
      return this->number(number);
    case Kind::string:
      return string(text);
    case Kind::null:
      return word("null");
    case Kind::array:
      return array([this, unique_keys](std::size_t) { return skip(unique_keys); });
    case Kind::object:
      return object([this, unique_keys](const std::string&) { return skip(unique_keys); }, unique_keys);
    case Kind::nothing:
      break;
  }
  return mismatch("a value");
}

bool JsonReader::end() {
  skip_space();
  if (error_) return false;
  if (!done()) return fail("BAD_JSON", "more text after the end of the session: " + quoted(text_.substr(at_, 12)));
  return true;
}

}  // namespace continuo::session
