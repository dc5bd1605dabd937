// THREAD: control or render - which operations run together, and in what order
#pragma once

#include <cstdint>
#include <vector>

#include "rt/render_plan.hpp"
#include "server/session/chains.hpp"
#include "server/session/lower.hpp"

namespace continuo::session {

struct Schedule {
  std::vector<Group> groups;             // in the order in which they run
  std::vector<std::uint32_t> part_ends;  // rt::RenderPlan::part_ends
  std::vector<rt::Task> tasks;           // rt::RenderPlan::tasks and what belongs to it: see cut_tasks()
  std::vector<std::uint32_t> tasks_before;
};

/// Grouping is list scheduling: always the kind with most lanes ready, of these first those of the largest size, then
/// what has the longest way to go. Where all of a group's lanes go on to one kind that works in tiles, they go on
/// together and stay in the tile. The groups then run each close behind what feeds it, so that sound is in the cache
/// while it is worked on. The same list gives the same schedule; no sample depends on it.
/// With more than one thread it is cut into tasks, where that is worth while.
[[nodiscard]] Schedule schedule(const OpList& list, std::uint32_t threads = 1);

}  // namespace continuo::session
