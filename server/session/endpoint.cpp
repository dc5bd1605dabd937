#include <charconv>

#include "server/session/document.hpp"
#include "server/session/names.hpp"

namespace continuo::session {
namespace {

std::string_view default_port(bool is_source) { return is_source ? "out" : "in"; }

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view text, bool is_source) {
  const std::size_t colon = text.find(':');
  const std::string_view path = text.substr(0, colon);
  if (!is_path(path)) return std::nullopt;
  Endpoint endpoint;
  endpoint.path = path;
  if (colon == std::string_view::npos) {
    endpoint.port = default_port(is_source);
    return endpoint;
  }
  const std::string_view port = text.substr(colon + 1);
  if (!is_id(port)) return std::nullopt;
  if (port.front() < '0' || port.front() > '9') {
    endpoint.port = port;
    return endpoint;
  }
  const auto [end, status] = std::from_chars(port.data(), port.data() + port.size(), endpoint.channel);
  const bool whole = status == std::errc{} && end == port.data() + port.size();
  if (!whole || port.front() == '0') return std::nullopt;
  return endpoint;
}

std::string to_string(const Endpoint& endpoint, bool is_source) {
  if (endpoint.channel != 0) return endpoint.path + ":" + std::to_string(endpoint.channel);
  if (endpoint.port.empty() || endpoint.port == default_port(is_source)) return endpoint.path;
  return endpoint.path + ":" + endpoint.port;
}

}  // namespace continuo::session
