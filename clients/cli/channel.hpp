// THREAD: any - the way to a daemon, not yet gone, and what it shows there of who we are
#pragma once

#include <grpcpp/channel.h>

#include <filesystem>
#include <memory>
#include <string>

namespace continuo::cli {

/// Both may be empty. Over a Unix socket the daemon knows the user by itself.
struct Identity {
  std::filesystem::path token_file;  // its first line goes with every call
  std::filesystem::path tls;         // folder of ca.crt, client.crt and client.key, as continuo-certs writes it
};
/// $CONTINUO_TOKEN_FILE and $CONTINUO_TLS. Off the loopback, where every daemon asks for a certificate, the folder is
/// else $XDG_CONFIG_HOME/continuo/tls.
[[nodiscard]] Identity find_identity(const std::string& address);

/// `address` as gRPC names it. Connects at the first call. EX_NOINPUT for a file that is not there; EX_NOPERM where a
/// token would go over the network in the clear.
[[nodiscard]] std::shared_ptr<grpc::Channel> make_channel(const std::string& address, const Identity& identity);
[[nodiscard]] inline std::shared_ptr<grpc::Channel> make_channel(const std::string& address) {
  return make_channel(address, find_identity(address));
}

/// A Unix socket, or a port that no other machine reaches.
[[nodiscard]] bool is_local(const std::string& address);

}  // namespace continuo::cli
