#include "server/session/order_groups.hpp"

#include "server/base/check.hpp"

namespace continuo::session {
Schedule order_groups(const OpList& list, std::vector<Group> groups) {
  std::vector<Chain> chains = make_chains(list, groups);
  Schedule result;
  std::vector<std::uint32_t> ready;  // a stack
  for (std::uint32_t i = static_cast<std::uint32_t>(chains.size()); i-- > 0;) {
    if (chains[i].waiting == 0) ready.push_back(i);
  }
  std::size_t fed = 0;  // of `ready`, how many at its top the part so far feeds
  while (!ready.empty()) {
    const std::uint32_t at = ready.back();
    ready.pop_back();
    if (fed == 0 && !result.groups.empty())
      result.part_ends.push_back(static_cast<std::uint32_t>(result.groups.size()));
    else if (fed > 0)
      --fed;
    for (std::uint32_t g = chains[at].first; g < chains[at].first + chains[at].count; ++g)
      result.groups.push_back(std::move(groups[g]));
    for (auto to = chains[at].feeds.rbegin(); to != chains[at].feeds.rend(); ++to) {
      if (--chains[*to].waiting != 0) continue;
      ready.push_back(*to);
      ++fed;
    }
  }
  CONTINUO_CHECK(result.groups.size() == groups.size(), "chains have no circle: their groups have none");
  return result;
}

}  // namespace continuo::session
