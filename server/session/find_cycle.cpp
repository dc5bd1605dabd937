#include <set>
#include <string>
#include <unordered_map>

#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {
namespace {

struct Graph {
  std::vector<std::string> names;
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> out;  // target, connection
};

Graph graph_of(const Document& document) {
  Graph graph;
  std::unordered_map<std::string, std::size_t> index;
  const auto number = [&](const std::string& path) {
    const auto [at, added] = index.try_emplace(path, graph.names.size());
    if (added) {
      graph.names.push_back(path);
      graph.out.emplace_back();
    }
    return at->second;
  };
  std::set<std::string> feedbacks;  // what goes in comes out later: no circle is closed there
  for_each_node(document.nodes, "", [&](const std::string& path, const DocNode& node) {
    if (node.type == kFeedbackType) feedbacks.insert(path);
  });
  for (std::size_t i = 0; i < document.connections.size(); ++i) {
    if (feedbacks.contains(document.connections[i].to.path)) continue;
    const std::size_t from = number(unit_of(document, document.connections[i].from));
    const std::size_t to = number(unit_of(document, document.connections[i].to));
    graph.out[from].emplace_back(to, i);
  }
  return graph;
}

}  // namespace

Cycle find_cycle(const Document& document) {
  const Graph graph = graph_of(document);
  enum class Mark : std::uint8_t { fresh, open, closed };
  struct Visit {
    std::size_t node;
    std::size_t next;  // index of the outgoing connection to try next
  };
  std::vector<Mark> marks(graph.names.size(), Mark::fresh);
  std::vector<Visit> stack;  // of its own: a chain may be as long as there are nodes
  for (std::size_t start = 0; start < graph.names.size(); ++start) {
    if (marks[start] != Mark::fresh) continue;
    marks[start] = Mark::open;
    stack.push_back({start, 0});
    while (!stack.empty()) {
      Visit& top = stack.back();
      if (top.next == graph.out[top.node].size()) {
        marks[top.node] = Mark::closed;
        stack.pop_back();
        continue;
      }
      const std::size_t target = graph.out[top.node][top.next++].first;
      if (marks[target] == Mark::fresh) {
        marks[target] = Mark::open;
        stack.push_back({target, 0});
      } else if (marks[target] == Mark::open) {
        Cycle cycle;
        std::size_t first = stack.size();
        while (stack[first - 1].node != target) --first;
        for (std::size_t i = first - 1; i < stack.size(); ++i) {
          cycle.nodes.push_back(graph.names[stack[i].node]);
          cycle.connections.push_back(graph.out[stack[i].node][stack[i].next - 1].second);
        }
        return cycle;
      }
    }
  }
  return {};
}

Error cycle_error(const Cycle& cycle, std::string field) {
  constexpr std::size_t kMostNames = 20;
  std::string names;
  for (std::size_t i = 0; i < cycle.nodes.size(); ++i) {
    if (i == kMostNames) {
      names += "... (" + std::to_string(cycle.nodes.size()) + " nodes) -> ";
      break;
    }
    names += cycle.nodes[i] + " -> ";
  }
  return bad("CYCLE", std::move(field),
             "the connections go in a circle: " + names + cycle.nodes.front() + "; only through a feedback can they");
}

}  // namespace continuo::session
