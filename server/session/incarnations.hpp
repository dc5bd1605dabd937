// THREAD: any, one at a time - what lies between two changes of a way runs twice while the edit fades: as it was, and
// as it is
#pragma once

#include <cstdint>
#include <unordered_map>

#include "server/session/flat_graph.hpp"

namespace continuo::session {

/// Where an edit changes a way of the sound at two places, one fade behind the other would let both ways through each
/// other: the levels that the two changes have would multiply, and not add up to either. So what lies between them gets
/// another node, a new incarnation, which starts with the old one's rows and ramps: the old way and the new one are
/// whole, and have only the one fade in common, behind the last change.
///
/// Nodes whose memory is their sound (delay, reverb, convolution) stay one, so that their tails go on, unless old way
/// and new way run through them in another order.
class Incarnations {
 public:
  /// `now` is fresh from expand(), its feeds' delays are there; `before` is the last plan's. Gives the keys of `now`
  /// their incarnation; without `fades` nobody gets a new one. Once a compile.
  void follow(const FlatGraph& before, FlatGraph& now, bool fades);

 private:
  std::unordered_map<FlatKey, std::uint32_t, FlatKeyHash> of_;  // by the key of the first; those that had another
};

}  // namespace continuo::session
