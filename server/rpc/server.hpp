// THREAD: main makes and ends it, gRPC's own threads serve - the gRPC server: addresses, services, health, reflection
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "server/base/result.hpp"
#include "server/control/engine.hpp"
#include "server/rpc/access.hpp"
#include "server/rpc/tls.hpp"

namespace continuo::rpc {

struct ServerConfig {
  std::vector<std::string> listen;  // as base/address.hpp reads them
  AccessRules access;
  TlsFiles tls;
  std::string group;  // of Unix sockets; empty: the process's own
  std::uint32_t operations_per_second = 20'000;
};

class Server {
 public:
  /// Takes the addresses, so that a second daemon is refused before it has touched anything else. Nobody is served yet.
  [[nodiscard]] static Result<std::unique_ptr<Server>> claim(const ServerConfig& config);
  ~Server();

  /// Serves. The engine must outlive the server.
  Result<> start(control::Engine& engine);
  /// Other rules, for connections that there are and for those to come: what was a role before may be another, or none.
  void use(const AccessRules& rules);
  /// Where clients find us, once started.
  [[nodiscard]] std::vector<std::string> addresses() const;

  /// New calls are UNAVAILABLE from here on, and health says so.
  void close_door();
  /// Lets calls under way end until `deadline`, then cancels them. Blocks until the last one is finished, so the
  /// control strand must still run: it answers, or lets go of, what waits in its line.
  void stop(std::chrono::system_clock::time_point deadline);
  /// For an exit without destructors: removes the sockets' files. Nothing else may be called after it.
  void abandon();

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace continuo::rpc
