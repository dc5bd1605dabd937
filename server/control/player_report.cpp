#include "server/control/player_report.hpp"

namespace continuo::control {
namespace {

constexpr int kMaxPlayers = 1000;

using Report = v1::GetStatusResponse::Player;

Report::State state_of(rt::PlayReading::State state) {
  switch (state) {
    case rt::PlayReading::State::stopped:
      return Report::STATE_STOPPED;
    case rt::PlayReading::State::waiting:
      return Report::STATE_WAITING;
    case rt::PlayReading::State::playing:
      return Report::STATE_PLAYING;
    case rt::PlayReading::State::late:
      return Report::STATE_LATE;
    case rt::PlayReading::State::ended:
      return Report::STATE_ENDED;
    case rt::PlayReading::State::none:
      break;
  }
  return Report::STATE_UNSPECIFIED;
}

void report(const rt::PlayReading& at, Report& out) {
  out.set_rolling(at.state != rt::PlayReading::State::stopped);
  out.set_state(state_of(at.state));
  out.set_engine_frame(at.engine_frame);
  out.set_position_frame(at.position);
  if (at.length != rt::kEndless) out.set_duration_frames(at.length);
  out.set_item_count(at.count);
  out.set_queue_revision(at.revision);
  if (at.number == 0) return;
  out.set_item_index(at.number);
  out.set_item_uid(at.item);
  out.set_item_position_frame(at.item_position);
  if (at.item_frames != rt::kEndless) out.set_item_frames(at.item_frames);
}

}  // namespace

void report_players(const Graph& graph, const Transport& transport, v1::GetStatusResponse& out) {
  for (const session::CompiledPlayer& player : graph.players()) {
    if (!player.free && !player.queue) continue;
    if (out.players_size() == kMaxPlayers) return;
    Report& entry = *out.add_players();
    entry.set_path(player.path);
    rt::PlayReading at;
    if (player.slot->try_read(at) && at.state != rt::PlayReading::State::none) {
      report(at, entry);
      continue;
    }
    // Its first buffer is still to come, or it has nothing to play.
    entry.set_rolling(player.free ? transport.player_rolls(player.uid) : transport.rolling());
    if (player.file.empty() && !player.queue) entry.set_duration_frames(0);
  }
}

}  // namespace continuo::control
