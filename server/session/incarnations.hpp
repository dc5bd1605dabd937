// THREAD: any, one at a time - processors that an edit moved run twice while the edit fades: as they were, and as they
// are
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "server/session/expand_units.hpp"

namespace continuo::session {

/// One sum after another would fade where moved processors kept their nodes: each would be on the old way and on the
/// new one at once. So a processor that changed its unit, or its place among those that stayed, gets another node, a
/// new incarnation, which starts with the old one's rows; old way and new way have only their two ends in common.
/// Sources keep their nodes: nothing flows into them.
class Incarnations {
 public:
  /// To be called once a compile, with the document's units.
  void follow(const Units& units);

  /// Rises by one with each move that counted; 0: it never did.
  [[nodiscard]] std::uint32_t of(rt::Uid uid) const;

 private:
  struct Place {
    rt::Uid unit = 0;
    std::uint32_t rank = 0;  // in its chain
    std::uint32_t incarnation = 0;
  };
  std::unordered_map<rt::Uid, Place> places_;
};

}  // namespace continuo::session
