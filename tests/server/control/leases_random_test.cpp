// Any transactions against a lease: what is covered changes by its token alone.
#include <rapidcheck.h>

#include <random>
#include <set>

#include "server/session/session_file.hpp"
#include "tests/server/control/lease_rig.hpp"

using namespace continuo;
using namespace continuo::control;
using namespace continuo::control::test;

namespace {

/// All of the document that a lease of the node with this label covers: path, values, children, connections.
std::string covered_part(const std::string& json) {
  rt::Uid uid = 0;
  const auto document = session::parse_session(json, [&] { return ++uid; });
  RC_ASSERT(static_cast<bool>(document));
  std::string text;
  std::string root;
  session::for_each_node(document->nodes, "", [&](const std::string& path, const session::DocNode& node) {
    if (node.label == "leased") root = path;
  });
  RC_ASSERT(!root.empty());
  session::for_each_node(document->nodes, "", [&](const std::string& path, const session::DocNode& node) {
    if (!session::is_at_or_below(path, root)) return;
    text += path + " " + node.type + " " + node.label;
    for (const auto& [name, value] : node.params)
      text +=
          " " + name + "=" + (std::holds_alternative<double>(value) ? std::to_string(std::get<double>(value)) : "?");
    text += "\n";
  });
  // By labels, which nobody changes here: the others may give their own nodes other names.
  const auto name = [&](const session::Endpoint& end) {
    const session::DocNode* const node = session::find_node(*document, end.path);
    return (node->label.empty() ? end.path : node->label) + ":" + end.port + std::to_string(end.channel);
  };
  std::multiset<std::string> lines;
  for (const session::DocConnection& one : document->connections) {
    if (session::is_at_or_below(one.from.path, root) || session::is_at_or_below(one.to.path, root))
      lines.insert(name(one.from) + ">" + name(one.to));
  }
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

struct Maker {
  struct Known {
    std::string path;
    bool track = false;
  };
  std::mt19937 random;
  int made = 0;
  std::vector<Known> nodes{};

  std::size_t any(std::size_t count) { return random() % count; }
  /// A track, or a container; "" where there is none.
  std::string path(bool track) {
    std::vector<std::string> paths;
    for (const Known& node : nodes)
      if (node.track == track) paths.push_back(node.path);
    return paths.empty() ? "" : paths[any(paths.size())];
  }
  std::string operation() {
    const std::string id = std::string(1, static_cast<char>('a' + any(6)));
    const std::string at = path(any(3) != 0);
    const std::string parent = any(4) == 0 ? "" : path(false);
    const std::string to = parent.empty() ? id : parent + "/" + id;
    switch (any(8)) {
      case 0:
      case 1:
        return gain(path(true), -static_cast<int>(any(50)));
      case 2: {
        const bool is_track = any(2) == 0;
        nodes.push_back({to, is_track});
        return "{'addNode':{'parent':'" + parent + "','node':{'id':'" + id + "','type':'" +
               (is_track ? "track" : "container") + "','label':'n" + std::to_string(++made) + "'}}}";
      }
      case 3:
        std::erase_if(nodes, [&](const Known& node) { return session::is_at_or_below(node.path, at); });
        return "{'removeNode':{'path':'" + at + "'}}";
      case 4:
        return "{'connect':{'from':'" + path(true) + "','to':'" + path(true) + "'}}";
      case 5:
        return "{'disconnect':{'from':'" + path(true) + "','to':'" + path(true) + "'}}";
      default:
        for (Known& node : nodes) {
          if (session::is_at_or_below(node.path, at)) node.path = to + node.path.substr(at.size());
        }
        return "{'moveNode':{'path':'" + at + "','parent':'" + parent + "','id':'" + id + "'}}";
    }
  }
  std::string transaction() {
    std::string operations = operation();
    for (std::size_t i = any(3); i > 0; --i) operations += "," + operation();
    return operations;
  }
  void read(const std::string& json) {
    nodes.clear();
    rt::Uid uid = 0;
    const auto document = session::parse_session(json, [&] { return ++uid; });
    session::for_each_node(document->nodes, "", [&](const std::string& path, const session::DocNode& node) {
      if (node.type == "track" || node.type == "container") nodes.push_back({path, node.type == "track"});
    });
  }
};

}  // namespace

TEST_CASE("leases: whatever a transaction without the token does, what is covered stays as it was") {
  const auto node = [](const std::string& parent, const std::string& id, const std::string& type,
                       const std::string& label) {
    return "{'addNode':{'parent':'" + parent + "','node':{'id':'" + id + "','type':'" + type + "','label':'" + label +
           "'}}},";
  };
  const std::string begin = node("", "a", "container", "A") + node("a", "b", "container", "leased") +
                            node("a/b", "c", "track", "C") + node("a/b", "d", "track", "D") +
                            node("", "b", "container", "B") + node("a", "c", "track", "E") +
                            node("b", "d", "track", "F") +
                            "{'connect':{'from':'a/c','to':'a/b/c'}},{'connect':{'from':'a/b/d','to':'b/d'}},"
                            "{'connect':{'from':'a/c','to':'b/d'}}";
  std::size_t accepted = 0, refused = 0, own = 0;
  CHECK(rc::check([&](std::uint32_t seed) {
    LeaseRig rig;
    RC_ASSERT(static_cast<bool>(rig.edit(begin)));
    const std::string token = rig.take("a/b", 86'400.0);
    Maker maker{std::mt19937(seed)};
    for (int i = 0; i < 25; ++i) {
      const std::string before = rig.session();
      maker.read(before);
      const bool with = maker.any(4) == 0;
      const std::string operations = maker.transaction();
      if (with) {
        // Its holder may do everything; here it keeps the node, so that the lease stays.
        if (operations.find("removeNode") == std::string::npos) own += static_cast<bool>(rig.edit(operations, {token}));
        continue;
      }
      RC_LOG() << operations << "\n";
      const auto answer = rig.edit(operations);
      accepted += static_cast<bool>(answer);
      refused += leased(answer);
      RC_ASSERT(covered_part(rig.session()) == covered_part(before));
    }
  }));
  CHECK(accepted > 100);
  CHECK(refused > 100);
  CHECK(own > 20);
}
