// THREAD: control or render - groups that run one behind the other, and which of these feed which
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

/// A group and those that go on in its tile.
struct Chain {
  std::uint32_t first = 0;  // group
  std::uint32_t count = 0;
  std::uint32_t waiting = 0;         // chains that feed it
  std::vector<std::uint32_t> feeds;  // chains, each once, all of higher numbers
};

/// `groups` in an order that works. Groups that write to the device feed one another in that order, too.
[[nodiscard]] std::vector<Chain> make_chains(const OpList& list, const std::vector<Group>& groups);

}  // namespace continuo::session
