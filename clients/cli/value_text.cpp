#include "clients/cli/value_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "clients/cli/failure.hpp"

namespace continuo::cli {
namespace {

std::optional<double> number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.find_first_not_of("0123456789+-.eE") != std::string_view::npos) return {};
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

std::optional<std::uint32_t> channel(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > 65535) return {};
  return value;
}

}  // namespace

ParamName parse_param_name(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) {
    throw Failure(kUsage, "BAD_PARAM_NAME", std::string(text),
                  "'" + std::string(text) + "' does not name a parameter; write NODE.PARAM, as in vox.gain_db");
  }
  return {std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

std::pair<std::string, std::string> split_assignment(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw Failure(kUsage, "BAD_ASSIGNMENT", std::string(text),
                  "'" + std::string(text) + "' is not an assignment; write NAME=VALUE, as in gain_db=-6");
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

google::protobuf::Value parse_value(std::string_view text) {
  google::protobuf::Value value;
  if (text == "true" || text == "false") {
    value.set_bool_value(text == "true");
  } else if (const auto parsed = number(text)) {
    value.set_number_value(*parsed);
  } else if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    value.set_string_value(std::string(text.substr(1, text.size() - 2)));
  } else {
    value.set_string_value(std::string(text));
  }
  return value;
}

std::string number_text(double value) {
  std::array<char, 64> digits{};
  const double size = std::fabs(value);
  const bool plain = value == 0.0 || (size >= 1e-5 && size < 1e15);  // 1000000 reads better than 1e+06
  const auto [end, error] =
      plain ? std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed)
            : std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return {digits.data(), end};
}

std::string value_text(const google::protobuf::Value& value) {
  switch (value.kind_case()) {
    case google::protobuf::Value::kNumberValue:
      return number_text(value.number_value());
    case google::protobuf::Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case google::protobuf::Value::kStringValue: {
      const std::string& text = value.string_value();
      return parse_value(text).has_string_value() && !(text.starts_with('"')) ? text : '"' + text + '"';
    }
    default:
      return "";
  }
}

std::vector<std::pair<std::uint32_t, std::uint32_t>> parse_channel_map(std::string_view text) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
  const auto refuse = [&] {
    throw Failure(
        kUsage, "BAD_CHANNEL_MAP", "--map",
        "'" + std::string(text) + "' is not a channel map; write FROM:TO,FROM:TO with channels from 1, as in 1:3,2:4");
  };
  std::string_view rest = text;
  while (true) {
    const std::size_t comma = rest.find(',');
    const std::string_view pair = rest.substr(0, comma);
    const std::size_t colon = pair.find(':');
    if (colon == std::string_view::npos) refuse();
    const auto from = channel(pair.substr(0, colon));
    const auto to = channel(pair.substr(colon + 1));
    if (!from || !to) refuse();
    pairs.emplace_back(*from, *to);
    if (comma == std::string_view::npos) return pairs;
    rest.remove_prefix(comma + 1);
  }
}

std::uint32_t parse_output_channel(std::string_view text) {
  const std::string_view digits = text.starts_with("out:") ? text.substr(4) : text;
  if (const auto parsed = channel(digits)) return *parsed;
  throw Failure(kUsage, "BAD_CHANNEL", std::string(text),
                "'" + std::string(text) + "' is not an output; write out:N with N from 1, as in out:5");
}

double parse_db(std::string_view text, std::string_view what) {
  std::string_view digits = text;
  if (digits.ends_with("dB") || digits.ends_with("db")) digits.remove_suffix(2);
  while (digits.ends_with(' ')) digits.remove_suffix(1);
  if (const auto parsed = number(digits)) return *parsed;
  throw Failure(kUsage, "BAD_LEVEL", std::string(what), "'" + std::string(text) + "' is not a level in dB, as in -6");
}

}  // namespace continuo::cli
