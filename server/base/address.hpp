// THREAD: any - where the daemon listens
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "server/base/result.hpp"

namespace continuo {

struct Address {
  std::filesystem::path socket;  // a Unix socket; empty: TCP
  std::string host;              // "127.0.0.1", "::1", "localhost", "0.0.0.0", "rack2.studio"
  std::uint16_t port = 0;        // 0: any that is free
  [[nodiscard]] bool is_unix() const noexcept { return !socket.empty(); }
  /// TCP that no other machine reaches.
  [[nodiscard]] bool is_loopback() const;
};

/// "unix:/run/continuo/continuo.sock" or "127.0.0.1:4747" or "[::1]:4747".
[[nodiscard]] Result<Address> parse_address(std::string_view text);
/// What parse_address() reads and a gRPC client connects to.
[[nodiscard]] std::string to_string(const Address& address);

}  // namespace continuo
