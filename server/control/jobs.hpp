// THREAD: control - the table of jobs: those at work, and what became of the others
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "continuo/v1/event.pb.h"
#include "continuo/v1/job.pb.h"
#include "server/base/result.hpp"
#include "server/control/job_feed.hpp"
#include "server/control/job_store.hpp"
#include "server/control/job_ticket.hpp"
#include "server/control/strand.hpp"
#include "server/control/timer.hpp"

namespace continuo::control {

/// Bounds: kMaxJobs; the loser is the oldest that ended, and where all are at work the newcomer. kMaxStarted of them
/// may be waiting or running of those that clients start and leave. kKept after its end a job is forgotten.
class Jobs {
 public:
  static constexpr std::size_t kMaxJobs = 500;
  static constexpr std::size_t kMaxStarted = 64;
  static constexpr std::chrono::hours kKept{24};
  static constexpr std::chrono::minutes kRequestLife{10};
  static constexpr std::chrono::milliseconds kTellEvery{100};  // of one job to its watchers
  static constexpr std::uint32_t kPage = 100;
  static constexpr std::uint32_t kMaxPage = 1000;
  static constexpr std::size_t kMaxPageBytes = 4u << 20;  // a page ends there, too

  struct Parts {
    Strand& strand;
    std::function<void(v1::Event)> journal;
    std::function<std::int64_t()> utc_ns;
    std::function<Timer::Clock::time_point()> now = Timer::Clock::now;  // of the watchers' pace
  };
  Jobs(Parts parts, std::filesystem::path folder);

  struct Begin {
    v1::Job::Kind kind = v1::Job::KIND_UNSPECIFIED;
    std::string subject;
    v1::Origin origin;
    bool waiting = false;  // for others; run() ends that
    std::string request_id = {};
    std::string content = {};              // of the request, as digest_of() gives it
    std::function<void()> on_cancel = {};  // on the strand, once, where it may still be cancelled
    std::shared_ptr<JobState> state = {};  // empty: a new one
  };
  /// RESOURCE_EXHAUSTED "TOO_MANY_JOBS".
  [[nodiscard]] Result<std::uint64_t> try_begin(Begin begin);
  [[nodiscard]] std::shared_ptr<JobState> state_of(std::uint64_t id) const;
  void run(std::uint64_t id);
  /// Of a job that has ended: nothing.
  void end(std::uint64_t id, JobTicket::Outcome outcome);

  /// The job that this request of `identity` started within kRequestLife. INVALID_ARGUMENT where it asked for
  /// something else.
  [[nodiscard]] Result<std::optional<v1::Job>> find_request(const std::string& identity, const std::string& request_id,
                                                            const std::string& content);
  [[nodiscard]] Result<v1::Job> get(std::uint64_t id);
  [[nodiscard]] Result<v1::ListJobsResponse> list(const v1::ListJobsRequest& request);
  /// `allowed` judges the one to be cancelled.
  [[nodiscard]] Result<v1::Job> cancel(std::uint64_t id, const std::function<Result<>(v1::Job::Kind)>& allowed,
                                       const v1::Origin& origin);
  [[nodiscard]] Result<std::shared_ptr<JobFeed>> watch(std::optional<std::uint64_t> id);

  /// Tells watchers what is due, and forgets what is old; calls itself while there is somebody to tell.
  void look();
  /// The daemon ends: what is at work has failed, and watchers are let go of.
  void close();
  [[nodiscard]] bool saved() { return store_.wait_idle(std::chrono::milliseconds(0)); }

  /// What was at work when the daemon ended last time. Once.
  [[nodiscard]] std::vector<v1::Job> take_cut_off() { return std::move(cut_off_); }

 private:
  struct Entry {
    JobStore::Record record;
    std::shared_ptr<JobState> state;
    std::function<void()> on_cancel;
    std::string cancelled_by;
    std::int64_t ended_ns = 0;  // 0: at work
    bool changed = false;       // since watchers were told
    Timer::Clock::time_point told{};
    double told_progress = -1.0;
  };
  struct Watcher {
    std::weak_ptr<JobFeed> feed;
    std::optional<std::uint64_t> id;
  };
  [[nodiscard]] static bool at_work(const v1::Job& job);
  [[nodiscard]] static v1::Job job_of(const Entry& entry);
  void restore();
  void finish(Entry& entry, JobTicket::Outcome outcome);
  void note_change(Entry& entry);
  void tell(Entry& entry);
  void expire();
  bool make_room();
  void erase(std::map<std::uint64_t, Entry>::iterator found);
  void arm();

  Parts parts_;
  JobStore store_;
  std::map<std::uint64_t, Entry> entries_;
  std::vector<Watcher> watchers_;
  std::vector<v1::Job> cut_off_;
  Timer timer_;
  bool closed_ = false;
};

[[nodiscard]] Error unknown_job(std::uint64_t id);

/// What must be equal in a repeat: all but what the client calls itself.
[[nodiscard]] std::string digest_of(const google::protobuf::Message& request);

}  // namespace continuo::control
