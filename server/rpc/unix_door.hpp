// THREAD: any (its own, "continuo-door") - takes connections of Unix sockets and asks the kernel who is at the other
// end
#pragma once

#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "server/rpc/access.hpp"

namespace continuo::rpc {

class UnixDoor {
 public:
  /// `arrived` is called on its thread, with a connection that is the callee's from then on.
  using Arrived = std::function<void(int connection, const Peer& peer)>;

  /// `sockets` listen, and must stay open until it has gone.
  UnixDoor(std::vector<int> sockets, Arrived arrived);
  /// Nobody arrives any more.
  ~UnixDoor();
  UnixDoor(const UnixDoor&) = delete;
  UnixDoor& operator=(const UnixDoor&) = delete;

 private:
  void run();
  void take(int socket);

  const std::vector<int> sockets_;
  const Arrived arrived_;
  int stop_ = -1;
  bool crowded_ = false;       // no descriptor was left for the last one
  bool told_crowded_ = false;  // and the log has it
  std::thread thread_;
};

/// Who is at the other end; none where the kernel does not say.
[[nodiscard]] std::optional<Peer> peer_of(int connection);

}  // namespace continuo::rpc
