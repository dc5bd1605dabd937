// THREAD: any - a job as its own work sees it: tells how far it is, and hears when it is to end
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "continuo/v1/job.pb.h"
#include "server/base/result.hpp"

namespace continuo::control {

/// What the table and the work of one job share. A wish to cancel and a commit exclude each other: whichever is first.
struct JobState {
  enum class Phase : std::uint8_t { open, cancelling, committed };
  std::atomic<Phase> phase{Phase::open};
  std::atomic<double> progress{-1.0};  // below 0: nobody knows
};

/// Copies are one ticket. An empty one is of a job that nobody lists: it may always go on.
class JobTicket {
 public:
  /// What became of it: a job whose `result` alone counts, or why there is none.
  using Outcome = Result<v1::Job>;
  using End = std::function<void(Outcome)>;

  JobTicket() = default;
  JobTicket(std::shared_ptr<JobState> state, End end) : state_(std::move(state)), end_(std::move(end)) {}

  [[nodiscard]] explicit operator bool() const noexcept { return state_ != nullptr; }
  /// 0 to 1. Wait-free; whoever watches sees the newest.
  void progress(double part) const noexcept {
    if (state_) state_->progress.store(part, std::memory_order_relaxed);
  }
  [[nodiscard]] bool cancelled() const noexcept {
    return state_ && state_->phase.load(std::memory_order_acquire) == JobState::Phase::cancelling;
  }
  /// From here on it can no longer be taken back. False: somebody was first who wants it to end.
  [[nodiscard]] bool try_commit() const noexcept {
    auto open = JobState::Phase::open;
    return !state_ || state_->phase.compare_exchange_strong(open, JobState::Phase::committed) ||
           open == JobState::Phase::committed;
  }
  /// The first end counts. An error of a job that was asked to end is its cancellation.
  void end(Outcome outcome) const {
    if (end_) end_(std::move(outcome));
  }

 private:
  std::shared_ptr<JobState> state_;
  End end_;
};

/// What a call tells whose job was ended by somebody else.
[[nodiscard]] inline Error cancelled_error() {
  return make_error(ErrorKind::aborted, "CANCELLED", "", "its job was cancelled");
}

}  // namespace continuo::control
