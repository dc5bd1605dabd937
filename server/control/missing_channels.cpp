#include "server/control/missing_channels.hpp"

#include <algorithm>
#include <set>

namespace continuo::control {
namespace {

/// The highest device channel that one end of the connection names; 0: none.
std::uint32_t highest(const session::Endpoint& end, const session::DocConnection& connection, bool is_source) {
  const std::uint32_t base = std::max(end.channel, 1u);
  std::uint32_t channel = end.channel;
  for (const auto& [from, to] : connection.channels) channel = std::max(channel, base - 1 + (is_source ? from : to));
  return channel;
}

std::string has_only(std::uint32_t channels, const char* kind) {
  return ": the device has only " + std::to_string(channels) + " " + kind + " channel" + (channels == 1 ? "" : "s");
}

}  // namespace

std::vector<std::string> missing_channels(const session::Document& document, const session::EngineShape& shape,
                                          const session::Document* known) {
  std::set<rt::Uid> before;
  if (known != nullptr) {
    for (const session::DocConnection& connection : known->connections) before.insert(connection.uid);
  }
  std::vector<std::string> lines;
  for (const session::DocConnection& connection : document.connections) {
    if (before.contains(connection.uid)) continue;
    const std::string name =
        session::to_string(connection.from, true) + " to " + session::to_string(connection.to, false);
    if (connection.to.path == "out" && highest(connection.to, connection, false) > shape.out_channels)
      lines.push_back(name + has_only(shape.out_channels, "output"));
    if (connection.from.path == "in" && highest(connection.from, connection, true) > shape.in_channels)
      lines.push_back(name + has_only(shape.in_channels, "input"));
  }
  return lines;
}

}  // namespace continuo::control
