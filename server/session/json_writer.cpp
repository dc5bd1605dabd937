#include "server/session/json_writer.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace continuo::session {

std::string json_number(double value) {
  // Whole numbers in full: 48000, not 4.8e+04.
  constexpr double kExact = 9007199254740992.0;
  std::array<char, 32> text{};
  const bool whole = value == std::floor(value) && std::abs(value) < kExact;
  const auto result = whole ? std::to_chars(text.data(), text.data() + text.size(), static_cast<long long>(value))
                            : std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), result.ptr};
}

std::string json_string(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string json_value(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return json_number(*number);
  if (const auto* on = std::get_if<bool>(&value)) return *on ? "true" : "false";
  return json_string(*std::get_if<std::string>(&value));
}

}  // namespace continuo::session
