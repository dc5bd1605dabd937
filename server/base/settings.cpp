#include "server/base/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "server/base/address.hpp"
#include "server/base/settings_check.hpp"

namespace continuo {
namespace {

constexpr std::uint32_t kMaxChannels = 1024;
constexpr std::size_t kMaxText = 4096;

template <class... Ts>
struct Overload : Ts... {
  using Ts::operator()...;
};

const std::vector<Setting>& table() {
  static const std::vector<Setting> rows = {
      {"device.name", "device", "sound device: its name or a part of it; clock: none", &Config::device_name},
      {"device.host_api", "host-api", "ALSA, JACK Audio Connection Kit, ...; empty: any", &Config::host_api},
      {"device.sample_rate_hz", "rate", "Hz; 0: the device's own", &Config::sample_rate_hz, 8000, 384000, true},
      {"device.buffer_frames", "buffer", "frames; 0: the device chooses", &Config::buffer_frames, 16, 16384, true},
      {"device.in_channels", "in-channels", "inputs to open; absent: all", &Config::in_channels, 0, kMaxChannels},
      {"device.out_channels", "out-channels", "outputs to open; absent: all", &Config::out_channels, 0, kMaxChannels},
      {"device.input_labels", "input-labels", "names of the inputs, from channel 1", &Config::input_labels, 0, 0, false, {}, {},
       check_label},
      {"device.output_labels", "output-labels", "names of the outputs, from channel 1", &Config::output_labels, 0, 0, false,
       {}, {}, check_label},
      {"device.priority", "priority", "SCHED_FIFO priority to ask for", &Config::priority, 1, 95},
      {"server.listen", "listen", "unix:/path or, on loopback, host:port", &Config::listen, 0, 0, false, {}, {},
       check_address},
      {"server.role", "role", "what a client of the socket may do", &Config::role, 0, 0, false,
       {"viewer", "operator", "engineer", "admin"}},
      {"media.roots", "media-root", "NAME=FOLDER that sessions may name files in; an empty folder takes a root away",
       &Config::media_roots},
      {"media.take_folder", "take-folder", "where recordings go (root \"takes\")", &Config::take_folder},
      {"media.take_template", "take-template", "a take's name, of {node} {date} {time} {n}", &Config::take_template, 0, 0,
       false, {}, {}, check_template},
      {"state.folder", "state-folder", "what the daemon remembers", &Config::state_folder},
      {"log.level", "log-level", "least level that is written", &Config::log_level, 0, 0, false,
       {"debug", "info", "warning", "error"}},
      {"log.file", "log-file", "rotated file; empty: stderr", &Config::log_file},
      {"at_start.playback", "start-playback", "what plays after a start", &Config::start_playback, 0, 0, false, {"stop"},
       {"resume"}},
      {"at_start.recording", "start-recording", "what records after a start", &Config::start_recording, 0, 0, false, {"stop"},
       {"resume"}},
      {"at_device_loss.playback", "loss-playback", "whether the timeline goes on when the device is lost",
       &Config::loss_playback, 0, 0, false, {"resume"}, {"stop"}},
      {"at_device_loss.recording", "loss-recording", "whether takes go on when the device is lost", &Config::loss_recording,
       0, 0, false, {"resume"}, {"stop"}},
  };
  return rows;
}

std::string join(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text += (text.empty() ? "" : ", ") + std::string(word);
  return text;
}

std::string range_of(const Setting& setting) {
  return std::string(setting.zero ? "0 or " : "") + std::to_string(setting.min) + " to " + std::to_string(setting.max);
}

std::optional<std::string> number_problem(const Setting& setting, std::int64_t value) {
  const bool inside = value >= setting.min && value <= setting.max;
  if (inside || (setting.zero && value == 0)) return std::nullopt;
  return std::to_string(value) + " is out of range: " + range_of(setting);
}

std::optional<std::string> text_problem(const Setting& setting, const std::string& text) {
  if (text.size() > kMaxText) return "longer than " + std::to_string(kMaxText) + " bytes";
  if (text.find('\0') != std::string::npos) return "holds a zero byte";
  if (std::ranges::find(setting.later, text) != setting.later.end()) {
    return "'" + text + "' is for a later version; this one knows: " + join(setting.choices);
  }
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

std::span<const Setting> settings() { return table(); }

const Setting* find_setting(std::string_view key) {
  const auto found = std::ranges::find(table(), key, &Setting::key);
  return found == table().end() ? nullptr : &*found;
}

std::string flag_of(const Setting& setting) { return "--" + std::string(setting.name); }

std::string variable_of(const Setting& setting) {
  std::string name = "CONTINUO_";
  for (const char c : setting.name) name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

Error setting_error(std::string_view key, const std::string& where, const std::string& why) {
  return make_error(ErrorKind::configuration, "CONFIGURATION", std::string(key),
                    where + ": " + std::string(key) + ": " + why);
}

Result<> assign(Config& config, const Setting& setting, const RawValue& raw, const std::string& where) {
  const auto fail = [&](const std::string& why) { return Result<>(setting_error(setting.key, where, why)); };
  const auto& text = raw.text;
  const auto& number = raw.number;
  return std::visit(
      Overload{
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
            if (list.size() > kMaxChannels) return fail("has more than " + std::to_string(kMaxChannels) + " entries");
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
      },
      setting.target);
}

Result<RawValue> from_text(const Setting& setting, const std::vector<std::string>& texts, const std::string& where) {
  RawValue raw;
  if (std::holds_alternative<RootMap Config::*>(setting.target)) {
    raw.entries.emplace();
    for (const std::string& text : texts) {
      const std::size_t equals = text.find('=');
      if (equals == std::string::npos) return setting_error(setting.key, where, "'" + text + "' is not NAME=FOLDER");
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
  raw.text = text;
  return raw;
}

std::string to_toml(const Config& config, const Setting& setting) {
  return std::visit(
      Overload{
          [&](std::string Config::* member) { return quote_toml(config.*member); },
          [&](std::uint32_t Config::* member) { return std::to_string(config.*member); },
          [&](std::optional<std::uint32_t> Config::* member) {
            return (config.*member) ? std::to_string(*(config.*member)) : std::string();
          },
          [&](std::filesystem::path Config::* member) { return quote_toml((config.*member).string()); },
          [&](std::vector<std::string> Config::* member) {
            std::string text;
            for (const std::string& one : config.*member) text += (text.empty() ? "" : ", ") + quote_toml(one);
            return "[" + text + "]";
          },
          [&](RootMap Config::* member) {
            std::string text;
            for (const auto& [name, folder] : config.*member) {
              text += (text.empty() ? "" : ", ") + name + " = " + quote_toml(folder.string());
            }
            return "{" + text + "}";
          },
      },
      setting.target);
}

}  // namespace continuo
