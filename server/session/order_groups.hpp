// THREAD: control or render - groups in an order that keeps sound in the cache, cut into parts
#pragma once

#include "server/session/schedule.hpp"

namespace continuo::session {

/// `groups` in an order that works; those that are packed stay right behind the one before them. Each chain of groups
/// runs as soon as what feeds it has run, the last one fed first. A part ends where the next chain is not fed by it.
[[nodiscard]] Schedule order_groups(const OpList& list, std::vector<Group> groups);

}  // namespace continuo::session
