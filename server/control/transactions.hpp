// THREAD: control - apply(): from a request to one frame of sound, all of it or nothing
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "server/control/cues.hpp"
#include "server/control/delivery.hpp"
#include "server/control/history.hpp"
#include "server/control/leases.hpp"
#include "server/control/node_revisions.hpp"
#include "server/control/request_log.hpp"
#include "server/control/scheduled.hpp"
#include "server/control/uid_source.hpp"
#include "server/control/undo_log.hpp"
#include "server/session/edit.hpp"

namespace continuo::control {

/// Apply: [rpc] shape -> [control] wait in line; edit a copy, validate -> [disk] probe files that are new -> (one for
/// later is held, and begins again when it falls due: Scheduled) -> [disk] open streams, then takes -> from here on it
/// cannot fail -> [control] compile -> [disk] prime -> [control] send one batch, replace the document, tell the
/// watchers
/// -> [audio] apply at one frame -> [control] answer.
/// While it waits for the disk and can still fail, an armed cue's Go and what falls due come before it; then it begins
/// again, with what it has of the disk.
class Transactions {
 public:
  static constexpr int kMaxOperations = 10'000;
  static constexpr int kMaxExpectedNodes = 1000;
  static constexpr std::size_t kMaxWarnings = 20;  // of one answer
  static constexpr std::uint32_t kMaxWaitMs = 600'000;
  static constexpr std::size_t kMaxAnswersWaiting = 10'000;

  struct Parts {
    Strand& strand;
    JobQueue& jobs;
    Graph& graph;
    MediaCache& media;
    Sources& sources;
    Takes& takes;
    Transport& transport;
    AudioLink& link;
    Delivery& delivery;
    History& history;
    UidSource& uids;
    UidSource& ids;  // of transactions
    Scheduled& scheduled;
    Cues& cues;
    Leases& leases;
    std::function<void()> changed;  // the document has a new revision
    std::function<void()> settled;  // what became of a transaction with a request id is known
    std::function<std::int64_t()> utc_ns;
  };
  explicit Transactions(Parts parts);

  using Done = Outcome::Done;
  /// `own`: the daemon's own doing, which no lease stops.
  void apply(v1::ApplyRequest request, Done done, std::string identity = {}, bool own = false);
  /// Undo, redo: see UndoLog. `allowed` judges the operations that it comes to; `request` has none, and no time.
  struct TakeBack {
    std::optional<std::uint64_t> id;
    bool redo = false;
    Scheduled::Allowed allowed;
    std::uint64_t of = 0;  // once it is known
    bool of_undo = false;
  };
  void take_back(TakeBack what, v1::ApplyRequest request, Done done, std::string identity = {});
  [[nodiscard]] const NodeRevisions& node_revisions() const noexcept { return node_revisions_; }
  /// In line with the others: what was accepted before it may rest on what it takes back.
  void cancel(const v1::CancelScheduledRequest& request, const Scheduled::Allowed& allowed,
              std::function<void(Result<v1::CancelScheduledResponse>)> done, const std::string& identity = {});
  /// Values of one stream of parameters, in a job, at once: [control] edit a copy, step after step; one batch a frame;
  /// the document, with the last value of each -> [audio] each step at its frame. Every value was found good, every
  /// node is there, no lane is on. Returns the revision with them.
  struct Streamed {
    struct Step {
      rt::FrameCount frame = rt::kNow;
      Operations operations;  // set_params
    };
    std::vector<Step> steps;
    bool apart = false;  // see Delta::apart
    std::string client;
    std::string identity;
    std::uint64_t gesture = 0;  // equal ones are one step of undo; never 0
    AudioLink::Then applied;    // of all; the highest frame
  };
  v1::Revision stream(Streamed streamed);
  /// What a later start should know of request ids, and what an earlier one left.
  [[nodiscard]] std::vector<KeptRequest> request_ids() { return log_.kept(); }
  void restore_request_ids(const std::vector<KeptRequest>& kept) { log_.restore(kept); }
  /// The daemon ends: whoever waits for something that will not be committed any more is told so.
  void close();

 private:
  struct Transaction;
  using Ptr = std::shared_ptr<Transaction>;

  void enter(v1::ApplyRequest request, Done done, std::string identity, bool own, std::shared_ptr<TakeBack> back);
  void begin(const Ptr& tx);
  /// Its operations, for the document that it finds.
  [[nodiscard]] Result<> find_inverse(Transaction& tx);
  void forget_other_sessions();
  /// Why the inverse cannot be applied.
  [[nodiscard]] static Error not_any_more(const Error& error);
  /// It is committed: for undo, and for the revisions of nodes.
  void record(const Transaction& tx, const session::Document& before, const v1::Revision& now);
  void begin_again(const Ptr& tx);
  /// The disk's answer to `ask` (which gets what to call with it) goes to `then`, unless urgent ones came in between.
  template <class Answer>
  void wait_aside(const Ptr& tx, const std::function<void(std::function<void(Answer)>)>& ask,
                  std::function<void(Answer)> then, std::function<void(Answer)> passed = {});
  void probed(const Ptr& tx, MediaCache::Found found);
  /// `then` once the streams that it needs are there, or will not be in time.
  void open_streams(const Ptr& tx, std::function<void()> then);
  void open_takes(const Ptr& tx);
  void opened(const Ptr& tx, Result<std::vector<Takes::Opened>> takes);
  void commit(const Ptr& tx, const std::vector<Takes::Ref>& stopped);
  void applied(const Ptr& tx, AudioLink::Fate fate, rt::FrameCount frame);
  void refuse(const Ptr& tx, Error error);
  /// Into its answer: what will not be heard as one may think.
  void warn(const Ptr& tx);
  void hold(const Ptr& tx);
  void fall_due(const Scheduled::Ptr& entry, rt::FrameCount frame, JobQueue::Finish finish);
  /// FAILED_PRECONDITION, LEASED: see Leases::check().
  [[nodiscard]] Result<> check_leases(const Transaction& tx) const;
  [[nodiscard]] Result<> check_leases(const v1::ApplyRequest& scheduled, const Leases::Tokens& tokens) const;
  [[nodiscard]] Result<> read_transport(Transaction& tx);
  [[nodiscard]] Operations with_current(const Transaction& tx) const;
  [[nodiscard]] Result<> read_record_start(Transaction& tx, const v1::RecordStart& start, const std::string& field);
  [[nodiscard]] Result<> read_record_stop(Transaction& tx, const v1::RecordStop& stop, const std::string& field);
  void wait_for(const std::shared_ptr<Outcome>& outcome, const v1::ApplyRequest& request, Done done);

  Parts parts_;
  RequestLog log_;
  UndoLog undo_;
  std::uint64_t undo_epoch_ = 0;
  NodeRevisions node_revisions_;
  std::set<Ptr> open_;  // of which more will be heard
  std::size_t answers_waiting_ = 0;
};

/// Shape of a request, whatever the state.
[[nodiscard]] Result<> check_request(const v1::ApplyRequest& request);

}  // namespace continuo::control
