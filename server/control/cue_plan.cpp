#include "server/control/cue_plan.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "server/session/edit.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::control {
namespace {

/// What its operations do beside edits.
struct Wishes {
  std::optional<rt::FrameCount> locate;
  std::set<rt::Uid> play;
  std::vector<Skip> skips;
  std::string late;
};

Wishes read(const session::Operations& operations, const session::Document& document, const Graph& graph) {
  Wishes wishes;
  for (const v1::Operation& op : operations) {
    if (op.has_locate()) wishes.locate = graph.to_engine(op.locate().timeline_frame());
    for (const std::string& path : op.play().players()) wishes.play.insert(session::find_node(document, path)->uid);
    for (const std::string& path : op.stop().players()) wishes.play.erase(session::find_node(document, path)->uid);
    if (op.has_record_start()) wishes.late = "a take's file is made when the cue is fired";
    if (!op.has_set_params()) continue;
    const session::DocNode& node = *session::find_node(document, op.set_params().path());
    for (const auto& [name, value] : op.set_params().values()) {
      const session::ParamSpec* const spec = session::find_type(node.type)->find(name);
      if (spec->kind == session::ParamKind::file && node.type != "player")
        wishes.late = "the file of " + op.set_params().path() + " is read when the cue is fired";
    }
  }
  wishes.skips = read_skips(operations, document);
  return wishes;
}

/// The players as a compile of `after` would have them, as far as streams go.
struct Players {
  std::vector<session::CompiledPlayer> all;
  std::set<rt::Uid> rewound;  // what they play is another thing: they begin anew
  std::set<rt::Uid> edited;
};
Players players_after(const session::Document& after, const Graph& graph, const MediaCache& media,
                      const Sources& sources) {
  Players result;
  for (const session::CompiledPlayer& now : graph.players()) {
    session::CompiledPlayer& player = result.all.emplace_back(now);
    player.fresh = false;
    const session::DocNode* const node = session::find_node(after, now.path);
    if (node == nullptr || node->type != "player") continue;
    player = session::player_of(*node, now.path, graph.shape().sample_rate_hz, &media.table());
    player.uid = now.uid;
    player.ref = now.ref;
    const bool same_queue = player.queue && sources.queue(now.uid) != nullptr;
    if (player.file != now.file || player.free != now.free || player.loop != now.loop || player.queue != now.queue ||
        player.items != now.items || player.timeline_start != now.timeline_start)
      result.edited.insert(now.uid);
    if (result.edited.contains(now.uid) && !same_queue) result.rewound.insert(now.uid);
  }
  return result;
}

/// Where the item behind the one at `frame` begins.
rt::FrameCount next_item(rt::Uid uid, const Sources& sources, rt::FrameCount frame) {
  const Sources::Queue* const queue = sources.queue(uid);
  if (queue == nullptr) return frame;
  const QueuePlaces places(queue->items, queue->rate_hz, queue->loop);
  const rt::PlayTable::Place place = places.table().find(frame);
  return place.row == nullptr ? frame : place.until;
}

}  // namespace

rt::Uid current_of(rt::Uid uid, const Graph& graph, const Sources& sources, const Transport& transport) {
  const Sources::Queue* const queue = sources.queue(uid);
  if (queue == nullptr) return 0;
  const auto player = std::ranges::find(graph.players(), uid, &session::CompiledPlayer::uid);
  if (player == graph.players().end()) return 0;
  const rt::FrameCount at =
      player->free ? transport.player_position(uid) : transport.position() - player->timeline_start;
  return current_item(*queue, queue->rate_hz, at);
}

std::vector<Skip> read_skips(const session::Operations& operations, const session::Document& document) {
  std::vector<Skip> skips;
  for (const v1::Operation& op : operations) {
    if (!op.has_skip()) continue;
    const session::DocNode& node = *session::find_node(document, op.skip().path());
    auto skip = std::ranges::find(skips, node.uid, &Skip::player);
    if (skip == skips.end()) skip = skips.insert(skip, Skip{.player = node.uid, .steps = {}});
    Skip::Step& step = skip->steps.emplace_back();
    const v1::QueueRef& item = op.skip().item();
    if (op.skip().has_by())
      step.by = op.skip().by();
    else if (item.has_number())
      step.item = item.number() <= node.queue.size() ? node.queue[item.number() - 1].uid : 0;
    else
      step.item = item.uid();
  }
  return skips;
}

