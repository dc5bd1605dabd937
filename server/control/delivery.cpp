#include "server/control/delivery.hpp"

#include <algorithm>
#include <utility>

namespace continuo::control {
namespace {

rt::Action simple(rt::Action::Kind kind, rt::NodeRef node = {}) {
  rt::Action action;
  action.kind = kind;
  action.node = node;
  return action;
}

/// A value that needs no batch: it has nothing that it must come together with.
bool is_one_value(const AudioLink::Shipment& shipment) {
  return !shipment.plan && shipment.dropped.empty() && shipment.frame == rt::kNow && shipment.actions.size() == 1 &&
         shipment.actions[0].kind == rt::Action::Kind::set_param;
}

}  // namespace

void Delivery::deliver(Delta delta, Sent sent, AudioLink::Then applied) {
  if (!delta.steps.empty()) {
    send_steps(delta, std::move(applied));
    parts_.pump.wake();
    if (sent) sent({});
    return;
  }
  if (!delta.compile) return prime(std::move(delta), std::move(sent), std::move(applied));
  const auto wanted = parts_.graph.impulses_of(*delta.document, parts_.media.table());
  const bool fresh = !delta.fade_edits;
  auto held = std::make_shared<Delta>(std::move(delta));
  parts_.impulses.prepare(
      wanted, parts_.media.base(), fresh,
      [this, held, sent = std::move(sent), applied = std::move(applied)] { prime(std::move(*held), sent, applied); });
}

void Delivery::prime(Delta delta, Sent sent, AudioLink::Then applied) {
  Graph& graph = parts_.graph;
  Transport& transport = parts_.transport;
  std::optional<session::Compiled> compiled;
  if (delta.compile) {
    const bool rolls_on = transport.rolling() && !delta.locate && !delta.roll;
    compiled = graph.compile(*delta.document, {&parts_.media.table(), &parts_.impulses.table()},
                             {delta.fade_edits, rolls_on, faded_plan()});
    parts_.compiled();
    for (const auto& player : graph.players()) {
      // Another file, another mode: it stands at its beginning.
      const bool stays = delta.keep_players || (player.queue && parts_.sources.queue(player.uid) != nullptr);
      if (player.fresh && !stays) transport.player_rewound(player.uid);
    }
  }
  std::vector<Sources::Need> needs;
  if (delta.compile || delta.locate || !delta.rewind.empty() || !delta.skips.empty()) {
    needs = parts_.sources.needs(
        graph.players(),
        {delta.locate.value_or(transport.position()), delta.locate.has_value(), delta.rewind,
         graph.shape().sample_rate_hz, [&](rt::Uid uid) { return transport.player_position(uid); }, delta.skips});
  }
  if (needs.empty()) return send(std::move(delta), std::move(compiled), {}, std::move(sent), std::move(applied));
  const std::chrono::milliseconds patience = delta.patience;
  // std::function wants to be copied; a plan and nodes cannot be.
  auto held =
      std::make_shared<std::pair<Delta, std::optional<session::Compiled>>>(std::move(delta), std::move(compiled));
  parts_.sources.prepare(std::move(needs), parts_.media.base(), graph.shape().sample_rate_hz, patience,
                         [this, held, sent = std::move(sent), applied = std::move(applied)](Sources::Ready ready) {
                           send(std::move(held->first), std::move(held->second), std::move(ready), sent, applied);
                         });
}

void Delivery::send(Delta delta, std::optional<session::Compiled> compiled, Sources::Ready ready, Sent sent,
                    AudioLink::Then applied) {
  using Kind = rt::Action::Kind;
  Graph& graph = parts_.graph;
  Transport& transport = parts_.transport;
  AudioLink::Shipment shipment;
  shipment.frame = delta.frame;

  // A recorder that this plan takes away is told first, in a batch of its own: in this one its node would be gone.
  std::vector<Takes::Ref> stopped;
  std::set<std::string> cut;
  for (const std::string& path : parts_.takes.recording()) {
    if (compiled && graph.recorder(path) == nullptr) cut.insert(path);
  }
  parts_.link.send_together(parts_.takes.stop(cut, stopped), delta.frame);

  const bool fading = compiled && compiled->fading;
  const std::uint32_t fade_frames = compiled ? compiled->fade_frames : 0;
  const std::uint64_t plan = compiled ? compiled->plan->id : 0;
  if (compiled) {
    shipment.actions = std::move(compiled->actions);
    shipment.plan = std::move(compiled->plan);
    shipment.dropped = std::move(compiled->dropped);
    parts_.sources.forget_others(graph.players());
  }
  std::vector<rt::Action>& actions = shipment.actions;
  const auto add = [&](std::vector<rt::Action> more) { actions.insert(actions.end(), more.begin(), more.end()); };
  for (const rt::Uid uid : delta.rewind) {
    for (const auto& player : graph.players()) {
      if (player.uid == uid) actions.push_back(simple(Kind::player_stop, player.ref));
    }
    transport.player_rewound(uid);
  }
  std::vector<std::pair<std::uint64_t, QueueMove>> moves;
  for (const Sources::Ready::One& one : ready.all) {
    if (one.need.moves)
      moves.emplace_back(transport.player_moving(one.need.player.uid, one.need.move.frame), one.need.move);
  }
  add(parts_.sources.lend(std::move(ready), graph.shape().sample_rate_hz));
  for (const auto& player : graph.players()) {
    if (!compiled || !player.free || !player.fresh) continue;
    const bool rolls = transport.player_rolls(player.uid) && (delta.keep_players || player.queue);
    actions.push_back(simple(rolls ? Kind::player_start : Kind::player_stop, player.ref));
  }
  if (compiled) graph.players_served();
  add(graph.actions(delta.params));
  std::function<void()> located;
  if (delta.locate) {
    rt::Action action = simple(Kind::transport_locate);
    action.position = *delta.locate;
    actions.push_back(action);
    located = transport.locating(*delta.locate);
  }
  for (const auto& [uids, kind] : {std::pair{&delta.play, Kind::player_start}, {&delta.stop, Kind::player_stop}}) {
    for (const auto& player : graph.players()) {
      if (std::ranges::find(*uids, player.uid) != uids->end()) actions.push_back(simple(kind, player.ref));
    }
  }
  add(parts_.takes.stop(delta.stop_takes, stopped));
  const auto together = std::make_shared<media::PrerollGroup>();
  for (Takes::Opened& take : delta.takes) {
    const session::CompiledRecorder* recorder = graph.recorder(take.order.node);
    const auto stop = take.order.stop_timeline_frame;
    if (recorder != nullptr)
      parts_.takes.lend(std::move(take), *recorder, stop ? graph.to_engine(*stop) : rt::kNow, actions, together);
    else
      parts_.takes.discard({std::move(take)});
  }
  if (delta.roll) {
    actions.push_back(simple(*delta.roll ? Kind::transport_start : Kind::transport_stop));
    transport.set_rolling(*delta.roll);
  }
  add(std::move(delta.last));

  const std::uint64_t change = delta.roll || delta.locate ? transport.change(delta.roll, delta.locate) : 0;
  AudioLink::Then then = [this, change, plan, fading, fade_frames, located, moves = std::move(moves),
                          play = std::move(delta.play), stop = std::move(delta.stop),
                          applied = std::move(applied)](AudioLink::Fate fate, rt::FrameCount frame) {
    if (located) located();
    if (change != 0)
      parts_.transport.change_applied(change, fate == AudioLink::Fate::applied ? std::optional(frame) : std::nullopt);
    for (const auto& [id, move] : moves) {
      if (fate == AudioLink::Fate::applied)
        parts_.transport.player_moved(id, frame, move.joins ? std::optional(move.shift) : std::nullopt);
      else
        parts_.transport.player_not_moved(id);
    }
    if (fate == AudioLink::Fate::applied) {
      for (const rt::Uid uid : play) parts_.transport.player_started(uid, frame);
      for (const rt::Uid uid : stop) parts_.transport.player_stopped(uid, frame);
      if (plan != 0) plan_applied(plan, fading, fade_frames, frame);
    }
    if (applied) applied(fate, frame);
  };
  if (is_one_value(shipment))
    parts_.link.send_value(shipment.actions[0], std::move(then));
  else
    transport.change_sent(change, parts_.link.send(std::move(shipment), std::move(then)));
  parts_.pump.wake();
  if (sent) sent(std::move(stopped));
}

void Delivery::plan_applied(std::uint64_t plan, bool fading, std::uint32_t fade_frames, rt::FrameCount frame) {
  sounding_.push_back({plan, frame + fade_frames});
  if (!fading) return;
  const std::uint64_t compiles = parts_.graph.compiles();
  parts_.pump.at_frame(frame + fade_frames, std::chrono::hours(1), [this, compiles](bool) {
    // A later plan carries on what still fades, and settles itself.
    if (parts_.graph.compiles() == compiles) compile_again();
  });
}

std::uint64_t Delivery::faded_plan() {
  const rt::FrameCount now = parts_.transport.reading().engine_frame;
  while (!sounding_.empty() && sounding_.front().until <= now) {
    faded_ = sounding_.front().plan;
    sounding_.pop_front();
  }
  return faded_;
}

void Delivery::compile_again() {
  if (again_) return;  // one that waits in line will do for all
  again_ = true;
  parts_.jobs.add([this](JobQueue::Finish finish) {
    again_ = false;
    Delta delta;
    delta.document = parts_.graph.document();
    delta.compile = true;
    deliver(std::move(delta), [finish](const auto&) { finish(); }, {});
  });
}

}  // namespace continuo::control
