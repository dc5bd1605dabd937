// THREAD: control - transactions that were accepted for later, until they fall due
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "continuo/v1/session.pb.h"
#include "server/control/due.hpp"
#include "server/control/event_pump.hpp"
#include "server/control/graph.hpp"
#include "server/control/history.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/request_log.hpp"
#include "server/control/transport.hpp"

namespace continuo::control {

/// Any transaction, at an exact frame. [control] validates it behind those that fall due before it, and holds it -> a
/// lead before its frame, before all that waits in line: it goes the way of every transaction, as one batch with that
/// frame -> [audio] applies it at that sample. What follows in the lead comes behind it (SendOrder). Until it falls due
/// an edit that would break it is refused; a load drops what is held. Bounds: how many, how many operations and bytes
/// in all; the loser is the newcomer.
class Scheduled {
 public:
  static constexpr std::size_t kMaxHeld = 1024;
  static constexpr std::size_t kMaxOperations = 20'000;
  static constexpr std::size_t kMaxBytes = 32u << 20;
  /// Time for the compile, and two device buffers; with what needs the disk (streams, takes), for that too.
  static constexpr double kLeadSeconds = 0.15;
  static constexpr double kDiskLeadSeconds = 0.4;
  static constexpr double kMissedSeconds = 1.0;  // so far past a time was missed, and is now; else it is a mistake

  struct Entry {
    std::uint64_t id = 0;
    Due due;
    v1::ApplyRequest request;
    std::shared_ptr<Outcome> outcome;
    std::string utc;  // when it was accepted
    std::size_t bytes = 0;
    double lead_seconds = 0.0;
    bool fired = false;  // its job waits in line
  };
  using Ptr = std::shared_ptr<Entry>;

  struct Parts {
    JobQueue& jobs;
    Graph& graph;
    Transport& transport;
    EventPump& pump;
    History& history;
    std::function<std::uint64_t()> generation;     // of the engine's clock
    std::function<std::uint32_t()> buffer_frames;  // the device's
    std::function<std::int64_t()> utc_ns;
    std::function<bool()> room;                                // for a further batch
    std::function<const session::DocCue*(const v1::Go&)> cue;  // that it would fire as things stand; null: none
  };
  explicit Scheduled(Parts parts);

  /// One falls due, in a job: it must end in committed(), failed() or put_back(), and `finish`.
  using Fall = std::function<void(const Ptr&, rt::FrameCount frame, JobQueue::Finish finish)>;
  void on_due(Fall fall) { fall_ = std::move(fall); }

  /// When a request arrives: INVALID_ARGUMENT, IN_THE_PAST, for a time that the way of the message does not explain.
  [[nodiscard]] Result<> check_not_past(const v1::When& when) const;
  /// Nothing for a time that is now or past.
  [[nodiscard]] Result<std::optional<Due>> due_of(const v1::When& when) const;
  [[nodiscard]] Result<> room_for(const v1::ApplyRequest& request) const;
  /// The document that one which falls due then will find, as things stand.
  [[nodiscard]] DocumentPtr document_before(const Due& due) const;
  /// FAILED_PRECONDITION names the first one that could not be applied to `document` any more: of all, or of those that
  /// fall due behind `due`.
  [[nodiscard]] Result<> check(const session::Document& document, const Due* due = nullptr) const;
  /// `request` was validated. From here on `outcome` tells its story.
  void add(std::uint64_t id, const Due& due, const v1::ApplyRequest& request, std::shared_ptr<Outcome> outcome);

  /// Looks whether one falls due. Cheap where nothing has changed and the time has not come.
  void look();
  void committed(const Ptr& entry, rt::FrameCount frame);
  void failed(const Ptr& entry, const Error& error);
  void put_back(const Ptr& entry);

  /// In a job. `allowed` judges its operations.
  using Allowed = std::function<Result<>(const v1::ApplyRequest&)>;
  [[nodiscard]] Result<> cancel(const v1::CancelScheduledRequest& request, const Allowed& allowed,
                                const std::string& identity);
  [[nodiscard]] Result<v1::ListScheduledResponse> list(const v1::ListScheduledRequest& request) const;
  [[nodiscard]] std::size_t held() const noexcept { return held_.size(); }

  /// Another session, in a job: what is held is dropped; `then` once what the audio thread has already is done.
  void drop(std::function<void()> then);
  /// The other session is in place: its watchers hear what was dropped.
  void tell_dropped();
  /// The daemon ends.
  void close();

 private:
  struct Order {
    std::vector<Ptr> entries;
    std::vector<std::optional<rt::FrameCount>> frames;
    std::size_t place = 0;  // of the newcomer that was asked about
  };
  [[nodiscard]] Moment moment() const;
  [[nodiscard]] DueItem item_of(const Due& due, std::uint64_t id, const v1::ApplyRequest& request,
                                const Moment& now) const;
  [[nodiscard]] Order order(const Due* newcomer = nullptr) const;
  [[nodiscard]] Result<> check_without(const Ptr& entry) const;
  [[nodiscard]] bool settled() const;
  [[nodiscard]] rt::FrameCount lead(const Entry& entry) const;
  void watch_clock();
  void begin(const Ptr& entry, const JobQueue::Finish& finish);
  void remove(const Ptr& entry);
  void end(const Ptr& entry, Error error, v1::Origin origin, bool tell);
  [[nodiscard]] v1::ScheduledTransaction describe(const Entry& entry, std::optional<rt::FrameCount> frame) const;

  Parts parts_;
  Fall fall_;
  std::vector<Ptr> held_;  // in the order of their ids
  std::vector<v1::WatchResponse::Cancelled> dropped_;
  std::size_t operations_ = 0;
  std::size_t bytes_ = 0;
  Moment from_;                         // up to here everything that was passed has fallen due
  std::optional<rt::FrameCount> next_;  // when to look again
  bool changed_ = false;
  std::uint64_t generation_ = 0;
  double rate_hz_ = 0.0;
  rt::FrameCount last_sent_ = rt::kNow;
};

/// [scheduled.cpp] What a transaction does with the disk, so that it needs more time.
[[nodiscard]] bool needs_disk(const v1::ApplyRequest& request);

}  // namespace continuo::control
