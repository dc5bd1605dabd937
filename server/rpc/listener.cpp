#include "server/rpc/listener.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "server/base/paths.hpp"

namespace continuo::rpc {
namespace {

constexpr mode_t kSocketMode = 0660;
// Short, for a socket's path has 107 bytes (base/address.cpp keeps room for these).
constexpr const char* kWorkshop = ".XXXXXX";
constexpr const char* kBoundName = "s";

Error system_error(const Address& address, const std::string& what) {
  return make_error(ErrorKind::configuration, "LISTEN", "server.listen",
                    "cannot listen on " + to_string(address) + ": " + what + ": " + std::strerror(errno));
}

/// A folder below /tmp may have been made by somebody else, who could then swap our socket for theirs.
Result<> make_socket_folder(const std::filesystem::path& folder) {
  const bool own = folder.filename().native().starts_with("continuo-") && folder.parent_path() == "/tmp";
  return make_folder(folder, own ? 0700 : 0755, own, "server.listen");
}

}  // namespace

Result<Listener> Listener::claim(const Address& address) {
  Listener listener(address);
  if (!address.is_unix()) return listener;

  const std::filesystem::path folder = address.socket.parent_path();
  if (Result<> made = make_socket_folder(folder); !made) return made.error();
  Result<LockFile> lock = LockFile::claim(address.socket.string() + ".lock", to_string(address));
  if (!lock) return lock.error();
  listener.lock_ = std::make_unique<LockFile>(*std::move(lock));

  struct stat status{};
  if (lstat(address.socket.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    return make_error(ErrorKind::configuration, "LISTEN", "server.listen",
                      "cannot listen on " + to_string(address) + ": a file that is no socket is there");
  }
  std::string name = (folder / kWorkshop).string();
  if (mkdtemp(name.data()) == nullptr) return system_error(address, "its folder");
  listener.workshop_ = name;
  return listener;
}

std::string Listener::bind_text() const {
  return address_.is_unix() ? "unix:" + (workshop_ / kBoundName).string() : to_string(address_);
}

Result<> Listener::publish(int port) {
  if (!address_.is_unix()) {
    address_.port = static_cast<std::uint16_t>(port);
    return {};
  }
  const std::filesystem::path bound = workshop_ / kBoundName;
  if (chmod(bound.c_str(), kSocketMode) != 0) return system_error(address_, "its mode");
  // Replaces what a killed daemon left behind; the lock says that nobody uses it.
  if (rename(bound.c_str(), address_.socket.c_str()) != 0) return system_error(address_, "its name");
  published_ = true;
  rmdir(workshop_.c_str());
  workshop_.clear();
  return {};
}

Listener::~Listener() {
  if (!lock_) return;  // TCP, or moved from
  if (published_) unlink(address_.socket.c_str());
  if (!workshop_.empty()) {
    unlink((workshop_ / kBoundName).c_str());
    rmdir(workshop_.c_str());
  }
}

}  // namespace continuo::rpc
