#include "server/base/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "server/base/settings_check.hpp"

namespace continuo {
namespace {

constexpr std::size_t kMaxText = 4096;

template <class... Ts>
struct Overload : Ts... {
  using Ts::operator()...;
};

std::string join(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::string range_of(const Setting& setting) {
  return std::string(setting.range.or_zero ? "0 or " : "") + std::to_string(setting.range.min) + " to " +
         std::to_string(setting.range.max);
}

std::optional<std::string> number_problem(const Setting& setting, std::int64_t value) {
  const bool inside = value >= setting.range.min && value <= setting.range.max;
  if (inside || (setting.range.or_zero && value == 0)) return std::nullopt;
  return std::to_string(value) + " is out of range: " + range_of(setting);
}

std::string number_text(double value) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, value).ptr};
}

std::string reals_of(const Setting& setting) {
  return number_text(setting.reals.min) + " to " + number_text(setting.reals.max);
}

std::optional<std::string> text_problem(const Setting& setting, const std::string& text) {
  if (text.size() > kMaxText) return "longer than " + std::to_string(kMaxText) + " bytes";
  if (text.find('\0') != std::string::npos) return "holds a zero byte";
  if (!setting.choices.empty() && std::ranges::find(setting.choices, text) == setting.choices.end()) {
    return "'" + text + "' is none of: " + join(setting.choices);
  }
  if (setting.check != nullptr) {
    if (const Result<> result = setting.check(text); !result) return result.error().message;
  }
  return std::nullopt;
}

