// THREAD: any, one at a time - the session as a value: nodes, connections, parameters
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "rt/types.hpp"
#include "server/session/automation.hpp"
#include "server/session/node_list.hpp"
#include "server/session/shared.hpp"

namespace continuo::session {

/// A parameter's value: number, switch, or text (choice, file).
using Value = std::variant<double, bool, std::string>;

enum class QueueCurve : std::uint8_t { linear, equal_power };

/// A part of a file in a player's queue. Frames are the file's own.
struct QueueItem {
  rt::Uid uid = 0;
  std::string file;
  std::int64_t in_frame = 0;
  std::int64_t out_frame = 0;  // 0: the file's end
  std::uint32_t loops = 1;     // 0: for ever
  double gain_db = 0.0;
  double fade_in_ms = 0.0;
  double fade_out_ms = 0.0;
  QueueCurve fade_in_curve = QueueCurve::linear;
  QueueCurve fade_out_curve = QueueCurve::linear;
  double crossfade_ms = 0.0;  // with the item before it
  QueueCurve crossfade_curve = QueueCurve::linear;
  friend bool operator==(const QueueItem&, const QueueItem&) = default;
};

/// A node of the tree. `params` holds only what differs from its default (node_registry.hpp).
struct DocNode {
  std::string id;
  std::string label;
  std::string type;
  rt::Uid uid = 0;
  std::map<std::string, Value> params;
  std::map<std::string, DocLane> lanes{};  // by parameter
  NodeList children{};
  SharedVector<QueueItem> queue{};  // of a player, in place of its file
  friend bool operator==(const DocNode&, const DocNode&) = default;
};

/// One end of a connection: "path:port" taken apart. `channel` from 1 where the port was a number ("out:3"), else 0.
struct Endpoint {
  std::string path;  // "vox", "in", "out"
  std::string port;  // "out", "pre", "in", or "" for a device channel
  std::uint32_t channel = 0;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct DocConnection {
  Endpoint from;
  Endpoint to;
  double gain_db = 0.0;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> channels{};  // from, to; from 1; empty: in order
  rt::Uid uid = 0;  // so that a connection keeps its fade and gain over plans
  friend bool operator==(const DocConnection&, const DocConnection&) = default;
};

struct CueOperations;  // cue.hpp

/// A step of the show. Its operations are never written again: who changes them makes others.
struct DocCue {
  rt::Uid uid = 0;
  std::string name;
  std::string label;
  std::shared_ptr<const CueOperations> operations;
  /// [cue.cpp] By what the operations say.
  friend bool operator==(const DocCue& a, const DocCue& b);
};

/// Always holds nodes "in" and "out" at the root, first and last (ensure_device_nodes() puts them there). Copies share
/// all that is not edited, so that an edit costs what it touches and a document of before may be kept.
struct Document {
  std::string name;
  std::uint32_t sample_rate_hz = 0;  // 0: as the device
  NodeList nodes;
  SharedVector<DocConnection> connections;
  SharedVector<DocCue> cues{};
  friend bool operator==(const Document&, const Document&) = default;
};

/// Limits of a document; beyond them it is refused.
inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxNodes = 20000;
inline constexpr std::size_t kMaxConnections = 100000;
inline constexpr std::size_t kMaxLabel = 1000;     // bytes; of a session's name too
inline constexpr std::uint32_t kMaxChannels = 64;  // of a node
inline constexpr std::uint32_t kMaxDeviceChannels = 128;
inline constexpr std::size_t kMaxChannelPairs = 4096;  // of a connection
inline constexpr std::size_t kMaxQueueItems = 1000;    // of a player

/// The uids of "in" and "out", the same in every document: they are never removed. A UidSource stays below them.
inline constexpr rt::Uid kDeviceInUid = (rt::Uid{1} << 53) - 2;
inline constexpr rt::Uid kDeviceOutUid = (rt::Uid{1} << 53) - 1;

/// Null where there is none. "" has no node.
[[nodiscard]] const DocNode* find_node(const Document& document, std::string_view path);

/// The document's own copy of it, to be changed; the nodes above become its own, too. Its id must stay.
[[nodiscard]] DocNode* edit_node(Document& document, std::string_view path);

/// Of a node that is there, or of the root, "".
[[nodiscard]] NodeList& edit_children(Document& document, std::string_view path);
[[nodiscard]] const NodeList& children_of(const Document& document, std::string_view path);

/// Calls `visit(path, node)` for every node, parents first, siblings in order.
template <class Visit>
void for_each_node(const NodeList& nodes, const std::string& prefix, Visit&& visit) {
  for (const DocNode& node : nodes) {
    const std::string path = prefix.empty() ? node.id : prefix + "/" + node.id;
    visit(path, node);
    for_each_node(node.children, path, visit);
  }
}

/// The path of the node outside chains that a connection's end belongs to: of a sidechain's, what holds the processor.
[[nodiscard]] std::string unit_of(const Document& document, const Endpoint& end);

/// Of "bands/vox/comp": "bands/vox", and 3. Of a node at the root: "", and 1; of "" itself 0.
[[nodiscard]] std::string parent_of(const std::string& path);
[[nodiscard]] std::size_t depth_of(const std::string& path);
[[nodiscard]] bool is_at_or_below(const std::string& path, const std::string& root);

/// "vox/eq1.freq_hz" -> {"vox/eq1", "freq_hz"}: the first dot ends the path. Nothing where there is no dot.
[[nodiscard]] std::optional<std::pair<std::string, std::string>> split_param(std::string_view text);

/// "vox:pre" <-> Endpoint. `is_source` gives the port its default.
[[nodiscard]] std::optional<Endpoint> parse_endpoint(std::string_view text, bool is_source);
[[nodiscard]] std::string to_string(const Endpoint& endpoint, bool is_source);

/// Adds "in" and "out" where they are missing, and brings them to their places: "in" first, "out" last.
void ensure_device_nodes(Document& document);

}  // namespace continuo::session
