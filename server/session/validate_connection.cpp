#include <cmath>
#include <set>

#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/processor.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {
namespace {

constexpr double kMinGainDb = -150.0;
constexpr double kMaxGainDb = 24.0;

// The ports of a node as a source or as a sink, for the error message; empty: none.
std::string ports_of(TypeRole role, bool is_source) {
  switch (role) {
    case TypeRole::container:
      return "";
    case TypeRole::track:
    case TypeRole::bus:
      return is_source ? "out pre" : "in";
    case TypeRole::device_in:
      return is_source ? "out" : "";
    case TypeRole::device_out:
      return is_source ? "" : "in";
    case TypeRole::feedback:
      return is_source ? "out" : "in";
    case TypeRole::processor:
      return is_source ? "out" : "in sidechain";
    case TypeRole::source:
      return is_source ? "out" : "";
    case TypeRole::sink:
      return is_source ? "" : "in";
  }
  return "";
}

// The node whose chain holds `path`; null where it is not in a chain.
const DocNode* chain_of(const FindNode& find, const std::string& path) {
  const DocNode* parent = find(parent_of(path));
  return parent != nullptr && parent->type != "container" ? parent : nullptr;
}

Result<> check_end(const FindNode& find, const Endpoint& end, bool is_source, const std::string& field) {
  const DocNode* node = find(end.path);
  if (node == nullptr) return bad("UNKNOWN_NODE", field, "there is no node " + quoted(end.path));
  if (!is_source && end.port == "sidechain" && find_type(node->type)->role == TypeRole::processor) {
    if (takes_key(node->type)) return {};
    return bad("UNKNOWN_PORT", field, "a " + node->type + " listens to no sidechain");
  }
  if (chain_of(find, end.path) != nullptr) {
    const std::string chain = parent_of(end.path);
    return bad("UNKNOWN_PORT", field,
               quoted(end.path) + " is inside the chain of " + quoted(chain) + ": connect " + quoted(chain) +
                   (is_source ? " or " + quoted(chain + ":pre") : "") + " instead");
  }
  const TypeRole role = find_type(node->type)->role;
  if (end.channel != 0) {
    if (role != (is_source ? TypeRole::device_in : TypeRole::device_out)) {
      return bad(
          "UNKNOWN_PORT", field,
          quoted(to_string(end, is_source)) + ": only \"in\" and \"out\" have numbered ports; use a channel map");
    }
    if (end.channel > kMaxDeviceChannels) {
      return bad(
          "BAD_CHANNEL", field,
          "device channels are 1 to " + std::to_string(kMaxDeviceChannels) + ", not " + std::to_string(end.channel));
    }
    return {};
  }
  const std::string ports = ports_of(role, is_source);
  if (ports.empty()) {
    return bad("UNKNOWN_PORT", field,
               quoted(end.path) + " is a " + node->type + ": it " +
                   (is_source ? "gives nothing to connect" : "takes nothing"));
  }
  if ((" " + ports + " ").find(" " + end.port + " ") == std::string::npos) {
    return bad("UNKNOWN_PORT", field, quoted(end.path) + " has no port " + quoted(end.port) + " here; it has " + ports);
  }
  return {};
}

Result<> check_map(const DocConnection& connection, const std::string& field) {
  const std::uint32_t most_from = connection.from.path == "in" ? kMaxDeviceChannels : kMaxChannels;
  const std::uint32_t most_to = connection.to.path == "out" ? kMaxDeviceChannels : kMaxChannels;
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen;
  for (std::size_t i = 0; i < connection.channels.size(); ++i) {
    const auto& [from, to] = connection.channels[i];
    const std::string where = field + ".channels[" + std::to_string(i) + "]";
    if (from < 1 || from > most_from) {
      return bad("BAD_CHANNEL", where + ".from",
                 "channels here are 1 to " + std::to_string(most_from) + ", not " + std::to_string(from));
    }
    if (to < 1 || to > most_to) {
      return bad("BAD_CHANNEL", where + ".to",
                 "channels here are 1 to " + std::to_string(most_to) + ", not " + std::to_string(to));
    }
    if (!seen.insert({from, to}).second) {
      return bad("BAD_CHANNEL", where,
                 "the pair " + std::to_string(from) + " to " + std::to_string(to) + " stands here twice");
    }
  }
  return {};
}

}  // namespace

Result<> validate_connection(const FindNode& find, const DocConnection& connection, const std::string& field) {
  if (const Result<> end = check_end(find, connection.from, true, field + ".from"); !end) return end.error();
  if (const Result<> end = check_end(find, connection.to, false, field + ".to"); !end) return end.error();
  if (!std::isfinite(connection.gain_db))
    return bad("NOT_FINITE", field + ".gain_db", "gain_db must be finite: -150 to 24 dB");
  if (connection.gain_db < kMinGainDb || connection.gain_db > kMaxGainDb) {
    return bad("OUT_OF_RANGE", field + ".gain_db", "gain_db must be -150 to 24 dB");
  }
  return check_map(connection, field);
}

bool same_route(const DocConnection& a, const DocConnection& b) {
  return a.from == b.from && a.to == b.to && a.channels == b.channels;
}

}  // namespace continuo::session
