#include "server/control/transport.hpp"

#include <algorithm>

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

void Transport::settle(rt::FrameCount frame) {
  std::erase_if(changes_, [frame](const Change& change) { return change.applied && change.frame < frame; });
}

std::uint64_t Transport::change(std::optional<bool> roll, std::optional<rt::FrameCount> locate) {
  changes_.push_back({next_change_, rt::kNow, roll, locate});
  return next_change_++;
}

void Transport::change_sent(std::uint64_t id, rt::FrameCount frame) {
  for (Change& change : changes_) {
    if (change.id == id) change.frame = frame;
  }
}

void Transport::change_applied(std::uint64_t id, std::optional<rt::FrameCount> frame) {
  if (!frame) {
    std::erase_if(changes_, [id](const Change& change) { return change.id == id; });
    return;
  }
  for (Change& change : changes_) {
    if (change.id != id) continue;
    change.frame = *frame;
    change.applied = true;  // the clock is written at the end of that buffer: until then the reading is the one before
  }
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

std::uint64_t Transport::player_moving(rt::Uid uid, rt::FrameCount to) {
  moves_.emplace(next_move_, Move{uid, to});
  return next_move_++;
}

void Transport::player_moved(std::uint64_t move, rt::FrameCount frame, std::optional<rt::FrameCount> shift) {
  const auto found = moves_.find(move);
  if (found == moves_.end()) return;
  Player& player = players_[found->second.player];
  if (shift) {
    player.position += *shift;
  } else {
    player.position = found->second.to;
    if (player.since) player.since = frame;
  }
  moves_.erase(found);
}

void Transport::change_rate(double from_hz, double to_hz) {
  const rt::FrameCount now = reading().engine_frame;
  for (auto& [uid, player] : players_) {
    player.position = convert_frames(player_position(uid), from_hz, to_hz);
    if (player.since) player.since = now;
  }
}

rt::FrameCount Transport::player_position(rt::Uid uid) const {
  for (auto move = moves_.rbegin(); move != moves_.rend(); ++move)
    if (move->second.player == uid) return move->second.to;
  const auto found = players_.find(uid);
  if (found == players_.end()) return 0;
  const Player& player = found->second;
  return player.position + (player.since ? reading().engine_frame - *player.since : 0);
}

}  // namespace continuo::control
