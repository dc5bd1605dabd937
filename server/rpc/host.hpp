// THREAD: rpc - one gRPC server with services of its own, behind a door of its own
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "server/control/engine.hpp"
#include "server/rpc/door.hpp"
#include "server/rpc/health.hpp"

namespace continuo::rpc {

/// gRPC tells a handler nothing of the peer of a Unix socket, and a descriptor's number says nothing that lasts. So
/// every peer has a server of its own, and TCP, which proves who calls by itself, has one: which server a call came to
/// says whose it is.
class Host {
 public:
  /// `listen` names what to listen on, if anything.
  Host(control::Engine& engine, Gate& gate, Door::Who who,
       const std::function<void(grpc::ServerBuilder&)>& listen = {});
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// gRPC would not start it.
  [[nodiscard]] bool failed() const noexcept { return server_ == nullptr; }
  /// A connection that was accepted elsewhere; the descriptor is gRPC's from here on.
  void adopt(int connection);

  void close_health();
  void stop(std::chrono::system_clock::time_point deadline);

 private:
  Door door_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<grpc::Server> server_;
  std::optional<Health> health_;
};

}  // namespace continuo::rpc
