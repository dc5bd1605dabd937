// THREAD: control or render - flat graph -> operations on single channels: joins become mixes, feeds become edges
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rt/command.hpp"
#include "server/session/flat_graph.hpp"
#include "server/session/impulse_table.hpp"
#include "server/session/live_nodes.hpp"

namespace continuo::session {

/// One channel's signal. kSilence has no producer.
using SignalId = std::uint32_t;
inline constexpr SignalId kSilence = 0;

/// One rt node at work. Its outputs are the signals first_out, first_out + 1, ...
struct Op {
  const rt::NodeKind* kind = nullptr;
  rt::Node* node = nullptr;
  std::uint32_t first_in = 0;  // in OpList::ins
  std::uint32_t in_count = 0;
  SignalId first_out = 0;
  std::uint32_t out_count = 0;
  rt::NodeRef ref;
  bool addressed = false;
  std::uint32_t size = 0;  // rt::Step::size
  [[nodiscard]] std::uint32_t lanes() const { return in_count > out_count && !kind->in_tiles() ? in_count : out_count; }
};

struct OpList {
  std::vector<Op> ops;  // producers before consumers
  std::vector<SignalId> ins;
  std::uint32_t signals = 1;          // and kSilence
  std::vector<rt::Action> actions;    // the fades that begin with this plan
  std::vector<const LiveNode*> live;  // by index in the graph; null for joins
  [[nodiscard]] std::span<const SignalId> inputs(const Op& op) const { return {ins.data() + op.first_in, op.in_count}; }
};

struct LowerRequest {
  std::uint64_t plan = 0;
  double sample_rate_hz = 0.0;
  const std::unordered_map<rt::Uid, double>* audible = nullptr;
  ProcessorFiles files{};
  bool leaves = false;  // wide mixes become several operations, which can run apart; their sums stay the same
};

/// Gives every flat node and every edge its rt node (made where it is new) and writes the edges' serial numbers into
/// the graph, which must have no circle.
/// `mixer` stands for every mix: it has neither parameters nor state.
[[nodiscard]] OpList lower(FlatGraph& graph, LiveNodes& live, rt::Node& mixer, std::uint64_t& next_edge,
                           const LowerRequest& request);

}  // namespace continuo::session
