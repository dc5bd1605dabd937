#include "server/rpc/listener.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "server/base/paths.hpp"

namespace continuo::rpc {
namespace {

constexpr mode_t kSocketMode = 0660;
constexpr int kBacklog = 128;
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

Result<int> Listener::open_socket(gid_t group) {
  const std::filesystem::path bound = workshop_ / kBoundName;
  socket_ = Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_) return system_error(address_, "a socket");
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  bound.native().copy(name.sun_path, sizeof name.sun_path - 1);  // base/address.cpp bounds its length
  if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
    return system_error(address_, "its address");
  if (group != getegid() && chown(bound.c_str(), static_cast<uid_t>(-1), group) != 0)
    return system_error(address_, "its group");
  if (chmod(bound.c_str(), kSocketMode) != 0) return system_error(address_, "its mode");
  if (listen(socket_.get(), kBacklog) != 0) return system_error(address_, "listen");
  // Replaces what a killed daemon left behind; the lock says that nobody uses it.
  if (rename(bound.c_str(), address_.socket.c_str()) != 0) return system_error(address_, "its name");
  published_ = true;
  rmdir(workshop_.c_str());
  workshop_.clear();
  return socket_.get();
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
