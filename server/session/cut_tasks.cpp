#include "server/session/cut_tasks.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "rt/nodes/compressor.hpp"
#include "rt/nodes/convolver.hpp"
#include "rt/nodes/delay.hpp"
#include "rt/nodes/equalizer.hpp"
#include "rt/nodes/gate.hpp"
#include "rt/nodes/generator.hpp"
#include "rt/nodes/limiter.hpp"
#include "rt/nodes/mix.hpp"
#include "rt/nodes/player.hpp"
#include "rt/nodes/reverb.hpp"
#include "rt/nodes/sweep.hpp"

namespace continuo::session {
namespace {

using Cost = std::uint64_t;  // of a frame; one input of a mix is 1, some 0.03 ns

constexpr Cost kGroupCost = 8;
// A task for less would cost more than it brings: about 5 us of a whole span, 1 us of a block.
constexpr Cost kLeastTask = 400;
// So many tasks a thread, where they are equal: a thread that comes late leaves little undone.
constexpr Cost kTasksEach = 8;

/// Roughly, as measured with tests/bench: tasks need balance, not truth.
Cost cost_of_lane(const rt::NodeKind* kind, std::uint32_t size) {
  const std::pair<const rt::NodeKind*, Cost> known[] = {
      {&rt::mix_kind(), 1},          {&rt::eq_kind(), 4 + 5 * Cost{size}},
      {&rt::compressor_kind(), 40},  {&rt::gate_kind(), 40},
      {&rt::player_kind(), 16},      {&rt::oscillator_kind(), 10},
      {&rt::delay_kind(), 20},       {&rt::sweep_kind(), 30},
      {&rt::limiter_kind(), 200},    {&rt::reverb_kind(), 800},
      {&rt::convolver_kind(), 1000},
  };
  const auto found = std::find_if(std::begin(known), std::end(known), [&](const auto& k) { return k.first == kind; });
  return found == std::end(known) ? 5 : found->second;
}

/// Chains that one thread should run one after the other: only the first is fed from elsewhere.
struct Piece {
  std::vector<std::uint32_t> chains;
  Cost cost = 0;
  Cost asides = 0;  // of `cost`: what is small and was taken along
  std::uint32_t level = 0;
  std::uint32_t task = 0;
};

struct Draft {
  std::vector<std::uint32_t> pieces;
  std::vector<std::uint32_t> before;  // drafts, each once
  Cost cost = 0;
  std::uint32_t level = 0;
  Cost rank = 0;  // from its beginning to the end of all, on the longest way
};

class Cutting {
 public:
  Cutting(const OpList& list, std::vector<Group>& groups, std::uint32_t threads)
      : groups_(groups), chains_(make_chains(list, groups)), feeders_(chains_.size()), costs_(chains_.size()) {
    for (std::uint32_t c = 0; c < chains_.size(); ++c) {
      for (const std::uint32_t to : chains_[c].feeds) feeders_[to].push_back(c);
      for (std::uint32_t g = chains_[c].first; g < chains_[c].first + chains_[c].count; ++g)
        costs_[c] += kGroupCost + cost_of_lane(list.ops[groups[g].ops.front()].kind, groups[g].size) * groups[g].lanes;
    }
    total_ = std::accumulate(costs_.begin(), costs_.end(), Cost{0});
    grain_ = std::max(kLeastTask, total_ / (kTasksEach * threads));
  }

  std::optional<Schedule> run() {
    string_chains();
    join_pieces();
    rank_drafts();
    if (drafts_.size() < 2 || longest_way() * 10 > total_ * 9) return std::nullopt;
    return write();
  }

 private:
  /// A chain goes on in the piece that alone feeds it, unless others should rather do it meanwhile.
  void string_chains() {
    piece_of_.resize(chains_.size());
    for (std::uint32_t c = 0; c < chains_.size(); ++c) {
      const auto& feeders = feeders_[c];
      const bool one = !feeders.empty() && std::all_of(feeders.begin(), feeders.end(), [&](std::uint32_t f) {
        return piece_of_[f] == piece_of_[feeders.front()];
      });
      if (!one || !goes_on(pieces_[piece_of_[feeders.front()]], c)) {
        Piece& made = pieces_.emplace_back();
        for (const std::uint32_t f : feeders) made.level = std::max(made.level, pieces_[piece_of_[f]].level + 1);
        piece_of_[c] = static_cast<std::uint32_t>(pieces_.size() - 1);
      } else {
        piece_of_[c] = piece_of_[feeders.front()];
      }
      Piece& piece = pieces_[piece_of_[c]];
      piece.chains.push_back(c);
      piece.cost += costs_[c];
    }
  }

