#include "server/control/transport.hpp"

#include "server/control/graph.hpp"

namespace continuo::control {

rt::ClockReading Transport::reading() const {
  rt::ClockReading now;
  if (counters_.clock.try_read(now)) last_ = now;
  return last_;
}

std::function<void()> Transport::locating(rt::FrameCount to) {
  locating_ = to;
  return [this, mine = ++locates_] {
    if (mine == locates_) locating_.reset();
  };
}

void Transport::player_started(rt::Uid uid, rt::FrameCount frame) {
  Player& player = players_[uid];
  if (!player.since) player.since = frame;
}

void Transport::player_stopped(rt::Uid uid, rt::FrameCount frame) {
  const auto found = players_.find(uid);
  if (found == players_.end() || !found->second.since) return;
  found->second.position += frame - *found->second.since;
  found->second.since.reset();
}

void Transport::change_rate(double from_hz, double to_hz) {
  const rt::FrameCount now = reading().engine_frame;
  for (auto& [uid, player] : players_) {
    player.position = convert_frames(player_position(uid), from_hz, to_hz);
    if (player.since) player.since = now;
  }
}

rt::FrameCount Transport::player_position(rt::Uid uid) const {
  const auto found = players_.find(uid);
  if (found == players_.end()) return 0;
  const Player& player = found->second;
  return player.position + (player.since ? reading().engine_frame - *player.since : 0);
}

}  // namespace continuo::control
