#include "server/session/plan_compiler.hpp"

#include <algorithm>

#include "rt/nodes/mix.hpp"
#include "rt/nodes/player.hpp"
#include "server/base/check.hpp"
#include "server/session/compensate.hpp"
#include "server/session/crossfade.hpp"
#include "server/session/emit.hpp"
#include "server/session/expand.hpp"
#include "server/session/hears_input.hpp"
#include "server/session/incarnations.hpp"
#include "server/session/live_nodes.hpp"
#include "server/session/lower.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/plan_lanes.hpp"

namespace continuo::session {

/// Document -> expand -> crossfade with the plan before -> lower to channels -> schedule -> buffers -> emit.
struct PlanCompiler::Impl {
  LiveNodes live;
  Incarnations incarnations;
  rt::Node mixer{rt::mix_kind(), 0, 0};
  FlatGraph before;  // of the last plan, without its document
  std::uint64_t next_plan = 1;
  std::uint64_t next_edge = 1;
  std::unordered_map<rt::Uid, rt::NodeRef> targets;
  PlanLanes lanes;
};

namespace {

// What the engine must know of the nodes, in the order of the document.
class Inventory {
 public:
  Inventory(const CompileRequest& request, const FlatGraph& graph, const OpList& list, std::uint64_t plan,
            Compiled& out)
      : request_(request), graph_(graph), list_(list), plan_(plan), out_(out) {
    for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
      if (graph.nodes[i].doc != nullptr && graph.nodes[i].kind != nullptr) by_uid_.emplace(graph.nodes[i].key.uid, i);
    }
  }

  void take(const DocNode& node) {
    const auto [begin, end] = by_uid_.equal_range(node.uid);
    for (auto at = begin; at != end; ++at) take(at->second);
  }

  std::unordered_map<rt::Uid, rt::NodeRef> targets;

 private:
  void take(std::uint32_t index) {
    const FlatNode& node = graph_.nodes[index];
    const LiveNode& live = *list_.live[index];
    switch (node.key.role) {
      case FlatRole::player:
        player(node, live);
        break;
      case FlatRole::recorder:
      case FlatRole::recorder_tap:
        out_.recorders.push_back(
            {node.key.uid, live.ref, node.path, width(node), node.arrival_frames, hears_input(graph_, index)});
        return;
      case FlatRole::meter:
      case FlatRole::meter_tap:
        meter(node, live);
        return;
      default:
        break;
    }
    if (live.addressed) targets[node.key.uid] = live.ref;
  }

  void player(const FlatNode& node, const LiveNode& live) {
    CompiledPlayer& player =
        out_.players.emplace_back(player_of(*node.doc, node.path, request_.shape.sample_rate_hz, request_.media));
    player.uid = node.key.uid;
    player.ref = live.ref;
    player.slot = static_cast<const rt::PlayerNode&>(*live.node).slot;
    player.fresh = live.made_in == plan_;
  }

  void meter(const FlatNode& node, const LiveNode& live) {
    const auto& tap = static_cast<const rt::MeterTapNode&>(*live.node);
    out_.meters.push_back({.uid = node.key.uid,
                           .strip = is_strip(find_type(node.doc->type)->role),
                           .path = node.path,
                           .label = node.doc->label,
                           .channels = node.in_count,
                           .slots = tap.slots,
                           .arrival_frames = node.arrival_frames});
  }

  // Of the document: while something fades the node itself may be wider.
  static std::uint32_t width(const FlatNode& node) {
    std::uint32_t channels = 0;
    for (const Feed& feed : node.feeds) {
      if (feed.state == FeedState::dying) continue;
      for (const ChannelLink& link : feed.links) channels = std::max<std::uint32_t>(channels, link.to + 1u);
    }
    return channels;
  }

  const CompileRequest& request_;
  const FlatGraph& graph_;
  const OpList& list_;
  const std::uint64_t plan_;
  Compiled& out_;
  std::unordered_multimap<rt::Uid, std::uint32_t> by_uid_;
};

}  // namespace

CompiledPlayer player_of(const DocNode& node, const std::string& path, double sample_rate_hz, const MediaTable* media) {
  CompiledPlayer player;
  player.uid = node.uid;
  player.path = path;
  player.file = text_of(node, "file");
  player.free = text_of(node, "mode") == "free";
  player.loop = number_of(node, "loop") != 0.0;
  player.timeline_start = player.free ? 0 : start_frame(node, sample_rate_hz);
  if (media == nullptr) return player;
  const auto facts = media->find(player.file);
  if (facts != media->end()) {
    player.file_frames = facts->second.frames;
    player.channels = std::min(facts->second.channels, kMaxChannels);
  }
  player.queue = !node.queue.empty();
  player.items = compile_queue(node.queue, media);
  for (const CompiledItem& item : player.items) player.channels = std::max(player.channels, item.facts.channels);
  return player;
}

PlanCompiler::PlanCompiler() : impl_(std::make_unique<Impl>()) {}
PlanCompiler::~PlanCompiler() = default;

Compiled PlanCompiler::compile(const CompileRequest& request) {
  CONTINUO_CHECK(request.document != nullptr, "there is always a document, if an empty one");
  const std::uint64_t id = impl_->next_plan++;
  Compiled compiled;
  FlatGraph graph = expand(request);
  compiled.output_latency_frames = compensate(graph);
  impl_->incarnations.follow(impl_->before, graph, request.fade_edits);
  const Fading fading = crossfade(impl_->before, graph,
                                  {.fade = request.fade_edits,
                                   .timeline_rolling = request.timeline_rolling,
                                   .plan = id,
                                   .faded_plan = request.faded_plan});
  compiled.fading = fading.fading;
  compiled.fade_frames = kEditFadeFrames + fading.wait_frames;

  const auto audible = audible_map(*request.document);
  OpList list = lower(graph, impl_->live, impl_->mixer, impl_->next_edge,
                      {.plan = id,
                       .sample_rate_hz = request.shape.sample_rate_hz,
                       .audible = &audible,
                       .files = {request.media, request.impulses},
                       .leaves = request.threads > 1});
  const Schedule order = schedule(list, request.threads);
  compiled.plan = emit_plan(list, order, assign_buffers(list, order), impl_->live.slot_count());
  compiled.plan->sample_rate_hz = request.shape.sample_rate_hz;
  compiled.plan->id = id;
  impl_->lanes.write(request, graph, list, *compiled.plan);
  compiled.actions = std::move(list.actions);

  Inventory inventory(request, graph, list, id, compiled);
  for_each_node(request.document->nodes, "", [&](const std::string&, const DocNode& node) { inventory.take(node); });
  impl_->targets = std::move(inventory.targets);

  compiled.dropped = impl_->live.drop_unused(id);
  for (FlatNode& node : graph.nodes) node.doc = nullptr;
  impl_->before = std::move(graph);
  return compiled;
}

std::optional<rt::NodeRef> PlanCompiler::param_target(rt::Uid uid) const {
  const auto found = impl_->targets.find(uid);
  if (found == impl_->targets.end()) return std::nullopt;
  return found->second;
}

}  // namespace continuo::session
