// THREAD: control writes, one rpc stream reads - jobs as they change, the newest of each in place of those not yet read
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "continuo/v1/job.pb.h"
#include "server/base/result.hpp"

namespace continuo::control {

/// A client that reads slowly or never holds at most one message of each job: as many as the table has.
class JobFeed {
 public:
  using Message = std::shared_ptr<const v1::Job>;

  /// Control strand.
  void put(Message job) {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      if (end_) return;
      const std::uint64_t id = job->job_id();
      if (!newest_.contains(id)) order_.push_back(id);
      newest_[id] = std::move(job);
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake();
  }
  /// Control strand: it is no longer in the table.
  void forget(std::uint64_t id) {
    const std::lock_guard lock(mutex_);
    if (newest_.erase(id) > 0) std::erase(order_, id);
  }
  /// Control strand: nothing follows what waits; an error: nor is that read any more.
  void end(Result<> how) {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      if (end_) return;
      end_.emplace(std::move(how));
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake();
  }

  struct Next {
    Message message;
    std::optional<Result<>> end;
  };
  /// The reader. Neither: `wake` is called once, from the control strand, when that changes; it must not block.
  [[nodiscard]] Next next(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    if (order_.empty() || (end_ && !*end_)) {
      if (!end_) wake_ = std::move(wake);
      return {nullptr, end_};
    }
    const auto found = newest_.find(order_.front());
    order_.pop_front();
    Next next{std::move(found->second), std::nullopt};
    newest_.erase(found);
    return next;
  }
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return order_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::deque<std::uint64_t> order_;
  std::map<std::uint64_t, Message> newest_;
  std::optional<Result<>> end_;
  std::function<void()> wake_;
};

}  // namespace continuo::control
