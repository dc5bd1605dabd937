#include "server/session/expand_units.hpp"

#include "server/base/check.hpp"

namespace continuo::session {
namespace {

void collect(const NodeList& nodes, const std::string& prefix, Units& units) {
  for (const DocNode& node : nodes) {
    const std::string path = prefix.empty() ? node.id : prefix + "/" + node.id;
    const TypeSpec* type = find_type(node.type);
    if (type->role == TypeRole::container) {
      collect(node.children, path, units);
      continue;
    }
    units.index.emplace(path, static_cast<std::uint32_t>(units.all.size()));
    units.all.push_back({&node, type, path, {}});
  }
}

}  // namespace

Units find_units(const Document& document) {
  Units units;
  collect(document.nodes, "", units);
  std::vector<std::vector<std::uint32_t>> feeds(units.all.size());
  std::vector<std::size_t> waiting(units.all.size());
  for (const DocConnection& connection : document.connections) {
    const std::uint32_t to = units.index.at(unit_of(document, connection.to));
    if (connection.to.port == "sidechain")
      units.keys[connection.to.path].push_back(&connection);
    else
      units.all[to].inbound.push_back(&connection);
    if (units.all[to].type->role == TypeRole::feedback) continue;
    feeds[units.index.at(connection.from.path)].push_back(to);
    ++waiting[to];
  }
  for (std::uint32_t i = 0; i < units.all.size(); ++i) {
    if (waiting[i] == 0) units.order.push_back(i);
  }
  for (std::size_t next = 0; next < units.order.size(); ++next) {
    for (const std::uint32_t to : feeds[units.order[next]]) {
      if (--waiting[to] == 0) units.order.push_back(to);
    }
  }
  CONTINUO_CHECK(units.order.size() == units.all.size(), "validate() refuses cycles");
  return units;
}

}  // namespace continuo::session
