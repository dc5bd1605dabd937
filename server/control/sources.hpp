// THREAD: control - every player's stream: prepared on the disk side, lent to the audio thread, taken home again
#pragma once

#include <chrono>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "continuo/v1/session.pb.h"
#include "rt/command.hpp"
#include "server/control/queue_place.hpp"
#include "server/control/stand_ins.hpp"
#include "server/control/strand.hpp"
#include "server/control/timer.hpp"
#include "server/media/disk_pool.hpp"
#include "server/media/roots.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::control {

/// A player needs another stream when it is new, when what it plays or where it lies has changed, and when the timeline
/// is located. Streams are opened and filled first; then their exchange goes out in the batch that needs them, and what
/// the player had before comes home in it.
class Sources {
 public:
  using Clock = std::chrono::steady_clock;
  /// A disk that hangs holds a transaction no longer than this; the players it concerns are silent and said to be.
  static constexpr std::chrono::seconds kPatience{8};

  Sources(Strand& strand, media::DiskPool& pool, const media::Roots& roots)
      : strand_(strand),
        pool_(pool),
        roots_(roots),
        stand_ins_(pool, [this](const StreamKey& key, StandIns::Landed landed) { open(key, std::move(landed)); }),
        ahead_(
            pool, [this](const StreamKey& key, StandIns::Landed landed) { open(key, std::move(landed)); },
            std::numeric_limits<std::size_t>::max()) {}
  ~Sources();

  struct Need {
    session::CompiledPlayer player;
    bool silent = false;             // missing media: whatever it has is taken away
    rt::FrameCount first_frame = 0;  // item frame
    QueueMove move{};                // of a player with a queue that has one already
    bool moves = false;              // a free one: its place is another from then on

    [[nodiscard]] StreamKey key(double rate_hz, const std::string& base) const {
      return {player, first_frame, rate_hz, base, move.entrance};
    }
  };
  /// Which of `players` need another stream, if the timeline stands at `position` (frames of `rate_hz`). `relocate`:
  /// all timeline players do; `restart`: free players that do, by uid, from their beginning. `free_position`: how far
  /// into its item a free player is that goes on.
  struct Where {
    rt::FrameCount position = 0;
    bool relocate = false;
    const std::vector<rt::Uid>& restart;
    double rate_hz = 0.0;
    std::function<rt::FrameCount(rt::Uid)> free_position;
    const std::vector<Skip>& skips;
  };
  [[nodiscard]] std::vector<Need> needs(const std::vector<session::CompiledPlayer>& players, const Where& where) const;

  /// Prepared streams, not yet lent.
  struct Ready {
    struct One {
      Need need;
      std::shared_ptr<media::StreamReader> stream;  // null: silence
      std::string error;
    };
    std::vector<One> all;
  };
  /// `patience`: for the disk.
  void prepare(std::vector<Need> needs, const std::string& base, double rate_hz, std::chrono::milliseconds patience,
               std::function<void(Ready)> done);

  /// The exchange actions for a batch; from here on the streams are lent.
  [[nodiscard]] std::vector<rt::Action> lend(Ready ready, double rate_hz);

  /// What a batch brought home (AudioLink::Retire).
  void home(const std::vector<rt::Action>& actions, const std::vector<std::unique_ptr<rt::Node>>& dropped);
  /// Forgets players that are not in `players`; their streams come home with their nodes.
  void forget_others(const std::vector<session::CompiledPlayer>& players);

  /// It is told when a file goes away under a player, and when that one plays again.
  void on_news(std::function<void(v1::WatchResponse::MediaEvent)> news) { news_ = std::move(news); }
  /// Players whose files could not be read, as of the last look(), and which files.
  struct Broken {
    rt::Uid player = 0;
    std::set<std::string> files;
  };
  [[nodiscard]] std::vector<Broken> broken() const;
  /// needs() has this player from now on, until it has another stream: in its place, and faded in.
  void try_again(rt::Uid player);
  /// By player path: why it is silent.
  [[nodiscard]] const std::map<std::string, std::string>& errors() const noexcept { return errors_; }
  /// Looks at the streams: for those that cannot be read on, and for files that hold what is no number. Each is logged
  /// once.
  void look();
  /// By file: how many such samples were played as silence, as of the last look().
  [[nodiscard]] const std::map<std::string, std::uint64_t>& spoiled() const noexcept { return spoiled_; }
  /// The item length of a free player's stream, engine-rate frames; kEndless where unknown.
  [[nodiscard]] rt::FrameCount length(rt::Uid uid) const;
  /// What a player with a queue plays from, or is about to: null for others.
  struct Queue : PlayedQueue {
    double rate_hz = 0.0;
    std::uint64_t revision = 0;  // how many queues it has had
  };
  [[nodiscard]] const Queue* queue(rt::Uid uid) const;
  [[nodiscard]] std::size_t lent() const noexcept { return lent_.size(); }
  /// Streams that are ready for what will be needed: prepare() takes those that fit.
  [[nodiscard]] StandIns& stand_ins() noexcept { return stand_ins_; }
  /// And for what the transaction under way will need.
  [[nodiscard]] StandIns& ahead() noexcept { return ahead_; }

 private:
  struct Playing {
    rt::NodeRef ref;
    std::string file;
    bool loop = false;
    bool free = false;
    rt::FrameCount start = 0;
    double rate_hz = 0.0;
    rt::FrameCount length = rt::kEndless;
    const rt::Source* source = nullptr;
    std::optional<Queue> queue;
    std::uint64_t queues = 0;  // that it has had
    std::set<std::string> broken{};  // files that could not be read
    bool again = false;
  };
  struct Lent {
    std::shared_ptr<media::StreamReader> stream;   // null: of a queue of which nothing can be played
    std::unique_ptr<rt::Source> nothing;           // then this was lent
    std::unique_ptr<const rt::PlayTable> table;    // of a queue
    std::string file;
    bool queue = false;
    rt::Uid player = 0;
    std::string path;
    bool failed = false;        // and told
    std::uint64_t spoiled = 0;  // of its samples, already counted
  };
  void open(const StreamKey& wanted, StandIns::Landed landed);
  [[nodiscard]] rt::Source* lend(Ready::One& one, const Queue* queue);
  void collect(rt::Source* source);
  void tell(v1::WatchResponse::MediaEvent::Kind kind, const std::string& path, const std::set<std::string>& files,
            std::string message) const;
  void look_at(Lent& lent);

  Strand& strand_;
  media::DiskPool& pool_;
  const media::Roots& roots_;
  StandIns stand_ins_;
  StandIns ahead_;
  std::unordered_map<rt::Uid, Playing> playing_;
  std::unordered_map<const rt::Source*, Lent> lent_;
  std::map<std::string, std::string> errors_;
  std::map<std::string, std::uint64_t> spoiled_;
  std::function<void(v1::WatchResponse::MediaEvent)> news_;
};

}  // namespace continuo::control
