#include "server/session/lower.hpp"

#include <algorithm>

#include "rt/nodes/delay_line.hpp"
#include "rt/nodes/gain.hpp"
#include "rt/nodes/mix.hpp"
#include "server/base/check.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::session {
namespace {

// rt::Member counts its inputs in 16 bits. A multiple of kMixLeaf, so that the leaves are where they were.
constexpr std::size_t kMaxMixInputs = 65520;

class Lowering {
 public:
  Lowering(FlatGraph& graph, LiveNodes& live, rt::Node& mixer, std::uint64_t& next_edge, const LowerRequest& request)
      : graph_(graph), live_(live), mixer_(mixer), next_edge_(next_edge), request_(request) {}

  OpList run() {
    list_.live.resize(graph_.nodes.size());
    outputs_.resize(graph_.nodes.size());
    const std::vector<std::uint32_t> order = topological_order(graph_);
    CONTINUO_CHECK(order.size() == graph_.nodes.size(), "validate() refuses circles, crossfade() breaks its own");
    for (const std::uint32_t index : order) lower_node(index);
    return std::move(list_);
  }

 private:
  void lower_node(std::uint32_t index) {
    FlatNode& node = graph_.nodes[index];
    std::vector<SignalId> inputs = sum_feeds(node);
    if (node.kind == nullptr) {
      outputs_[index] = std::move(inputs);
      return;
    }
    const LiveNode& live = live_.use(node.key, request_.plan, takes_commands(node.key.role), [&] {
      FlatKey other_end = node.key;
      other_end.role = FlatRole::feedback_out;
      auto made = make_rt_node(node, node.doc != nullptr && sounds(node.key), request_.sample_rate_hz, request_.files,
                               live_.find(other_end));
      const rt::Node* const heritage = node.heir_of.uid == 0 ? nullptr : live_.find(node.heir_of);
      if (heritage != nullptr && &heritage->kind == &made->kind) made->inherits = heritage;
      return made;
    });
    list_.live[index] = &live;
    outputs_[index] = add(*node.kind, *live.node, inputs, node.out_count, &live, node.size);
  }

  [[nodiscard]] bool sounds(const FlatKey& key) const {
    const auto found = request_.audible->find(key.uid);
    return found == request_.audible->end() || found->second != 0.0;
  }

  std::vector<SignalId> sum_feeds(FlatNode& node) {
    std::vector<std::vector<SignalId>> gathered(node.in_count);
    for (Feed& feed : node.feeds) {
      if (feed.links.empty()) continue;
      const std::vector<SignalId> signals = through_edge(feed);
      for (std::size_t i = 0; i < feed.links.size(); ++i) gathered[feed.links[i].to].push_back(signals[i]);
    }
    std::vector<SignalId> sums;
    sums.reserve(node.in_count);
    for (std::vector<SignalId>& signals : gathered) sums.push_back(mix(std::move(signals)));
    return sums;
  }

  // The feed's channels, one for each of its links.
  std::vector<SignalId> through_edge(Feed& feed) {
    std::vector<SignalId> signals;
    signals.reserve(feed.links.size());
    for (const ChannelLink& link : feed.links) signals.push_back(outputs_[feed.source][link.from]);
    if (feed.delay != 0) signals = through_line(feed, signals);
    if (feed.state == FeedState::steady && feed.factor == 1.0f) {
      feed.edge = 0;
      return signals;
    }
    if (feed.edge == 0) feed.edge = next_edge_++;
    const bool rises = feed.is_new && feed.state == FeedState::rising;
    const LiveNode& live = live_.use({feed.edge, FlatRole::edge}, request_.plan, true, [&] {
      auto edge = std::make_unique<rt::Node>(rt::edge_kind(), feed.edge, rt::EdgeParam::count);
      edge->params[rt::EdgeParam::factor] = rt::Param(rises ? 0.0 : static_cast<double>(feed.factor));
      return edge;
    });
    const bool starts_to_die = feed.state == FeedState::dying && feed.since == request_.plan;
    if (rises || starts_to_die) {
      rt::Action& action = list_.actions.emplace_back();
      action.kind = rt::Action::Kind::set_param;
      action.param = rt::EdgeParam::factor;
      action.ramp_frames = kEditFadeFrames;
      action.wait_frames = feed.wait_frames;
      action.node = live.ref;
      action.value = rises ? static_cast<double>(feed.factor) : 0.0;
    }
    return add(rt::edge_kind(), *live.node, signals, static_cast<std::uint32_t>(signals.size()), &live);
  }

