// THREAD: any, one at a time - the units of the document: what connections join, in an order that respects them
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/session/document.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::session {

/// A node that connections can name: a track or bus with its chain, a node outside chains, "in", "out".
struct Unit {
  const DocNode* node = nullptr;
  const TypeSpec* type = nullptr;
  std::string path;
  std::vector<const DocConnection*> inbound;  // document order
};

struct Units {
  std::vector<Unit> all;                                 // document order
  std::unordered_map<std::string, std::uint32_t> index;  // by path
  std::vector<std::uint32_t> order;  // sources first; what goes into a feedback is not one of its sources
  std::unordered_map<std::string, std::vector<const DocConnection*>> keys;  // by path of the processor that listens
};

/// The document must be valid.
[[nodiscard]] Units find_units(const Document& document);

}  // namespace continuo::session
