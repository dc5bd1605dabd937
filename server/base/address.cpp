#include "server/base/address.hpp"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>

namespace continuo {
namespace {

constexpr std::string_view kUnix = "unix:";
// What the listener needs beyond the path: it binds under a temporary name beside it (rpc/listener.cpp).
constexpr std::size_t kSocketRoom = 16;

Error bad(std::string_view text, const std::string& why) {
  return make_error(ErrorKind::configuration, "LISTEN_ADDRESS", "server.listen",
                    "cannot listen on '" + std::string(text) + "': " + why);
}

/// An address of four numbers, or a name as the DNS has it.
bool is_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

}  // namespace

bool Address::is_loopback() const {
  if (host == "localhost") return true;
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  in6_addr six{};
  return inet_pton(AF_INET6, host.c_str(), &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

Result<Address> parse_address(std::string_view text) {
  Address address;
  if (text.starts_with(kUnix)) {
    address.socket = std::filesystem::path(text.substr(kUnix.size())).lexically_normal();
    if (!address.socket.is_absolute() || !address.socket.has_filename()) {
      return bad(text, "a socket is unix:/absolute/path");
    }
    const std::size_t longest = sizeof(sockaddr_un::sun_path) - 1 - kSocketRoom;
    if (address.socket.native().size() > longest) {
      return bad(text, "a socket's path has at most " + std::to_string(longest) + " bytes");
    }
    return address;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad(text, "an address is unix:/path or host:port");
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (problem != std::errc() || end != port.data() + port.size()) return bad(text, "a port is 0 to 65535");
  address.host = host;
  in6_addr six{};
  const bool good = address.host.find(':') != std::string::npos ? inet_pton(AF_INET6, address.host.c_str(), &six) == 1
                                                                : is_name(address.host);
  if (!good) return bad(text, "the host is an address or a name: 127.0.0.1, [::1], rack2.studio");
  return address;
}

std::string to_string(const Address& address) {
  if (address.is_unix()) return std::string(kUnix) + address.socket.string();
  const bool six = address.host.find(':') != std::string::npos;
  return (six ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

}  // namespace continuo
