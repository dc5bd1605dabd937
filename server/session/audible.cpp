#include <algorithm>

#include "server/session/node_registry.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::session {
namespace {

struct Place {
  const DocNode* node = nullptr;
  bool strip = false;  // a track or bus: it has a fader
  bool soloed = false;
  std::vector<std::size_t> feeds, fed_by;
};

// Marks what can be reached from every marked place along `step`.
void spread(const std::vector<Place>& places, std::vector<bool>& marked, std::vector<std::size_t> Place::* step) {
  std::vector<std::size_t> todo;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (marked[i]) todo.push_back(i);
  }
  while (!todo.empty()) {
    const std::size_t at = todo.back();
    todo.pop_back();
    for (const std::size_t next : places[at].*step) {
      if (marked[next]) continue;
      marked[next] = true;
      todo.push_back(next);
    }
  }
}

}  // namespace

bool any_solo(const NodeList& nodes) {
  for (const DocNode& node : nodes) {
    const auto solo = node.params.find("solo");
    if (solo != node.params.end() && number_of(node, "solo") != 0.0) return true;
    if (node.type == "container" && any_solo(node.children)) return true;
  }
  return false;
}

std::unordered_map<rt::Uid, double> audible_map(const Document& document) {
  std::vector<Place> places;
  std::unordered_map<std::string, std::size_t> by_path;
  bool any_solo = false;
  for_each_node(document.nodes, "", [&](const std::string& path, const DocNode& node) {
    const bool strip = is_strip(find_type(node.type)->role);
    const bool soloed = strip && number_of(node, "solo") != 0.0;
    any_solo = any_solo || soloed;
    by_path[path] = places.size();
    places.push_back({&node, strip, soloed, {}, {}});
  });
  std::vector<bool> heard(places.size(), true);
  if (any_solo) {
    for (const DocConnection& connection : document.connections) {
      const std::size_t from = by_path.at(connection.from.path);
      const std::size_t to = by_path.at(connection.to.path);
      places[from].feeds.push_back(to);
      places[to].fed_by.push_back(from);
    }
    std::vector<bool> above(places.size());
    for (std::size_t i = 0; i < places.size(); ++i) heard[i] = above[i] = places[i].soloed;
    spread(places, heard, &Place::feeds);
    spread(places, above, &Place::fed_by);
    for (std::size_t i = 0; i < places.size(); ++i) heard[i] = heard[i] || above[i];
  }
  std::unordered_map<rt::Uid, double> audible;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (!places[i].strip) continue;
    audible[places[i].node->uid] = heard[i] && number_of(*places[i].node, "mute") == 0.0 ? 1.0 : 0.0;
  }
  return audible;
}

}  // namespace continuo::session
