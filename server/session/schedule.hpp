// THREAD: control or render - which operations run together, and in what order
#pragma once

#include <cstdint>
#include <vector>

#include "server/session/lower.hpp"

namespace continuo::session {

/// Equal operations that run as one rt::Step: at most rt::kMaxLanes lanes, but for one that alone is wider.
struct Group {
  std::vector<std::uint32_t> ops;  // in OpList::ops
  std::uint32_t lanes = 0;
  std::uint32_t size = 0;  // the largest Op::size
  bool packed = false;     // its lanes come in the tile that the group before left
  bool stays = false;      // and stay there for the next
  bool unpacks = true;
};

struct Schedule {
  std::vector<Group> groups;             // in the order in which they run
  std::vector<std::uint32_t> part_ends;  // rt::RenderPlan::part_ends
};

/// Grouping is list scheduling: always the kind with most lanes ready, of these first those of the largest size, then
/// what has the longest way to go. Where all of a group's lanes go on to one kind that works in tiles, they go on
/// together and stay in the tile. The groups then run each close behind what feeds it, so that sound is in the cache
/// while it is worked on. The same list gives the same schedule; no sample depends on it.
[[nodiscard]] Schedule schedule(const OpList& list);

}  // namespace continuo::session
