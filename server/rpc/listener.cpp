#include "server/rpc/listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
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

Result<std::vector<int>> Listener::open_tcp() {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int failed = getaddrinfo(address_.host.c_str(), std::to_string(address_.port).c_str(), &wanted, &found)) {
    return make_error(ErrorKind::configuration, "LISTEN", "server.listen",
                      "cannot listen on " + to_string(address_) + ": " + gai_strerror(failed));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, freeaddrinfo);
  std::vector<int> sockets;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    sockaddr_storage name{};
    std::memcpy(&name, one->ai_addr, one->ai_addrlen);
    in_port_t& port = one->ai_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(name).sin6_port
                                                 : reinterpret_cast<sockaddr_in&>(name).sin_port;
    port = htons(address_.port);  // of port 0: what the first one got
    const int yes = 1;
    Descriptor socket(::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) continue;  // a machine without IPv6
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (one->ai_family == AF_INET6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    auto* const raw = reinterpret_cast<sockaddr*>(&name);
    if (bind(socket.get(), raw, one->ai_addrlen) != 0 || listen(socket.get(), kBacklog) != 0) {
      if (errno == EADDRNOTAVAIL && one->ai_next != nullptr) continue;  // ::1 of a machine without it
      if (errno == EADDRNOTAVAIL && !sockets.empty()) continue;
      return make_error(errno == EADDRINUSE ? ErrorKind::already_exists : ErrorKind::configuration, "LISTEN",
                        "server.listen", "cannot listen on " + to_string(address_) + ": " + std::strerror(errno));
    }
    socklen_t size = sizeof name;
    if (getsockname(socket.get(), raw, &size) == 0) address_.port = ntohs(port);
    sockets.push_back(socket.get());
    tcp_.push_back(std::move(socket));
  }
  if (sockets.empty()) return system_error(address_, "no address of this machine");
  return sockets;
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