  bool goes_on(Piece& piece, std::uint32_t chain) const {
    if (piece.cost + costs_[chain] <= grain_) return true;
    const Cost measure = std::max(grain_, piece.cost);
    const auto small = [&](std::uint32_t c) { return costs_[c] * 8 <= measure; };
    if (small(chain) && (piece.asides + costs_[chain]) * 2 <= measure) {
      piece.asides += costs_[chain];
      return true;
    }
    return std::all_of(feeders_[chain].begin(), feeders_[chain].end(), [&](std::uint32_t f) {
      return std::all_of(chains_[f].feeds.begin(), chains_[f].feeds.end(),
                         [&](std::uint32_t other) { return other == chain || small(other); });
    });
  }

  /// Pieces of one level never wait for one another: together they wait for no circle.
  void join_pieces() {
    std::vector<std::uint32_t> open;  // by level: the draft that takes more
    for (std::uint32_t p = 0; p < pieces_.size(); ++p) {
      Piece& piece = pieces_[p];
      if (open.size() <= piece.level) open.resize(piece.level + 1, kNone);
      std::uint32_t& at = open[piece.level];
      if (at == kNone || drafts_[at].cost + piece.cost > grain_) {
        at = static_cast<std::uint32_t>(drafts_.size());
        drafts_.emplace_back().level = piece.level;
      }
      piece.task = at;
      drafts_[at].pieces.push_back(p);
      drafts_[at].cost += piece.cost;
    }
    for (Draft& draft : drafts_) {
      for (const std::uint32_t p : draft.pieces) {
        for (const std::uint32_t f : feeders_[pieces_[p].chains.front()])
          draft.before.push_back(pieces_[piece_of_[f]].task);
      }
      std::sort(draft.before.begin(), draft.before.end());
      draft.before.erase(std::unique(draft.before.begin(), draft.before.end()), draft.before.end());
    }
  }

  void rank_drafts() {
    order_.resize(drafts_.size());
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
      return drafts_[a].level != drafts_[b].level ? drafts_[a].level > drafts_[b].level : a < b;
    });
    for (const std::uint32_t at : order_) {
      drafts_[at].rank += drafts_[at].cost;
      for (const std::uint32_t f : drafts_[at].before) drafts_[f].rank = std::max(drafts_[f].rank, drafts_[at].rank);
    }
    // First those that wait for none. Whoever feeds another has the longer way: the order works.
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
      if ((drafts_[a].level == 0) != (drafts_[b].level == 0)) return drafts_[a].level == 0;
      return drafts_[a].rank != drafts_[b].rank ? drafts_[a].rank > drafts_[b].rank : a < b;
    });
  }

  [[nodiscard]] Cost longest_way() const {
    Cost most = 0;
    for (const Draft& draft : drafts_) most = std::max(most, draft.rank);
    return most;
  }

  Schedule write() {
    Schedule result;
    std::vector<std::uint32_t> number(drafts_.size());
    for (std::uint32_t i = 0; i < order_.size(); ++i) number[order_[i]] = i;
    for (const std::uint32_t at : order_) {
      rt::Task& task = result.tasks.emplace_back();
      task.first_part = static_cast<std::uint32_t>(result.part_ends.size());
      for (const std::uint32_t p : drafts_[at].pieces) {
        for (const std::uint32_t c : pieces_[p].chains) {
          for (std::uint32_t g = chains_[c].first; g < chains_[c].first + chains_[c].count; ++g)
            result.groups.push_back(std::move(groups_[g]));
        }
        result.part_ends.push_back(static_cast<std::uint32_t>(result.groups.size()));
      }
      task.end_part = static_cast<std::uint32_t>(result.part_ends.size());
      task.first_before = static_cast<std::uint32_t>(result.tasks_before.size());
      task.before_count = static_cast<std::uint32_t>(drafts_[at].before.size());
      for (const std::uint32_t f : drafts_[at].before) result.tasks_before.push_back(number[f]);
    }
    return result;
  }

  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::vector<Group>& groups_;
  const std::vector<Chain> chains_;
  std::vector<std::vector<std::uint32_t>> feeders_;  // by chain
  std::vector<Cost> costs_;                          // by chain
  Cost total_ = 0;
  Cost grain_ = 0;
  std::vector<std::uint32_t> piece_of_;  // by chain
  std::vector<Piece> pieces_;
  std::vector<Draft> drafts_;
  std::vector<std::uint32_t> order_;  // of drafts
};

}  // namespace

std::optional<Schedule> cut_tasks(const OpList& list, std::vector<Group>& groups, std::uint32_t threads) {
  return Cutting(list, groups, threads).run();
}

}  // namespace continuo::session