std::optional<std::string> path_problem(const std::string& text) {
  if (text.empty() || std::filesystem::path(text).is_absolute()) return std::nullopt;
  return "'" + text + "' is not an absolute path";
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(at, begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

bool has_entries(const SettingTarget& target) {
  return std::holds_alternative<RootMap Config::*>(target) || std::holds_alternative<RoleMap Config::*>(target);
}

Error setting_error(std::string_view key, const std::string& where, const std::string& why) {
  return make_error(ErrorKind::configuration, "CONFIGURATION", std::string(key),
                    where + ": " + std::string(key) + ": " + why);
}

Result<> assign(Config& config, const Setting& setting, const RawValue& raw, const std::string& where) {
  const auto fail = [&](const std::string& why) { return Result<>(setting_error(setting.key, where, why)); };
  const auto& text = raw.text;
  const auto& number = raw.number;
  return std::visit(Overload{
                        [&](std::string Config::* member) -> Result<> {
                          if (!text) return fail("must be a text in quotes");
                          if (const auto why = text_problem(setting, *text)) return fail(*why);
                          config.*member = *text;
                          return {};
                        },
                        [&](std::uint32_t Config::* member) -> Result<> {
                          if (!number) return fail("must be a whole number, " + range_of(setting));
                          if (const auto why = number_problem(setting, *number)) return fail(*why);
                          config.*member = static_cast<std::uint32_t>(*number);
                          return {};
                        },
                        [&](std::optional<std::uint32_t> Config::* member) -> Result<> {
                          if (!number) return fail("must be a whole number, " + range_of(setting));
                          if (const auto why = number_problem(setting, *number)) return fail(*why);
                          config.*member = static_cast<std::uint32_t>(*number);
                          return {};
                        },
                        [&](double Config::* member) -> Result<> {
                          if (!number && !raw.real) return fail("must be a number, " + reals_of(setting));
                          const double value = raw.real ? *raw.real : static_cast<double>(*number);
                          if (!(value >= setting.reals.min && value <= setting.reals.max))  // NaN too
                            return fail(number_text(value) + " is out of range: " + reals_of(setting));
                          config.*member = value;
                          return {};
                        },
                        [&](std::filesystem::path Config::* member) -> Result<> {
                          if (!text) return fail("must be a path in quotes");
                          if (const auto why = text_problem(setting, *text)) return fail(*why);
                          if (const auto why = path_problem(*text)) return fail(*why);
                          config.*member = std::filesystem::path(*text).lexically_normal();
                          return {};
                        },
                        [&](std::vector<std::string> Config::* member) -> Result<> {
                          std::vector<std::string> list;
                          if (!text && !raw.list) return fail("must be a list of texts: [\"...\", \"...\"]");
                          if (text) list.push_back(*text);
                          if (raw.list) list = *raw.list;
                          if (list.size() > kMaxListed)
                            return fail("has more than " + std::to_string(kMaxListed) + " entries");
                          for (const std::string& one : list) {
                            if (const auto why = text_problem(setting, one)) return fail(*why);
                          }
                          config.*member = std::move(list);
                          return {};
                        },
                        [&](RootMap Config::* member) -> Result<> {
                          if (!raw.entries) return fail("must be a table: music = \"/srv/music\"");
                          for (const auto& [name, folder] : *raw.entries) {
                            if (const Result<> good = check_root_name(name); !good) return fail(good.error().message);
                            if (const auto why = text_problem(setting, folder)) return fail(*why);
                            if (const auto why = path_problem(folder)) return fail(*why);
                            (config.*member)[name] = std::filesystem::path(folder).lexically_normal();
                          }
                          return {};
                        },
                        [&](RoleMap Config::* member) -> Result<> {
                          if (!raw.entries) return fail("must be a table: anna = \"operator\"");
                          for (const auto& [name, role] : *raw.entries) {
                            if (name.empty()) return fail("a name is empty");
                            if (const auto why = text_problem(setting, role)) return fail(name + ": " + *why);
                            (config.*member)[name] = role;
                          }
                          return {};
                        },
                    },
                    setting.target);
}

Result<RawValue> from_text(const Setting& setting, const std::vector<std::string>& texts, const std::string& where) {
  RawValue raw;
  if (has_entries(setting.target)) {
    const char* const form = setting.key == "media.roots" ? "' is not NAME=FOLDER" : "' is not NAME=ROLE";
    raw.entries.emplace();
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('=');
      if (equals == std::string::npos) return setting_error(setting.key, where, "'" + text + form);
      (*raw.entries)[text.substr(0, equals)] = text.substr(equals + 1);
    }
    return raw;
  }
  if (std::holds_alternative<std::vector<std::string> Config::*>(setting.target)) {
    raw.list.emplace();
    for (const std::string& text : texts) {
      for (std::string& part : split(text, ',')) raw.list->push_back(std::move(part));
    }
    return raw;
  }
  const std::string& text = texts.back();
  if (std::holds_alternative<std::uint32_t Config::*>(setting.target) ||
      std::holds_alternative<std::optional<std::uint32_t> Config::*>(setting.target)) {
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size()) {
      return setting_error(setting.key, where, "'" + text + "' is not a whole number, " + range_of(setting));
    }
    raw.number = number;
    return raw;
  }
  if (std::holds_alternative<double Config::*>(setting.target)) {
    double number = 0.0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc() || end != text.data() + text.size()) {
      return setting_error(setting.key, where, "'" + text + "' is not a number, " + reals_of(setting));
    }
    raw.real = number;
    return raw;
  }
  raw.text = text;
  return raw;
}

std::string to_toml(const Config& config, const Setting& setting) {
  return std::visit(Overload{
                        [&](std::string Config::* member) { return quote_toml(config.*member); },
                        [&](std::uint32_t Config::* member) { return std::to_string(config.*member); },
                        [&](std::optional<std::uint32_t> Config::* member) {
                          return (config.*member) ? std::to_string(*(config.*member)) : std::string();
                        },
                        [&](double Config::* member) { return number_text(config.*member); },
                        [&](std::filesystem::path Config::* member) { return quote_toml((config.*member).string()); },
                        [&](std::vector<std::string> Config::* member) {
                          std::string text;
                          for (const std::string& one : config.*member)
                            text += (text.empty() ? "" : ", ") + quote_toml(one);
                          return "[" + text + "]";
                        },
                        [&](RootMap Config::* member) {
                          std::string text;
                          for (const auto& [name, folder] : config.*member) {
                            text += (text.empty() ? "" : ", ") + name + " = " + quote_toml(folder.string());
                          }
                          return "{" + text + "}";
                        },
                        [&](RoleMap Config::* member) {
                          std::string text;
                          for (const auto& [name, role] : config.*member)
                            text += (text.empty() ? "" : ", ") + quote_toml(name) + " = " + quote_toml(role);
                          return "{" + text + "}";
                        },
                    },
                    setting.target);
}

}  // namespace continuo
