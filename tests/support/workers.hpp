// THREAD: test - threads that serve a team, as a device's or a render's would
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "rt/team.hpp"

namespace continuo::test {

/// Lets others run: a test has seldom as many cores as threads.
struct Yielding final : rt::Pause {
  void pause(std::uint32_t times) noexcept RT_NONBLOCKING override {
    if (times > 16) rt::exempt([]() noexcept { std::this_thread::yield(); });
  }
};

/// A team and its workers, until it ends.
class Workers {
 public:
  explicit Workers(std::uint32_t count) : team(count, pause_) {
    for (std::uint32_t worker = 0; worker < count; ++worker)
      threads_.emplace_back([this, worker] {
        while (!over_.load(std::memory_order_acquire))
          if (!team.help(worker)) std::this_thread::yield();
      });
  }
  ~Workers() {
    over_.store(true, std::memory_order_release);
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  Yielding pause_;

 public:
  rt::Team team;

 private:
  std::atomic<bool> over_{false};
  std::vector<std::thread> threads_;
};

}  // namespace continuo::test
