#include "server/session/document.hpp"

#include <algorithm>

namespace continuo::session {
namespace {

// Makes the node where it is missing and brings it to its end of the list; the others keep their order.
void settle(NodeList& nodes, std::string_view id, rt::Uid uid, bool first) {
  std::optional<std::size_t> found = nodes.find(id);
  if (!found) {
    DocNode node;
    node.id = node.type = id;
    node.uid = uid;
    found = nodes.size();
    nodes.push_back(std::move(node));
  }
  if (nodes[*found].uid != uid) nodes.edit_values(*found).uid = uid;
  nodes.move(*found, first ? 0 : nodes.size() - 1);
}

}  // namespace

const DocNode* find_node(const Document& document, std::string_view path) {
  const NodeList* level = &document.nodes;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::optional<std::size_t> found = level->find(path.substr(0, slash));
    if (!found) return nullptr;
    if (slash == std::string_view::npos) return &(*level)[*found];
    level = &(*level)[*found].children;
    path.remove_prefix(slash + 1);
  }
}

DocNode* edit_node(Document& document, std::string_view path) {
  if (find_node(document, path) == nullptr) return nullptr;  // nothing above it is copied for nothing
  NodeList* level = &document.nodes;
  while (true) {
    const std::size_t slash = path.find('/');
    DocNode& node = level->edit_values(*level->find(path.substr(0, slash)));
    if (slash == std::string_view::npos) return &node;
    level = &node.children;
    path.remove_prefix(slash + 1);
  }
}

NodeList& edit_children(Document& document, std::string_view path) {
  return path.empty() ? document.nodes : edit_node(document, path)->children;
}

const NodeList& children_of(const Document& document, std::string_view path) {
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
