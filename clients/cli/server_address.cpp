#include "clients/cli/server_address.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "clients/cli/failure.hpp"

namespace continuo::cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

bool is_socket(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISSOCK(info.st_mode);
}

/// Anybody can make a folder in /tmp, and wait there for who shows a token: it must be the user's, and nobody else's to
/// write to.
bool is_own_folder(const std::filesystem::path& folder, unsigned uid) {
  struct stat info{};
  return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == uid &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

std::string as_target(const std::string& address, const char* source) {
  if (address.starts_with("unix:")) {
    std::string path = address.substr(5);
    if (path.starts_with("//")) path.erase(0, 2);  // unix:///run/... is the same
    if (!path.empty()) return "unix:" + std::filesystem::absolute(path).string();
  } else if (address.starts_with('/') || address.starts_with("./")) {
    return "unix:" + std::filesystem::absolute(address).string();
  } else {
    const std::size_t colon = address.rfind(':');
    if (colon != std::string::npos && colon > 0 && colon + 1 < address.size() &&
        address.find_first_not_of("0123456789", colon + 1) == std::string::npos) {
      return address;
    }
  }
  throw Failure(kUsage, "BAD_ADDRESS", source,
                "'" + address + "' is not an address; write unix:/path/to/socket or host:port");
}

}  // namespace

AddressSources address_sources(std::string flag) {
  return {std::move(flag), environment("CONTINUO_SERVER"), environment("XDG_RUNTIME_DIR"), ::getuid()};
}

std::vector<std::string> default_sockets(const AddressSources& sources) {
  std::vector<std::string> sockets;
  if (!sources.runtime_dir.empty()) sockets.push_back(sources.runtime_dir + "/continuo/continuo.sock");
  sockets.push_back("/tmp/continuo-" + std::to_string(sources.uid) + "/continuo.sock");
  sockets.emplace_back("/run/continuo/continuo.sock");
  return sockets;
}

std::string find_server(const AddressSources& sources) {
  if (!sources.flag.empty()) return as_target(sources.flag, "--server");
  if (!sources.environment.empty()) return as_target(sources.environment, "CONTINUO_SERVER");
  std::string tried;
  for (const std::string& socket : default_sockets(sources)) {
    const bool in_tmp = socket.starts_with("/tmp/");
    if (is_socket(socket) && (!in_tmp || is_own_folder(std::filesystem::path(socket).parent_path(), sources.uid)))
      return "unix:" + socket;
    tried += (tried.empty() ? "" : ", ") + socket;
  }
  throw Failure(kNoServer, "NO_SERVER", "",
                "no daemon found at " + tried + "; start continuod, or say where it is with --server");
}

}  // namespace continuo::cli
