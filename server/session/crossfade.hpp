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

struct Fading {
  bool fading = false;            // something dies: another compile is then due
  std::uint32_t wait_frames = 0;  // the fades that begin with this plan wait this long: what is new has to fill first
};

/// Changes `now` (fresh from expand()):
/// - A feed that `before` had and `now` lacks, into a node that both have, stays as dying, behind the others,
///   and so does whatever feeds it.
/// - A feed that is new, into a node that both have, rises where its source may already sound: where a generator, the
///   device's input, a player of the rolling timeline or a free player that was there before feeds it. Elsewhere it is
///   there at once, so that a start is right from its first sample.
/// - A new feed that would close a circle with dying ones is left out until they are gone.
/// Its feeds have their delays already. Where a feed's delay differs, it is another feed.
[[nodiscard]] Fading crossfade(const FlatGraph& before, FlatGraph& now, const FadeRequest& request);

}  // namespace continuo::session
