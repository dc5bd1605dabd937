#include "server/rpc/acceptor.hpp"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "server/base/check.hpp"
#include "server/base/log.hpp"

namespace continuo::rpc {
namespace {

constexpr int kCrowdedMs = 200;
constexpr int kReserved = 300;

int most_descriptors() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return 1024;
  return static_cast<int>(std::min<rlim_t>(files.rlim_cur, std::numeric_limits<int>::max()));
}

}  // namespace

std::optional<Peer> peer_of(int connection) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  Peer peer{credentials.uid, credentials.gid, {}, name_of_user(credentials.uid)};
  peer.groups.resize(32);
  for (;;) {
    size = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
    if (getsockopt(connection, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size) == 0) break;
    if (errno != ERANGE) return std::nullopt;
    peer.groups.resize(size / sizeof(gid_t));
  }
  peer.groups.resize(size / sizeof(gid_t));
  return peer;
}

Acceptor::Acceptor(std::vector<int> sockets, Arrived arrived)
    : sockets_(std::move(sockets)), arrived_(std::move(arrived)), stop_(eventfd(0, EFD_CLOEXEC)) {
  CONTINUO_CHECK(stop_ >= 0, "a daemon without a descriptor cannot serve");
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "continuo-door");
    run();
  });
}

Acceptor::~Acceptor() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_, &one, sizeof one);
  thread_.join();
  close(stop_);
}

void Acceptor::run() {
  for (;;) {
    std::vector<pollfd> watched{{stop_, POLLIN, 0}};
    // Without a descriptor to spare they would be ready for ever.
    if (!crowded_) {
      for (const int socket : sockets_) watched.push_back({socket, POLLIN, 0});
    }
    if (poll(watched.data(), watched.size(), std::exchange(crowded_, false) ? kCrowdedMs : -1) < 0) continue;
    if (watched[0].revents != 0) return;
    for (std::size_t i = 1; i < watched.size(); ++i) {
      if (watched[i].revents != 0) take(watched[i].fd);
    }
  }
}

void Acceptor::take(int socket) {
  const int connection = accept4(socket, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (connection < 0) {
    crowded_ = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (crowded_ && !std::exchange(told_crowded_, true)) log::warning("clients wait: {}", std::strerror(errno));
    return;
  }
  // Descriptors are given out from the lowest on: the last ones are kept for sound files.
  if (connection >= most_descriptors() - kReserved) {
    close(connection);
    if (!std::exchange(told_crowded_, true))
      log::warning("a client was turned away: the last descriptors are for files");
    return;
  }
  told_crowded_ = false;
  arrived_(connection, socket);
}

}  // namespace continuo::rpc
