#include "server/base/paths.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace continuo {
namespace {

/// XDG: a relative path counts as not set.
std::filesystem::path absolute_or_empty(const Environment& environment, const std::string& name) {
  const std::filesystem::path path = environment(name).value_or("");
  return path.is_absolute() ? path : std::filesystem::path();
}

std::filesystem::path or_else(const std::filesystem::path& path, const std::filesystem::path& fallback) {
  return path.empty() ? fallback : path;
}

Error folder_error(const std::filesystem::path& folder, std::string_view setting, const std::string& why) {
  return make_error(
      ErrorKind::configuration, "FOLDER", std::string(setting),
      "cannot use the folder " + folder.string() + ": " + why + "; choose another with " + std::string(setting));
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
}

Places default_places(const Environment& environment, uid_t uid) {
  Places places;
  const std::filesystem::path given_state = absolute_or_empty(environment, "STATE_DIRECTORY");
  const std::filesystem::path given_runtime = absolute_or_empty(environment, "RUNTIME_DIRECTORY");
  const std::filesystem::path home = absolute_or_empty(environment, "HOME");
  const bool service = !given_state.empty();
  if (!service && home != "/") places.home = home;

  if (service || uid == 0) {
    places.config_files = {"/etc/continuo/continuod.toml"};
    places.state_folder = or_else(given_state, "/var/lib/continuo");
    places.socket = or_else(given_runtime, "/run/continuo") / "continuo.sock";
    return places;
  }
  const std::filesystem::path nowhere = "/tmp/continuo-" + std::to_string(uid);
  const auto below_home = [&](const char* folder) { return home.empty() ? nowhere : home / folder; };
  places.config_files = {
      or_else(absolute_or_empty(environment, "XDG_CONFIG_HOME"), below_home(".config")) / "continuo" / "continuod.toml",
      "/etc/continuo/continuod.toml"};
  places.state_folder =
      or_else(absolute_or_empty(environment, "XDG_STATE_HOME"), below_home(".local/state")) / "continuo";
  const std::filesystem::path runtime = absolute_or_empty(environment, "XDG_RUNTIME_DIR");
  places.socket = (runtime.empty() ? nowhere : runtime / "continuo") / "continuo.sock";
  return places;
}

Result<> make_folder(const std::filesystem::path& folder, mode_t mode, bool private_to_us, std::string_view setting) {
  std::error_code problem;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), problem);
  if (problem) return folder_error(folder, setting, problem.message());
  if (mkdir(folder.c_str(), mode) == 0) return {};
  if (errno != EEXIST) return folder_error(folder, setting, std::strerror(errno));

  struct stat status{};
  if ((private_to_us ? lstat(folder.c_str(), &status) : stat(folder.c_str(), &status)) != 0) {
    return folder_error(folder, setting, std::strerror(errno));
  }
  if (!S_ISDIR(status.st_mode)) return folder_error(folder, setting, "it is not a folder");
  if (private_to_us && (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
    return folder_error(folder, setting, "somebody else owns it or may write to it");
  }
  return {};
}

}  // namespace continuo
