#include "server/session/live_nodes.hpp"

#include <algorithm>

namespace continuo::session {

rt::NodeRef LiveNodes::take_slot() {
  if (free_.empty()) {
    generations_.push_back(1);
    return {static_cast<std::uint32_t>(generations_.size() - 1), 1};
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  return {slot, ++generations_[slot]};
}

std::vector<std::unique_ptr<rt::Node>> LiveNodes::drop_unused(std::uint64_t plan) {
  std::vector<std::unique_ptr<rt::Node>> dropped;
  std::vector<std::uint32_t> slots;
  for (auto at = nodes_.begin(); at != nodes_.end();) {
    LiveNode& live = at->second;
    if (live.plan == plan) {
      ++at;
      continue;
    }
    if (live.addressed) slots.push_back(live.ref.slot);
    dropped.push_back(std::move(live.node));
    at = nodes_.erase(at);
  }
  // In order, so that the same edits give the same slots on every run.
  std::sort(slots.rbegin(), slots.rend());
  free_.insert(free_.end(), slots.begin(), slots.end());
  return dropped;
}

}  // namespace continuo::session
