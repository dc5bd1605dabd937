// THREAD: control writes, one rpc stream reads - a bounded queue of shared messages for one slow or fast client
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

namespace continuo::control {

/// The reader pulls one message when its last write is done; the writer never waits. A full feed has a defined loser:
/// push() returns false and the queue is unchanged; the writer then decides (resync, or fold into the next frame).
template <class Message>
class Feed {
 public:
  explicit Feed(std::size_t bound) : bound_(bound) {}

  /// Control strand.
  [[nodiscard]] bool push(std::shared_ptr<const Message> message) {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.size() >= bound_) return false;
      queue_.push_back(std::move(message));
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake();
    return true;
  }
  /// Control strand: drops what waits (before a resync).
  void clear() {
    const std::lock_guard lock(mutex_);
    queue_.clear();
  }
  /// Control strand: no message will follow those in the queue.
  void close() {
    std::function<void()> wake;
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      wake = std::exchange(wake_, nullptr);
    }
    if (wake) wake();
  }

  /// The reader. The oldest message; null where there is none: `wake` is then called once, from the control strand,
  /// when there is one or the feed was closed. `wake` must not block.
  [[nodiscard]] std::shared_ptr<const Message> next(std::function<void()> wake) {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) {
      if (!closed_) wake_ = std::move(wake);
      return nullptr;
    }
    auto message = std::move(queue_.front());
    queue_.pop_front();
    return message;
  }
  [[nodiscard]] bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const Message>> queue_;
  std::function<void()> wake_;
  const std::size_t bound_;
  bool closed_ = false;
};

}  // namespace continuo::control
