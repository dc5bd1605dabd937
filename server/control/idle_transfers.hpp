// THREAD: any calls it, one timer asks it - ends transfers whose client neither feeds nor reads them
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace continuo::control {

/// A transfer holds one of few lines to a disk: it may wait for its client so long, and no longer.
class IdleTransfers {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = std::function<Clock::time_point()>;

  explicit IdleTransfers(Clock::duration limit, Now now = Clock::now) : limit_(limit), now_(std::move(now)) {}

  /// Whose turn it is in one transfer. At first it is ours: a disk that is slow is no client's fault.
  class Turn {
   public:
    explicit Turn(Now now, std::function<void()> end) : now_(std::move(now)), end_(std::move(end)) {}
    /// We wait for the client, from now on.
    void client() noexcept { since_.store(now_().time_since_epoch().count(), std::memory_order_release); }
    void ours() noexcept { since_.store(kOurs, std::memory_order_release); }

   private:
    friend class IdleTransfers;
    static constexpr Clock::rep kOurs = -1;
    const Now now_;
    const std::function<void()> end_;
    std::atomic<Clock::rep> since_{kOurs};
  };
  /// `end` is called from check(), at most once for each turn of the client's that took too long.
  [[nodiscard]] std::shared_ptr<Turn> add(std::function<void()> end);

  void check();
  /// Those under way.
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] Clock::duration limit() const noexcept { return limit_; }

 private:
  const Clock::duration limit_;
  const Now now_;
  mutable std::mutex mutex_;
  std::vector<std::weak_ptr<Turn>> turns_;
};

}  // namespace continuo::control
