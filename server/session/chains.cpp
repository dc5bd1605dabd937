#include "server/session/chains.hpp"

#include "rt/nodes/device_io.hpp"

namespace continuo::session {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

class Chaining {
 public:
  Chaining(const OpList& list, const std::vector<Group>& groups) : list_(list), groups_(groups) {}

  std::vector<Chain> run() {
    std::vector<std::uint32_t> producer(list_.signals, kNone);  // chain
    for (std::uint32_t g = 0; g < groups_.size(); ++g) {
      if (!groups_[g].packed) chains_.push_back({g, 0, 0, {}});
      ++chains_.back().count;
      for (const std::uint32_t op : groups_[g].ops) {
        for (std::uint32_t c = 0; c < list_.ops[op].out_count; ++c)
          producer[list_.ops[op].first_out + c] = static_cast<std::uint32_t>(chains_.size() - 1);
      }
    }
    seen_.assign(chains_.size(), kNone);
    std::uint32_t device = kNone;
    for (std::uint32_t to = 0; to < chains_.size(); ++to) {
      for (std::uint32_t g = chains_[to].first; g < chains_[to].first + chains_[to].count; ++g) {
        for (const std::uint32_t op : groups_[g].ops) {
          for (const SignalId signal : list_.inputs(list_.ops[op])) feed(producer[signal], to);
        }
        if (list_.ops[groups_[g].ops.front()].kind != &rt::device_output_kind()) continue;
        feed(device, to);
        device = to;
      }
    }
    return std::move(chains_);
  }

 private:
  void feed(std::uint32_t from, std::uint32_t to) {
    if (from == kNone || from == to || seen_[from] == to) return;
    seen_[from] = to;
    chains_[from].feeds.push_back(to);
    ++chains_[to].waiting;
  }

  const OpList& list_;
  const std::vector<Group>& groups_;
  std::vector<Chain> chains_;
  std::vector<std::uint32_t> seen_;  // by chain: the last that it was found to feed
};

}  // namespace

std::vector<Chain> make_chains(const OpList& list, const std::vector<Group>& groups) {
  return Chaining(list, groups).run();
}

}  // namespace continuo::session
