// THREAD: any, one at a time - an address that is ours alone, and its socket's file
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "server/base/address.hpp"
#include "server/base/lock_file.hpp"
#include "server/base/result.hpp"

namespace continuo::rpc {

/// gRPC takes over a live socket without a word, and makes it world-readable. So: a lock beside it first; then it is
/// bound in a folder that nobody else can enter, gets its mode there, and moves to its name. At no moment is there a
/// socket with another mode.
class Listener {
 public:
  /// ALREADY_EXISTS where another daemon listens there.
  [[nodiscard]] static Result<Listener> claim(const Address& address);
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  /// Removes the socket's file: no client shall wait for a daemon that is gone.
  ~Listener();

  /// What gRPC binds.
  [[nodiscard]] std::string bind_text() const;
  /// After it is bound; `port` as gRPC reports it. Nobody reaches a Unix socket before.
  Result<> publish(int port);
  /// Where clients find it: "unix:/run/continuo/continuo.sock", "127.0.0.1:4747".
  [[nodiscard]] std::string public_text() const { return to_string(address_); }

 private:
  explicit Listener(Address address) : address_(std::move(address)) {}
  Address address_;
  std::unique_ptr<LockFile> lock_;
  std::filesystem::path workshop_;  // the private folder; empty once it is gone
  bool published_ = false;
};

}  // namespace continuo::rpc
