#include "server/control/why_gain.hpp"

#include <unordered_map>
#include <utility>
#include <vector>

#include "server/control/why_source.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {
namespace {

using session::DocConnection;
using session::DocNode;
using session::TypeRole;

/// The gain that takes most of those shown; of equal ones the first.
struct Most {
  double gain_db = 0.0;
  std::string path;
  std::string name;  // "vox.gain_db is"

  void show(double gain, const std::string& at, const std::string& as) {
    if (gain < gain_db) *this = {gain, at, as};
  }
  void show(const std::string& at, const DocNode& node) {
    if (session::find_type(node.type)->find("gain_db") == nullptr || gain_is_automated(node)) return;
    show(session::number_of(node, "gain_db"), at, at + ".gain_db is");
  }
};

/// Null: none is known to bring any.
const DocConnection* loudest_into(const WhyFacts& facts, const std::string& path) {
  const DocConnection* loudest = nullptr;
  double most = kSilentDb;
  for (const DocConnection& connection : facts.document.connections) {
    if (connection.to.path != path || connection.to.port == "sidechain") continue;
    const auto level = facts.level_db(connection.from.path, connection.from.channel);
    if (!level || *level + connection.gain_db <= most) continue;
    most = *level + connection.gain_db;
    loudest = &connection;
  }
  return loudest;
}

/// From the last one upstream. False: the chain's own source may be what is loudest.
bool show_chain(const WhyFacts& facts, const std::string& path, const DocNode& node, Most& most) {
  for (std::size_t i = node.children.size(); i-- > 0;) {
    const DocNode& child = node.children[i];
    const std::string below = path + "/" + child.id;
    if (session::find_type(child.type)->role == TypeRole::processor) {
      most.show(below, child);
    } else if (session::find_type(child.type)->role == TypeRole::source) {
      const auto level = facts.level_db(below, 0);
      if (!level || is_loud(level)) return false;
    }
  }
  return true;
}

/// A strip's fader, its chain, and the way of the loudest that comes to it.
Most takes_most(const WhyFacts& facts, const std::string& path) {
  Most most;
  std::set<std::string> seen;
  for (std::string at = path; seen.insert(at).second;) {
    const DocNode& node = *session::find_node(facts.document, at);
    most.show(at, node);
    if (!is_strip(node) || !show_chain(facts, at, node, most)) break;
    const DocConnection* const comes = loudest_into(facts, at);
    if (comes == nullptr) break;
    most.show(comes->gain_db, comes->from.path, why_name(*comes) + " has a gain of");
    if (comes->from.port == "pre") break;  // no fader is in its way
    at = comes->from.path;
  }
  return most;
}

}  // namespace

std::optional<WhyAnswer> faded_cause(const WhyFacts& facts, const std::string& path) {
  const DocNode* const node = session::find_node(facts.document, path);
  const auto level = facts.level_db(path, 0);
  if (node == nullptr || !level) return std::nullopt;
  Most own;
  own.show(path, *node);
  if (own.path.empty() || *level - own.gain_db <= kSilentDb) return std::nullopt;
  if (const Most most = is_strip(*node) ? takes_most(facts, path) : own; most.path != path) {
    return WhyAnswer{WhyReason::gain,
                     most.path,
                     most.name + " " + why_decibels(most.gain_db) + ", which leaves " + path + " at " +
                         why_decibels(*level) + ": raise it",
                     {}};
  }
  const bool gives = session::find_type(node->type)->role == TypeRole::source;
  return WhyAnswer{WhyReason::gain,
                   path,
                   own.name + " " + why_decibels(own.gain_db) +
                       (gives ? ", and what it gives" : ", and what comes to it") + " is at " +
                       why_decibels(*level - own.gain_db) + ": raise it",
                   {}};
}

bool has_source(const DocNode& node, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (session::find_type(node.children[i].type)->role == TypeRole::source) return true;
  }
  return false;
}

std::set<std::string> fed_by_connections(const session::Document& document) {
  std::unordered_map<std::string, std::vector<std::string>> to_of;
  for (const DocConnection& connection : document.connections) {
    if (connection.to.port != "sidechain") to_of[connection.from.path].push_back(connection.to.path);
  }
  std::vector<std::string> todo;
  session::for_each_node(document.nodes, "", [&](const std::string& path, const DocNode& node) {
    const TypeRole role = session::find_type(node.type)->role;
    const bool gives = role == TypeRole::source || role == TypeRole::device_in;
    if (gives || (is_strip(node) && has_source(node, node.children.size()))) todo.push_back(path);
  });
  std::set<std::string> fed;
  while (!todo.empty()) {
    const std::string at = std::move(todo.back());
    todo.pop_back();
    for (const std::string& to : to_of[at]) {
      if (fed.insert(to).second) todo.push_back(to);
    }
  }
  return fed;
}

}  // namespace continuo::control
