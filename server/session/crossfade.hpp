// THREAD: any, one at a time - between the plan before and the new one: a graph that fades from one to the other
#pragma once

#include <cstdint>

#include "server/session/flat_graph.hpp"

namespace continuo::session {

struct FadeRequest {
  bool fade = true;  // false: everything changes at once
  bool timeline_rolling = false;
  std::uint64_t plan = 0;        // the plan that is being made
  std::uint64_t faded_plan = 0;  // what this plan and earlier ones broke is silent
};

/// Changes `now` (fresh from expand()):
/// - A feed that `before` had and `now` lacks, into a node that both have, stays as dying, behind the others,
///   and so does whatever feeds it.
/// - A feed that is new, into a node that both have, rises where its source may already sound: where a generator, the
///   device's input, a player of the rolling timeline or a free player that was there before feeds it. Elsewhere it is
///   there at once, so that a start is right from its first sample.
/// - A new feed that would close a circle with dying ones is left out until they are gone.
/// Returns whether something dies: another compile is then due.
[[nodiscard]] bool crossfade(const FlatGraph& before, FlatGraph& now, const FadeRequest& request);

}  // namespace continuo::session