CuePlan plan_cue(const session::DocCue& cue, const Graph& graph, const MediaCache& media, const Sources& sources,
                 const Transport& transport) {
  CuePlan plan;
  const session::Document& before = *graph.document();
  if (const Result<> whole = session::check_cue_targets(before, cue, ""); !whole) {
    plan.broken = whole.error().message;
    return plan;
  }
  session::Document after = before;
  const auto scratch = [next = rt::Uid{1} << 52]() mutable { return --next; };
  const auto edited = session::apply_operations(
      after,
      with_current_items(cue.operations->list, before,
                         [&](rt::Uid uid) { return current_of(uid, graph, sources, transport); }),
      scratch);
  if (!edited) {
    plan.broken = edited.error().message;
    return plan;
  }
  const Wishes wishes = read(cue.operations->list, after, graph);
  plan.late = wishes.late;
  const Players players = players_after(after, graph, media, sources);
  const double rate_hz = graph.shape().sample_rate_hz;

  const auto skips = [&](rt::Uid uid) {
    return std::ranges::find(wishes.skips, uid, &Skip::player) != wishes.skips.end();
  };
  std::vector<rt::Uid> rewind;
  for (const rt::Uid uid : wishes.play) {
    if (skips(uid) || players.edited.contains(uid)) continue;
    const rt::FrameCount length = sources.length(uid);
    if (length == rt::kEndless) continue;
    // One that rolls will have come to its end, or else this cue changes nothing of it.
    if (transport.player_rolls(uid) || transport.player_position(uid) >= length) rewind.push_back(uid);
  }
  const auto position = [&](rt::Uid uid) {
    return players.rewound.contains(uid) ? rt::FrameCount{0} : transport.player_position(uid);
  };
  const auto needs = [&](const std::function<rt::FrameCount(rt::Uid)>& free_position) {
    return sources.needs(players.all, {wishes.locate.value_or(transport.position()), wishes.locate.has_value(), rewind,
                                       rate_hz, free_position, wishes.skips});
  };
  for (const Sources::Need& need : needs(position)) {
    if (need.silent) continue;
    const rt::Uid uid = need.player.uid;
    const bool rolls = need.player.free ? transport.player_rolls(uid) : transport.rolling() && !wishes.locate;
    const bool place_known = std::ranges::find(rewind, uid) != rewind.end() || (skips(uid) && !need.move.joins) ||
                             players.rewound.contains(uid);
    plan.moves = plan.moves || rolls;
    if (rolls && !place_known)
      plan.late = need.player.path + " plays on through this cue, which changes what it plays";
    else
      plan.streams.push_back(need.key(rate_hz, media.base()));
  }
  // By the time it is fired a player that rolls may be in its next item, and "the next one" another.
  for (const Sources::Need& need : needs([&](rt::Uid uid) { return next_item(uid, sources, position(uid)); })) {
    if (need.silent || !skips(need.player.uid) || !transport.player_rolls(need.player.uid)) continue;
    StreamKey key = need.key(rate_hz, media.base());
    if (std::ranges::find(plan.streams, key) == plan.streams.end()) plan.streams.push_back(std::move(key));
  }
  double bytes = 0.0;
  for (const StreamKey& key : plan.streams) bytes += StandIns::bytes_of(key);
  if (bytes > CuePlan::kMaxBytes || plan.streams.size() > CuePlan::kMaxStreams) {
    plan.late = std::to_string(plan.streams.size()) + " streams are more than is kept ready";
    plan.streams.clear();
  }
  for (const rt::Uid uid : wishes.play) plan.moves = plan.moves || transport.player_rolls(uid);
  return plan;
}

}  // namespace continuo::control
