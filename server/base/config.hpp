// THREAD: any - what the daemon was told: flag before environment before file before default
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/paths.hpp"
#include "server/base/result.hpp"

namespace continuo {

struct Config {
  std::string device_name;           // exact, else a part of the name; empty: the best there is; "clock": no hardware
  std::string host_api;              // empty: any
  std::uint32_t sample_rate_hz = 0;  // 0: the device's own
  std::uint32_t buffer_frames = 0;   // 0: the device chooses
  std::optional<std::uint32_t> in_channels;  // absent: all that it has
  std::optional<std::uint32_t> out_channels;
  std::vector<std::string> input_labels;  // from channel 1
  std::vector<std::string> output_labels;
  std::uint32_t priority = 70;
  std::uint32_t render_workers = 0;  // threads that help the audio thread; 0: it works alone, and never waits
  double ceiling_db = 0.0;           // no sample leaves to the device above it

  std::vector<std::string> listen;  // each as parse_address() reads it
  std::string role = "admin";       // of the daemon's own user, root and the socket's group
  std::string group;                // of the socket; empty: the daemon's own
  // Who else may do what: "viewer", "operator", "engineer", "admin"; "none" shuts out.
  std::map<std::string, std::string> user_roles;         // by user of this machine
  std::map<std::string, std::string> group_roles;        // by group of this machine
  std::map<std::string, std::string> certificate_roles;  // by common name, in place of what the certificate says
  std::string loopback_role = "none";                    // TCP without TLS, and without a token
  std::filesystem::path token_file;                      // NAME ROLE SHA256 a line; empty: no tokens
  std::filesystem::path tls_certificate;                 // all three, or TCP is loopback alone
  std::filesystem::path tls_key;
  std::filesystem::path tls_client_ca;
  std::uint32_t operations_per_second = 20'000;              // that one caller may send
  std::map<std::string, std::filesystem::path> media_roots;  // an empty folder: no such root
  std::filesystem::path take_folder;
  std::filesystem::path second_take_folder;  // every take is written there as well; empty: nowhere
  std::string take_template = "{node}-{date}-{time}";
  std::filesystem::path state_folder;

  std::string log_level = "info";
  std::filesystem::path log_file;  // empty: stderr

  std::string start_session = "last";   // or "empty"
  std::string start_playback = "stop";  // each "stop" or "resume"
  std::string start_recording = "stop";
  std::string loss_playback = "resume";
  std::string loss_recording = "resume";

  friend bool operator==(const Config&, const Config&) = default;
};

/// What load_config() reads from. `flags` by setting name ("rate"), as given, in order.
struct ConfigSources {
  std::map<std::string, std::vector<std::string>, std::less<>> flags;
  Environment environment = process_environment();
  std::optional<std::filesystem::path>
      file;  // must exist; absent: CONTINUO_CONFIG, else the first of the default places
  uid_t uid = 0;
};

struct LoadedConfig {
  Config config;
  std::filesystem::path file;  // empty: none was read
  std::map<std::string, std::string, std::less<>>
      origins;  // by key: "--rate", "CONTINUO_RATE", "file:12"; absent: default
};

/// Kind `configuration`; the message starts with where: "continuod.toml:12", "--rate", "CONTINUO_RATE".
[[nodiscard]] Result<LoadedConfig> load_config(const ConfigSources& sources);

/// A configuration file that says the same, each value with where it came from as a comment.
[[nodiscard]] std::string print_config(const LoadedConfig& loaded);

}  // namespace continuo
