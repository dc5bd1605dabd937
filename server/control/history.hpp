// THREAD: control - the line of changes: revisions, who hears of them, and what they missed
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "continuo/v1/session.pb.h"
#include "server/control/feed.hpp"
#include "server/control/timer.hpp"

namespace continuo::control {

/// All that watchers are told, in one order for everybody: each message has its place (WatchResponse.sequence).
/// Bounds: the messages that are kept (count and bytes; the oldest goes), and each watcher's feed: where it is full the
/// watcher gets a snapshot in place of what it did not read.
class History {
 public:
  using WatchFeed = Feed<v1::WatchResponse>;
  static constexpr std::size_t kMaxKept = 4000;
  static constexpr std::size_t kMaxBytes = 16u << 20;
  static constexpr std::size_t kFeedBound = 512;
  static constexpr std::size_t kMaxWatchers = 1000;
  static constexpr std::size_t kChunk = 512u << 10;
  static constexpr std::chrono::seconds kHeartbeat{5};

  /// `text`: the session file of now. `told`: hears all that watchers do, but snapshots and heartbeats.
  History(Strand& strand, std::function<std::shared_ptr<const std::string>()> text,
          std::function<void(const v1::WatchResponse&)> told = {});

  [[nodiscard]] const v1::Revision& revision() const noexcept { return revision_; }

  /// Another document: a new epoch; every watcher gets its snapshot.
  void reset();
  /// A transaction was accepted. `changed`: the number rises. Returns the revision after it.
  v1::Revision commit(bool changed, v1::Change change);
  void applied(std::uint64_t transaction_id, std::int64_t engine_frame);
  void scheduled(v1::ScheduledTransaction transaction);
  void cancelled(v1::WatchResponse::Cancelled cancelled);
  void take(v1::WatchResponse::TakeEvent event);
  void cue(v1::WatchResponse::CueEvent event);
  void media(v1::WatchResponse::MediaEvent event);
  void lease(v1::LeaseEvent event);

  /// No further watcher fits.
  [[nodiscard]] bool full();
  /// What it missed, where that is still there, else a snapshot.
  [[nodiscard]] std::shared_ptr<WatchFeed> watch(const v1::WatchRequest& request);
  /// Ends every feed.
  void close();

 private:
  using Message = std::shared_ptr<const v1::WatchResponse>;
  struct Kept {
    Message message;
    std::uint64_t number;  // the document's, with it
    std::size_t bytes;
  };
  void publish(v1::WatchResponse message);
  void keep(const Message& message, std::size_t bytes);
  void forget_all();
  /// The first that is kept and that such a watcher has not had; nothing where some are gone.
  [[nodiscard]] std::optional<std::size_t> missed_from(const v1::WatchRequest& request) const;
  void snapshot(WatchFeed& feed, bool resync);
  [[nodiscard]] const std::vector<Message>& chunks();
  void arm_heartbeat();

  const std::function<std::shared_ptr<const std::string>()> text_;
  const std::function<void(const v1::WatchResponse&)> told_;
  v1::Revision revision_;
  std::deque<Kept> kept_;
  std::size_t kept_bytes_ = 0;
  std::uint64_t sequence_ = 0;   // of the last message
  std::uint64_t forgotten_ = 0;  // what changed the document up to this number is gone
  std::vector<std::weak_ptr<WatchFeed>> watchers_;
  std::vector<Message> chunks_;  // of the document at chunks_of_
  v1::Revision chunks_of_;
  Timer heartbeat_;
};

/// An epoch that no other start of the daemon had. Never 0.
[[nodiscard]] std::uint64_t new_epoch();

/// Of now. Both empty: the daemon's own doing.
[[nodiscard]] v1::Origin origin_of(const std::string& client, const std::string& identity);

/// Now, RFC 3339 with nanoseconds.
[[nodiscard]] std::string utc_now();

}  // namespace continuo::control
