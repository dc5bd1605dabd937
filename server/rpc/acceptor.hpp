// THREAD: any (its own, "continuo-door") - takes the connections of our sockets
#pragma once

#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include "server/rpc/access.hpp"

namespace continuo::rpc {

class Acceptor {
 public:
  /// `arrived` is called on its thread, with a connection that is the callee's from then on, and where it came in.
  using Arrived = std::function<void(int connection, int socket)>;

  /// `sockets` listen, and must stay open until it has gone.
  Acceptor(std::vector<int> sockets, Arrived arrived);
  /// Nobody arrives any more.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

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

/// Who is at the other end of a Unix socket; none where the kernel does not say.
[[nodiscard]] std::optional<Peer> peer_of(int connection);

}  // namespace continuo::rpc
