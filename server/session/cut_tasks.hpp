// THREAD: control or render - groups in an order that several threads can share
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "server/session/schedule.hpp"

namespace continuo::session {

/// Cuts `groups` into tasks for so many threads: what goes on from one chain to the next stays in one task, what is
/// small joins others of its like, and what is on the longest way to the end comes first. Nothing where no second
/// thread could do a tenth of the work: `groups` is then as it was, else its contents are in the schedule.
[[nodiscard]] std::optional<Schedule> cut_tasks(const OpList& list, std::vector<Group>& groups, std::uint32_t threads);

}  // namespace continuo::session
