// THREAD: job - a few threads that do one piece of work together and wait for each other
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "rt/team.hpp"

namespace continuo::render {

/// Between two looks: at once at first, then the core is another's for as long as somebody else wants it. So a thread
/// that waits never keeps the one that it waits for from running, however few cores there are.
class Patience final : public rt::Pause {
 public:
  void pause(std::uint32_t times) noexcept RT_NONBLOCKING override;
};

/// The caller and `members` - 1 threads of its own (continuo-fill). Between two pieces of work they look out for some
/// microseconds, then they sleep.
class Crew {
 public:
  static constexpr std::uint32_t kMaxMembers = 64;

  explicit Crew(std::uint32_t members);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  [[nodiscard]] std::uint32_t members() const noexcept { return static_cast<std::uint32_t>(threads_.size()) + 1; }

  /// Calls work(0) here and work(1), work(2), ... on the others. Returns when all of them have returned; what they
  /// wrote is seen.
  void run(const std::function<void(std::uint32_t)>& work);

 private:
  void serve(std::uint32_t member);
  [[nodiscard]] bool called(std::uint64_t seen) const noexcept {
    return stopping_.load(std::memory_order_acquire) || round_.load(std::memory_order_acquire) != seen;
  }

  Patience patience_;
  const std::function<void(std::uint32_t)>* work_ = nullptr;  // written before round_
  std::atomic<std::uint64_t> round_{0};
  std::atomic<std::size_t> busy_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;  // for those who sleep
  std::condition_variable begin_;
  std::condition_variable end_;
  std::vector<std::thread> threads_;
};

}  // namespace continuo::render