  std::vector<SignalId> through_line(Feed& feed, const std::vector<SignalId>& signals) {
    const auto channels = static_cast<std::uint32_t>(signals.size());
    if (feed.line == 0) feed.line = next_edge_++;
    const LiveNode& live = live_.use({feed.line, FlatRole::delay_line}, request_.plan, false, [&] {
      return std::unique_ptr<rt::Node>(rt::make_delay_line(feed.line, channels, feed.delay));
    });
    return add(rt::delay_line_kind(), *live.node, signals, channels, &live);
  }

  SignalId mix(std::vector<SignalId> signals) {
    if (signals.empty()) return kSilence;
    if (signals.size() == 1) return signals.front();
    if (request_.leaves && signals.size() > rt::kMixLeaf && signals.size() <= kMaxMixInputs) return mix_leaves(signals);
    if (signals.size() <= kMaxMixInputs) return add(rt::mix_kind(), mixer_, signals, 1, nullptr).front();
    std::vector<SignalId> parts;
    for (std::size_t first = 0; first < signals.size(); first += kMaxMixInputs) {
      const auto begin = signals.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = signals.begin() + static_cast<std::ptrdiff_t>(std::min(first + kMaxMixInputs, signals.size()));
      parts.push_back(mix({begin, end}));
    }
    return mix(std::move(parts));
  }

  /// What the mix kind does at once: each leaf, then leaf after leaf to what there is so far, as many as a mix takes
  /// for one leaf.
  SignalId mix_leaves(const std::vector<SignalId>& signals) {
    std::vector<SignalId> sum;
    for (std::size_t first = 0; first < signals.size(); first += rt::kMixLeaf) {
      const auto begin = signals.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end = signals.begin() + static_cast<std::ptrdiff_t>(std::min(first + rt::kMixLeaf, signals.size()));
      if (sum.size() == rt::kMixLeaf) sum = {mix(std::move(sum))};
      sum.push_back(mix({begin, end}));
    }
    return mix(std::move(sum));
  }

  std::vector<SignalId> add(const rt::NodeKind& kind, rt::Node& node, const std::vector<SignalId>& inputs,
                            std::uint32_t out_count, const LiveNode* live, std::uint32_t size = 0) {
    Op op;
    op.size = size;
    op.kind = &kind;
    op.node = &node;
    op.first_in = static_cast<std::uint32_t>(list_.ins.size());
    op.in_count = static_cast<std::uint32_t>(inputs.size());
    op.first_out = list_.signals;
    op.out_count = out_count;
    if (live != nullptr) {
      op.ref = live->ref;
      op.addressed = live->addressed;
    }
    list_.ins.insert(list_.ins.end(), inputs.begin(), inputs.end());
    list_.signals += out_count;
    list_.ops.push_back(op);
    std::vector<SignalId> outputs(out_count);
    for (std::uint32_t c = 0; c < out_count; ++c) outputs[c] = op.first_out + c;
    return outputs;
  }

  FlatGraph& graph_;
  LiveNodes& live_;
  rt::Node& mixer_;
  std::uint64_t& next_edge_;
  const LowerRequest& request_;
  OpList list_;
  std::vector<std::vector<SignalId>> outputs_;  // by index in the graph
};

}  // namespace

OpList lower(FlatGraph& graph, LiveNodes& live, rt::Node& mixer, std::uint64_t& next_edge,
             const LowerRequest& request) {
  return Lowering(graph, live, mixer, next_edge, request).run();
}

}  // namespace continuo::session
