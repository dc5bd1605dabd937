// THREAD: any - the one table of settings: file key, flag, environment variable and range of each
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/base/config.hpp"

namespace continuo {

/// Channels of a device, and entries of a list.
inline constexpr std::uint32_t kMaxListed = 1024;

using RootMap = std::map<std::string, std::filesystem::path>;
using RoleMap = std::map<std::string, std::string>;

/// The member of Config that a setting writes; its type is the setting's type.
using SettingTarget =
    std::variant<std::string Config::*, std::uint32_t Config::*, std::optional<std::uint32_t> Config::*,
                 double Config::*, std::filesystem::path Config::*, std::vector<std::string> Config::*,
                 RootMap Config::*, RoleMap Config::*>;

/// It is a table of NAME=...: roots and roles.
[[nodiscard]] bool has_entries(const SettingTarget& target);

struct Range {
  std::uint32_t min = 0;
  std::uint32_t max = 0;
  bool or_zero = false;  // 0 is allowed beside min..max
};

struct RealRange {
  double min = 0.0;
  double max = 0.0;
};

struct Setting {
  std::string_view key;   // in the file: "device.sample_rate_hz"
  std::string_view name;  // --rate and CONTINUO_RATE
  std::string_view help;
  SettingTarget target;
  Range range = {};                                    // of numbers
  Result<> (*check)(std::string_view text) = nullptr;  // of a text, or of each text of a list
  std::vector<std::string_view> choices = {};
  RealRange reals = {};  // of numbers that need not be whole
};

[[nodiscard]] std::span<const Setting> settings();
[[nodiscard]] const Setting* find_setting(std::string_view key);
/// "--rate", "CONTINUO_RATE".
[[nodiscard]] std::string flag_of(const Setting& setting);
[[nodiscard]] std::string variable_of(const Setting& setting);

/// What a file, a flag or a variable gave: exactly one of these.
struct RawValue {
  std::optional<std::string> text;
  std::optional<std::int64_t> number;
  std::optional<double> real;  // with a point or an exponent
  std::optional<std::vector<std::string>> list;
  std::optional<std::map<std::string, std::string>> entries;
};

/// Checks and stores; `where` begins the error's message.
Result<> assign(Config& config, const Setting& setting, const RawValue& raw, const std::string& where);
/// Text from a flag or a variable into the kind of value that the setting has. Lists are cut at commas, roots at
/// colons.
[[nodiscard]] Result<RawValue> from_text(const Setting& setting, const std::vector<std::string>& texts,
                                         const std::string& where);
/// As the file would write it.
[[nodiscard]] std::string to_toml(const Config& config, const Setting& setting);

[[nodiscard]] Error setting_error(std::string_view key, const std::string& where, const std::string& why);

}  // namespace continuo
