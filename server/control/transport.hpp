// THREAD: control - what control knows of the timeline and of the free players' own transports
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "rt/counters.hpp"
#include "rt/types.hpp"

namespace continuo::control {

/// The audio thread knows where things stand; here is what was last asked of it and not yet done, so that a stream is
/// prepared for where the timeline will be.
class Transport {
 public:
  explicit Transport(const rt::Counters& counters) : counters_(counters) {}

  /// The last reading of both clocks.
  [[nodiscard]] rt::ClockReading reading() const;
  /// Where the timeline will stand when all that was sent is done, engine-rate frames.
  [[nodiscard]] rt::FrameCount position() const { return locating_ ? *locating_ : reading().timeline_frame; }
  [[nodiscard]] bool rolling() const noexcept { return rolling_; }
  void set_rolling(bool rolling) noexcept { rolling_ = rolling; }

  /// A locate was sent; call what it returns once it is applied, or will never be.
  [[nodiscard]] std::function<void()> locating(rt::FrameCount to);

  /// Starts, stops and locates of the timeline that were sent, in order, until settle() drops them. Frame kNow: the
  /// next buffer's, whichever that is.
  struct Change {
    std::uint64_t id = 0;
    rt::FrameCount frame = rt::kNow;
    std::optional<bool> roll;
    std::optional<rt::FrameCount> locate;
    bool applied = false;
  };
  [[nodiscard]] const std::vector<Change>& changes() const noexcept { return changes_; }
  /// Those that were applied before this frame are no news any more.
  void settle(rt::FrameCount frame);
  /// A change goes out. Give its id to change_sent() once its frame is known, and to change_applied().
  [[nodiscard]] std::uint64_t change(std::optional<bool> roll, std::optional<rt::FrameCount> locate);
  void change_sent(std::uint64_t id, rt::FrameCount frame);
  /// No frame: it never will be.
  void change_applied(std::uint64_t id, std::optional<rt::FrameCount> frame);

  /// A free player was started or stopped at an engine frame, or stands at its beginning again.
  void player_started(rt::Uid uid, rt::FrameCount frame);
  void player_stopped(rt::Uid uid, rt::FrameCount frame);
  void player_rewound(rt::Uid uid) { players_.erase(uid); }
  /// It will go on at another place of its item: player_position() says that one from now on. Give what this returns to
  /// one of the two below. `shift`: it went that much further on from where it was; absent: to the place itself.
  [[nodiscard]] std::uint64_t player_moving(rt::Uid uid, rt::FrameCount to);
  void player_moved(std::uint64_t move, rt::FrameCount frame, std::optional<rt::FrameCount> shift);
  void player_not_moved(std::uint64_t move) { moves_.erase(move); }
  /// How far into its item a free player is.
  [[nodiscard]] rt::FrameCount player_position(rt::Uid uid) const;
  [[nodiscard]] bool player_rolls(rt::Uid uid) const {
    const auto found = players_.find(uid);
    return found != players_.end() && found->second.since.has_value();
  }
  void forget_players() { players_.clear(); }
  /// Another engine rate: the players keep their seconds. While no device runs.
  void change_rate(double from_hz, double to_hz);

 private:
  struct Player {
    rt::FrameCount position = 0;
    std::optional<rt::FrameCount> since;  // engine frame
  };
  const rt::Counters& counters_;
  mutable rt::ClockReading last_;
  std::optional<rt::FrameCount> locating_;
  std::uint64_t locates_ = 0;
  std::vector<Change> changes_;
  std::uint64_t next_change_ = 1;
  bool rolling_ = false;
  std::unordered_map<rt::Uid, Player> players_;
  struct Move {
    rt::Uid player;
    rt::FrameCount to;
  };
  std::map<std::uint64_t, Move> moves_;  // that were sent, in order
  std::uint64_t next_move_ = 1;
};

}  // namespace continuo::control
