// THREAD: any, one at a time - an address that is ours alone, and its socket's file
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "server/base/address.hpp"
#include "server/base/descriptor.hpp"
#include "server/base/lock_file.hpp"
#include "server/base/result.hpp"

namespace continuo::rpc {

/// A second server takes over a live socket without a word. So: a lock beside it first; then it is bound in a folder
/// that nobody else can enter, gets its mode there, and moves to its name. At no moment is there a socket with another
/// mode.
class Listener {
 public:
  /// ALREADY_EXISTS where another daemon listens there.
  [[nodiscard]] static Result<Listener> claim(const Address& address);
  Listener(Listener&&) noexcept = default;
  Listener& operator=(Listener&&) = delete;
  /// Removes the socket's file: no client shall wait for a daemon that is gone.
  ~Listener();

  [[nodiscard]] bool is_unix() const noexcept { return address_.is_unix(); }
  /// Of a Unix socket: binds and publishes it, mode 0660, for `group`. It listens as long as this lives.
  Result<int> open_socket(gid_t group);
  /// Of TCP that we serve ourselves: binds every address that the name stands for, with one port, and listens as long
  /// as this lives.
  Result<std::vector<int>> open_tcp();
  /// Of TCP: gRPC bound it, to this port.
  void bound(int port) { address_.port = static_cast<std::uint16_t>(port); }
  /// Where clients find it: "unix:/run/continuo/continuo.sock", "127.0.0.1:4747".
  [[nodiscard]] std::string public_text() const { return to_string(address_); }

 private:
  explicit Listener(Address address) : address_(std::move(address)) {}
  Address address_;
  std::unique_ptr<LockFile> lock_;
  std::filesystem::path workshop_;  // the private folder; empty once it is gone
  bool published_ = false;
  Descriptor socket_;
  std::vector<Descriptor> tcp_;
};

}  // namespace continuo::rpc
