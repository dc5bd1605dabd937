#include "server/session/document.hpp"

#include <algorithm>

namespace continuo::session {
namespace {

template <class Nodes>
auto* find_in(Nodes& nodes, std::string_view path) {
  Nodes* level = &nodes;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view id = path.substr(0, slash);
    const auto found = std::find_if(level->begin(), level->end(), [&](const DocNode& node) { return node.id == id; });
    if (found == level->end()) return static_cast<decltype(&*found)>(nullptr);
    if (slash == std::string_view::npos) return &*found;
    level = &found->children;
    path.remove_prefix(slash + 1);
  }
}

// Makes the node where it is missing and brings it to its end of the list; the others keep their order.
void settle(std::vector<DocNode>& nodes, std::string_view id, rt::Uid uid, bool first) {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const DocNode& node) { return node.id == id; });
  if (found == nodes.end()) {
    DocNode node;
    node.id = node.type = id;
    node.uid = uid;
    nodes.insert(first ? nodes.begin() : nodes.end(), std::move(node));
    return;
  }
  found->uid = uid;
  if (first) {
    std::rotate(nodes.begin(), found, found + 1);
  } else {
    std::rotate(found, found + 1, nodes.end());
  }
}

}  // namespace

const DocNode* find_node(const Document& document, std::string_view path) { return find_in(document.nodes, path); }

DocNode* find_node(Document& document, std::string_view path) { return find_in(document.nodes, path); }

std::vector<DocNode>& children_of(Document& document, std::string_view path) {
  return path.empty() ? document.nodes : find_node(document, path)->children;
}

std::string unit_of(const Document& document, const Endpoint& end) {
  if (end.port != "sidechain") return end.path;  // nothing else names a node inside a chain
  for (std::size_t slash = end.path.find('/'); slash != std::string::npos; slash = end.path.find('/', slash + 1)) {
    const DocNode* node = find_node(document, std::string_view(end.path).substr(0, slash));
    if (node != nullptr && node->type != "container") return end.path.substr(0, slash);
  }
  return end.path;
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::size_t depth_of(const std::string& path) {
  return path.empty() ? 0 : static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) + 1;
}

bool is_at_or_below(const std::string& path, const std::string& root) {
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

std::optional<std::pair<std::string, std::string>> split_param(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) return std::nullopt;
  return std::pair(std::string(text.substr(0, dot)), std::string(text.substr(dot + 1)));
}

void ensure_device_nodes(Document& document) {
  settle(document.nodes, "in", kDeviceInUid, true);
  settle(document.nodes, "out", kDeviceOutUid, false);
}

}  // namespace continuo::session
