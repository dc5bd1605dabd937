#include "server/base/settings_check.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "server/base/address.hpp"

namespace continuo {
namespace {

constexpr std::size_t kMaxLabelBytes = 100;
constexpr std::size_t kMaxTemplateBytes = 200;

Result<> wrong(const std::string& why) { return make_error(ErrorKind::configuration, "CONFIGURATION", "", why); }

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

Result<> check_label(std::string_view text) {
  if (text.size() > kMaxLabelBytes) return wrong("a label has at most " + std::to_string(kMaxLabelBytes) + " bytes");
  if (has_control(text)) return wrong("a label holds a control character");
  return {};
}

Result<> check_address(std::string_view text) {
  if (const Result<Address> address = parse_address(text); !address) return address.error();
  return {};
}

Result<> check_template(std::string_view text) {
  constexpr std::array<std::string_view, 8> kPlaces{"{node}", "{name}", "{session}", "{take}",
                                                    "{n}",    "{date}", "{time}",    "{channel}"};
  if (text.empty() || text.size() > kMaxTemplateBytes) {
    return wrong("a template has 1 to " + std::to_string(kMaxTemplateBytes) + " bytes");
  }
  if (has_control(text)) return wrong("a template holds a control character");
  if (text.starts_with('/') || text.starts_with('.') || text.find("..") != std::string_view::npos) {
    return wrong("a template stays in the take folder");
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '}') return wrong("a } without its {");
    if (text[i] != '{') continue;
    const std::string_view rest = text.substr(i);
    const auto place = std::ranges::find_if(kPlaces, [&](std::string_view p) { return rest.starts_with(p); });
    if (place == kPlaces.end()) {
      const std::string_view unknown = rest.substr(0, std::min(rest.find('}'), rest.size() - 1) + 1);
      return wrong(fmt::format("a template has no {}: it knows {}", unknown, fmt::join(kPlaces, " ")));
    }
    i += place->size() - 1;
  }
  return {};
}

Result<> check_root_name(std::string_view text) {
  const bool good = !text.empty() && text.size() <= 63 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (!good) return wrong(fmt::format("'{}' is no name of a root: a to z, 0 to 9, _ and -, up to 63", text));
  if (text == "takes2") return wrong("the root 'takes2' is the second take folder: set media.second_take_folder");
  if (text == "takes") return wrong("the root 'takes' is the take folder: set media.take_folder");
  return {};
}

std::string quote_toml(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04X", static_cast<unsigned>(static_cast<unsigned char>(c)));
      quoted += escaped.data();
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  return quoted;
}

}  // namespace continuo
