#include "server/session/order_groups.hpp"

#include <algorithm>

#include "server/base/check.hpp"

namespace continuo::session {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

/// A group and those that go on in its tile.
struct Chain {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  std::uint32_t waiting = 0;         // chains that feed it and have not run
  std::vector<std::uint32_t> feeds;  // each once
};

std::vector<Chain> make_chains(const OpList& list, const std::vector<Group>& groups) {
  std::vector<Chain> chains;
  std::vector<std::uint32_t> producer(list.signals, kNone);  // chain
  for (std::uint32_t g = 0; g < groups.size(); ++g) {
    if (!groups[g].packed) chains.push_back({g, 0, 0, {}});
    ++chains.back().count;
    for (const std::uint32_t op : groups[g].ops) {
      for (std::uint32_t c = 0; c < list.ops[op].out_count; ++c)
        producer[list.ops[op].first_out + c] = static_cast<std::uint32_t>(chains.size() - 1);
    }
  }
  std::vector<std::uint32_t> seen(chains.size(), kNone);
  for (std::uint32_t to = 0; to < chains.size(); ++to) {
    for (std::uint32_t g = chains[to].first; g < chains[to].first + chains[to].count; ++g) {
      for (const std::uint32_t op : groups[g].ops) {
        for (const SignalId signal : list.inputs(list.ops[op])) {
          const std::uint32_t from = producer[signal];
          if (from == kNone || from == to || seen[from] == to) continue;
          seen[from] = to;
          chains[from].feeds.push_back(to);
          ++chains[to].waiting;
        }
      }
    }
  }
  return chains;
}

}  // namespace

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
