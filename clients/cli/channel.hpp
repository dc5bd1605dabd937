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

/// Where `newest_first`, the transport takes hardly more ahead of the reader than one message: for streams of which the
/// newest counts, and which the daemon folds for a reader that is slow. Else it takes 64 KB and more, frames of seconds
/// ago.
enum class Window : bool { usual, newest_first };

/// `address` as gRPC names it. Connects at the first call. EX_NOINPUT for a file that is not there; EX_NOPERM where a
/// token would go over the network in the clear.
[[nodiscard]] std::shared_ptr<grpc::Channel> make_channel(const std::string& address, const Identity& identity,
                                                          Window window = Window::usual);
[[nodiscard]] inline std::shared_ptr<grpc::Channel> make_channel(const std::string& address,
                                                                 Window window = Window::usual) {
  return make_channel(address, find_identity(address), window);
}

/// A Unix socket, or a port that no other machine reaches.
[[nodiscard]] bool is_local(const std::string& address);

}  // namespace continuo::cli
