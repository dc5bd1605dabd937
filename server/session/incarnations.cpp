#include "server/session/incarnations.hpp"

#include <algorithm>

namespace continuo::session {
namespace {

/// The processors of a unit in the order in which sound passes them.
std::vector<rt::Uid> chain_of(const Unit& unit) {
  std::vector<rt::Uid> chain;
  if (unit.type->role == TypeRole::processor) chain.push_back(unit.node->uid);
  if (!unit.type->has_children) return chain;
  for (const DocNode& child : unit.node->children) {
    if (find_type(child.type)->role == TypeRole::processor) chain.push_back(child.uid);
  }
  return chain;
}

}  // namespace

void Incarnations::follow(const Units& units) {
  std::unordered_map<rt::Uid, Place> now;
  for (const Unit& unit : units.all) {
    const std::vector<rt::Uid> chain = chain_of(unit);
    std::vector<rt::Uid> stayed;
    for (std::uint32_t rank = 0; rank < chain.size(); ++rank) {
      Place place{.unit = unit.node->uid, .rank = rank, .incarnation = 0};
      if (const auto was = places_.find(chain[rank]); was != places_.end()) {
        place.incarnation = was->second.incarnation;
        if (was->second.unit == place.unit)
          stayed.push_back(chain[rank]);
        else
          ++place.incarnation;
      }
      now.emplace(chain[rank], place);
    }
    // From the first to the last that are not in the order that they had.
    std::vector<rt::Uid> before = stayed;
    std::sort(before.begin(), before.end(),
              [&](rt::Uid a, rt::Uid b) { return places_.at(a).rank < places_.at(b).rank; });
    std::size_t first = 0, end = stayed.size();
    while (first < end && before[first] == stayed[first]) ++first;
    while (end > first && before[end - 1] == stayed[end - 1]) --end;
    for (std::size_t i = first; i < end; ++i) ++now.at(stayed[i]).incarnation;
  }
  places_ = std::move(now);
}

std::uint32_t Incarnations::of(rt::Uid uid) const {
  const auto found = places_.find(uid);
  return found == places_.end() ? 0 : found->second.incarnation;
}

}  // namespace continuo::session
