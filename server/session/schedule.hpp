// THREAD: control or render - which operations run together, and in what order
#pragma once

#include <cstdint>
#include <vector>

#include "server/session/lower.hpp"

namespace continuo::session {

/// Equal operations that run as one rt::Step: indices into OpList::ops. At most rt::kMaxLanes lanes, but for one that
/// alone is wider.
using Group = std::vector<std::uint32_t>;

/// List scheduling: always the kind with most lanes ready, of these first what has the longest way to go. A producer is
/// never in its consumer's group. The same list gives the same groups.
[[nodiscard]] std::vector<Group> schedule(const OpList& list);

}  // namespace continuo::session
