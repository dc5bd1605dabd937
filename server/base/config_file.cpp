#include "server/base/config_file.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include "server/base/settings.hpp"

namespace continuo {
namespace {

constexpr std::uintmax_t kMaxFileBytes = 1u << 20;

std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({change, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
}

std::string suggestion(std::string_view key) {
  const auto closest = std::ranges::min_element(settings(), {}, [&](const Setting& s) { return distance(key, s.key); });
  if (distance(key, closest->key) > 4) return "";
  return "; did you mean " + std::string(closest->key) + "?";
}

/// Walks the file's tables; keeps the error that stands first in the file.
class Reader {
 public:
  Reader(std::string file, LoadedConfig& loaded) : file_(std::move(file)), loaded_(loaded) {}

  void table(const toml::table& table, const std::string& prefix) {
    for (const auto& [name, node] : table) {
      const std::string key = prefix.empty() ? std::string(name.str()) : prefix + "." + std::string(name.str());
      const std::uint32_t line = name.source().begin.line;
      if (const Setting* setting = find_setting(key)) {
        value(*setting, node, line);
      } else if (const toml::table* inner = node.as_table(); inner != nullptr && is_section(key)) {
        this->table(*inner, key);
      } else {
        fail(line, make_error(ErrorKind::configuration, "UNKNOWN_KEY", key,
                              where(line) + ": unknown key " + key + suggestion(key)));
      }
    }
  }

  [[nodiscard]] const std::optional<Error>& first_error() const { return error_; }

 private:
  static bool is_section(const std::string& key) {
    return std::ranges::any_of(settings(), [&](const Setting& s) { return s.key.starts_with(key + "."); });
  }

  [[nodiscard]] std::string where(std::uint32_t line) const { return file_ + ":" + std::to_string(line); }

  void fail(std::uint32_t line, Error error) {
    if (error_ && line_ <= line) return;
    error_ = std::move(error);
    line_ = line;
  }

  void value(const Setting& setting, const toml::node& node, std::uint32_t line) {
    const auto wrong = [&](const std::string& why) { fail(line, setting_error(setting.key, where(line), why)); };
    RawValue raw;
    if (const auto text = node.value_exact<std::string>()) {
      raw.text = *text;
    } else if (const auto number = node.value_exact<std::int64_t>()) {
      raw.number = *number;
    } else if (const auto real = node.value_exact<double>()) {
      raw.real = *real;
    } else if (const toml::array* array = node.as_array()) {
      std::vector<std::string> list;
      for (const toml::node& one : *array) {
        const auto entry = one.value_exact<std::string>();
        if (!entry) return wrong("must be a list of texts: [\"...\", \"...\"]");
        list.push_back(*entry);
      }
      raw.list = std::move(list);
    } else if (const toml::table* table = node.as_table()) {
      return entries(setting, *table, line);
    } else {
      return wrong("is neither a text, a number, a list nor a table");
    }
    store(setting, raw, line);
  }

  /// One by one, so that an error has its own line.
  void entries(const Setting& setting, const toml::table& table, std::uint32_t table_line) {
    RawValue none;
    none.entries.emplace();
    store(setting, none, table_line);
    for (const auto& [name, node] : table) {
      const std::uint32_t line = name.source().begin.line;
      const std::string key(name.str());
      const auto text = node.value_exact<std::string>();
      if (!text) return fail(line, setting_error(setting.key, where(line), key + " must be a text in quotes"));
      RawValue raw;
      raw.entries.emplace().emplace(key, *text);
      store(setting, raw, line);
    }
  }

  void store(const Setting& setting, const RawValue& raw, std::uint32_t line) {
    if (const Result<> stored = assign(loaded_.config, setting, raw, where(line)); !stored) {
      return fail(line, stored.error());
    }
    loaded_.origins.try_emplace(std::string(setting.key), where(line));
  }

  std::string file_;
  LoadedConfig& loaded_;
  std::optional<Error> error_;
  std::uint32_t line_ = 0;
};

Error file_error(const std::filesystem::path& file, const std::string& why) {
  return make_error(ErrorKind::configuration, "CONFIG_FILE", "config", "cannot read " + file.string() + ": " + why);
}

}  // namespace

Result<> read_config_file(const std::filesystem::path& file, LoadedConfig& loaded) {
  std::error_code problem;
  const auto status = std::filesystem::status(file, problem);
  if (!std::filesystem::exists(status)) return file_error(file, "there is no such file");
  // A FIFO or a device would hold the daemon up for ever.
  if (!std::filesystem::is_regular_file(status)) return file_error(file, "it is not a regular file");
  if (std::filesystem::file_size(file, problem) > kMaxFileBytes || problem) return file_error(file, "it is over 1 MiB");
  std::ifstream stream(file);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return file_error(file, "permission or read error");

  try {
    const toml::table root = toml::parse(text.view(), file.string());
    Reader reader(file.string(), loaded);
    reader.table(root, "");
    if (reader.first_error()) return *reader.first_error();
  } catch (const toml::parse_error& wrong) {
    return make_error(
        ErrorKind::configuration, "CONFIG_SYNTAX", "config",
        file.string() + ":" + std::to_string(wrong.source().begin.line) + ": " + std::string(wrong.description()));
  }
  loaded.file = file;
  return {};
}

}  // namespace continuo
