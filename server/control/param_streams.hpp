// THREAD: any opens and feeds, the control strand does it - every StreamParams call, and when its values go on
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/control/graph.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/leases.hpp"
#include "server/control/param_stream.hpp"
#include "server/control/timer.hpp"
#include "server/control/transactions.hpp"
#include "server/control/transport.hpp"

namespace continuo::control {

/// StreamParams: [rpc] the newest value of each parameter is kept (ParamStream) -> [control] at most every kInterval,
/// and not before the last ones are in the sound: judge each value, one transaction for those that are left -> [audio]
/// one batch -> [control] a Report, at most every kReportEvery. So a client is never faster than the sound, and its
/// newest value is always the next one. All streams take turns in one job, which takes at most half of the strand's
/// time.
///
/// Values with a frame leave a lead before it and belong to the document from then on; where one is under way, an older
/// point in time of the same parameter is passed over. Where the device stands still, what came goes into the document
/// every kStandstill all the same, and each value on its own towards the audio thread, where a newer one replaces it.
///
/// A stream that ends, or is cut, leaves what it sent: it is applied to the last value, the frames to come too, but for
/// what would take longer than kLinger.
class ParamStreams {
 public:
  static constexpr std::chrono::milliseconds kInterval{10};
  static constexpr std::chrono::milliseconds kStandstill{200};
  static constexpr std::chrono::milliseconds kReportEvery{50};
  static constexpr std::chrono::milliseconds kLinger{3000};
  static constexpr double kLeadSeconds = 0.02;  // and two buffers
  static constexpr std::size_t kMaxSteps = 64;  // frames under way of all streams: the link's bounds are for everybody
  static constexpr std::size_t kMaxStreams = 2048;  // with those that linger; the loser is the newcomer

  struct Parts {
    Strand& strand;
    JobQueue& jobs;
    Graph& graph;
    Transport& transport;
    AudioLink& link;
    EventPump& pump;
    History& history;
    Leases& leases;
    Transactions& transactions;
    std::function<ParamStream::Now()> now;         // any thread
    std::function<std::uint32_t()> buffer_frames;  // the device's
  };
  explicit ParamStreams(Parts parts) : parts_(std::move(parts)), timer_(parts_.strand) {}
  ~ParamStreams();

  /// Both on the strand, and not after `end`; they must not block. `end` comes once: with nothing when the call was
  /// closed and its values are where they belong.
  struct Client {
    std::function<void(v1::StreamParamsResponse::Report)> report;
    std::function<void(std::optional<Error>)> end;
  };
  /// What rpc holds; one thread at a time, but close(). Letting go of it closes it.
  class Call {
   public:
    ~Call() { close(); }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

    [[nodiscard]] Result<> take(const v1::StreamParamsRequest::Changes& changes) { return stream_->take(changes); }
    /// On an error the stream is of no use any more. `done` is dropped where the daemon ends.
    void bind(v1::StreamParamsRequest::Bind bind, std::function<void(Result<v1::StreamParamsResponse::Bound>)> done);
    /// `done` once what came before it is on its way: take nothing in between.
    void gesture(std::function<void()> done);
    void close();

   private:
    friend class ParamStreams;
    Call(ParamStreams& streams, std::uint64_t id, std::shared_ptr<ParamStream> stream, Strand::Poster post)
        : streams_(streams), id_(id), stream_(std::move(stream)), post_(std::move(post)) {}
    ParamStreams& streams_;  // on the strand alone
    const std::uint64_t id_;
    const std::shared_ptr<ParamStream> stream_;
    const Strand::Poster post_;
    std::atomic<bool> closed_{false};
  };
  /// Any thread. `identity`: as the door proved it.
  [[nodiscard]] std::shared_ptr<Call> open(std::string identity, Client client);

  /// Another session: ABORTED, EPOCH_CHANGED.
  void session_loaded();
  /// The daemon ends: what came is in the document.
  void close();

  [[nodiscard]] std::size_t open_streams() const noexcept { return streams_.size(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Place {
    std::string path;
    std::uint64_t compiles = 0;  // of the graph, when the path was looked for
    bool gone = false;
    rt::FrameCount until = rt::kNow;  // the last frame that a value is under way for
    std::uint64_t leases = 0;         // the version that `leased` is of
    std::optional<Error> leased;
  };
  struct One;
  using Ptr = std::shared_ptr<One>;

  [[nodiscard]] Ptr find(std::uint64_t id) const;
  void wake(std::uint64_t id);
  void bind(const Ptr& one, const v1::StreamParamsRequest::Bind& bind,
            const std::function<void(Result<v1::StreamParamsResponse::Bound>)>& done);
  [[nodiscard]] Result<std::uint32_t> bind_one(One& one, const std::string& name, const std::string& field);
  void gesture_begins(One& one);

  /// Whatever is to be done now; and when to look again.
  void look();
  void look_soon();
  [[nodiscard]] bool has_values(One& one, Clock::time_point now) const;
  [[nodiscard]] bool has_steps(One& one) const;
  [[nodiscard]] Clock::time_point next_look(One& one, Clock::time_point now) const;
  void turn();
  void drain_values(const Ptr& one);
  void drain_steps(const Ptr& one);
  [[nodiscard]] const session::DocNode* find_target(One& one, std::uint32_t place);
  /// Why it cannot be set.
  [[nodiscard]] std::optional<Error> judge(One& one, std::uint32_t place);
  [[nodiscard]] session::Operations operations_of(One& one, const std::vector<ParamStream::Value>& values,
                                                  rt::FrameCount frame);
  void home(const Ptr& one, std::uint64_t collected, std::uint64_t sequence, const v1::Revision& revision,
            AudioLink::Fate fate, rt::FrameCount frame);
  void settle(const Ptr& one);
  void report(One& one, Clock::time_point now);
  [[nodiscard]] bool finished(One& one, Clock::time_point now);
  [[nodiscard]] rt::FrameCount lead() const;

  Parts parts_;
  Timer timer_;
  std::vector<Ptr> streams_;  // in the order of their ids
  std::size_t first_ = 0;     // whose turn it is to begin
  std::size_t steps_ = 0;     // under way
  Clock::time_point next_turn_{};
  bool turn_waits_ = false;
  bool look_posted_ = false;
  bool closed_ = false;
  std::atomic<std::uint64_t> next_id_{1};
};

}  // namespace continuo::control
