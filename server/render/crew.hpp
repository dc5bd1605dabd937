// THREAD: job - a few threads that do one piece of work together and wait for each other
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace continuo::render {

/// The caller and `members` - 1 threads of its own (continuo-fill), which sleep between two pieces of work. Who does
/// what is fixed by a member's number, never by who is free: nothing that is computed depends on the timing.
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

  std::mutex mutex_;
  std::condition_variable begin_;
  std::condition_variable end_;
  const std::function<void(std::uint32_t)>* work_ = nullptr;
  std::uint64_t round_ = 0;
  std::size_t busy_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace continuo::render
