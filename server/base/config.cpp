#include "server/base/config.hpp"

#include <algorithm>

#include "server/base/address.hpp"
#include "server/base/config_file.hpp"
#include "server/base/settings.hpp"

namespace continuo {
namespace {

/// The socket, the folders and the roots that nobody named.
void fill_defaults(Config& config, const Places& places) {
  if (config.listen.empty()) config.listen = {"unix:" + places.socket.string()};
  if (config.state_folder.empty()) config.state_folder = places.state_folder;
  if (config.take_folder.empty()) config.take_folder = config.state_folder / "takes";
  config.media_roots.try_emplace("media", config.state_folder / "media");
  if (!places.home.empty()) config.media_roots.try_emplace("home", places.home);
}

std::vector<std::string> split_variable(const Setting& setting, const std::string& text) {
  if (!has_entries(setting.target)) return {text};
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Result<> assign_texts(LoadedConfig& loaded, const Setting& setting, const std::vector<std::string>& texts,
                      const std::string& where) {
  Result<RawValue> raw = from_text(setting, texts, where);
  if (!raw) return raw.error();
  if (Result<> stored = assign(loaded.config, setting, *raw, where); !stored) return stored;
  loaded.origins[std::string(setting.key)] = where;
  return {};
}

/// What no setting can check alone.
Result<> check_doors(const LoadedConfig& loaded) {
  const Config& config = loaded.config;
  const auto wrong = [&](std::string_view key, const std::string& why) {
    const auto origin = loaded.origins.find(key);
    return setting_error(key, origin == loaded.origins.end() ? "default" : origin->second, why);
  };
  const int files = !config.tls_certificate.empty() + !config.tls_key.empty() + !config.tls_client_ca.empty();
  if (files != 0 && files != 3) {
    const bool first = !config.tls_certificate.empty();
    return wrong(first                    ? "tls.certificate"
                 : config.tls_key.empty() ? "tls.client_ca"
                                          : "tls.key",
                 "tls.certificate, tls.key and tls.client_ca go together: set all three");
  }
  for (const std::string& text : config.listen) {
    const Result<Address> address = parse_address(text);
    if (!address) return address.error();
    if (address->is_unix() || address->is_loopback() || files == 3) continue;
    return wrong("server.listen", "cannot listen on '" + text +
                                      "': off the loopback clients need certificates: set tls.certificate, tls.key "
                                      "and tls.client_ca (continuo-certs makes them)");
  }
  return {};
}

std::optional<std::filesystem::path> choose_file(const ConfigSources& sources, const Places& places) {
  if (sources.file) return sources.file;
  if (const auto named = sources.environment("CONTINUO_CONFIG")) return std::filesystem::path(*named);
  std::error_code ignored;
  for (const std::filesystem::path& file : places.config_files) {
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return std::nullopt;
}

}  // namespace

Result<LoadedConfig> load_config(const ConfigSources& sources) {
  const Places places = default_places(sources.environment, sources.uid);
  LoadedConfig loaded;
  if (const auto file = choose_file(sources, places)) {
    if (Result<> read = read_config_file(*file, loaded); !read) return read.error();
  }
  for (const Setting& setting : settings()) {
    const std::string variable = variable_of(setting);
    if (const auto text = sources.environment(variable)) {
      if (Result<> stored = assign_texts(loaded, setting, split_variable(setting, *text), variable); !stored) {
        return stored.error();
      }
    }
  }
  for (const auto& [name, texts] : sources.flags) {
    for (const Setting& setting : settings()) {
      if (setting.name != name || texts.empty()) continue;
      if (Result<> stored = assign_texts(loaded, setting, texts, flag_of(setting)); !stored) return stored.error();
    }
  }
  fill_defaults(loaded.config, places);
  if (Result<> good = check_doors(loaded); !good) return good.error();
  return loaded;
}

std::string print_config(const LoadedConfig& loaded) {
  std::string text = loaded.file.empty() ? "# no configuration file\n" : "# " + loaded.file.string() + "\n";
  std::string section;
  for (const Setting& setting : settings()) {
    const std::size_t dot = setting.key.find('.');
    if (const std::string now(setting.key.substr(0, dot)); now != section) {
      section = now;
      text += "\n[" + section + "]\n";
    }
    const auto origin = loaded.origins.find(setting.key);
    const std::string from = origin == loaded.origins.end() ? "default" : origin->second;
    const std::string value = to_toml(loaded.config, setting);
    const std::string key(setting.key.substr(dot + 1));
    text +=
        (value.empty() ? "# " + key : key + " = " + value) + "  # " + from + "; " + std::string(setting.help) + "\n";
  }
  return text;
}

}  // namespace continuo
