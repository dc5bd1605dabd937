#include "server/render/crew.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>

namespace continuo::render {
namespace {

constexpr std::uint32_t kLooks = 256;      // before a core is offered: some microseconds
constexpr std::uint32_t kMostLooks = 512;  // before sleep

}  // namespace

void Patience::pause(std::uint32_t times) noexcept RT_NONBLOCKING {
  if (times < kLooks) return rt::Pause::pause(times);
  rt::exempt([]() noexcept { sched_yield(); });
}

Crew::Crew(std::uint32_t members) {
  for (std::uint32_t member = 1; member < std::clamp(members, 1u, kMaxMembers); ++member) {
    threads_.emplace_back([this, member] {
      pthread_setname_np(pthread_self(), "continuo-fill");
      serve(member);
    });
  }
}

Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    stopping_.store(true, std::memory_order_release);
  }
  begin_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::run(const std::function<void(std::uint32_t)>& work) {
  if (threads_.empty()) return work(0);
  work_ = &work;
  busy_.store(threads_.size(), std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);  // between a sleeper's last look and its sleep there is no gap
    round_.fetch_add(1, std::memory_order_release);
  }
  begin_.notify_all();
  work(0);
  const auto done = [this] { return busy_.load(std::memory_order_acquire) == 0; };
  for (std::uint32_t looks = 0; !done() && looks < kMostLooks; ++looks) patience_.pause(looks);
  if (done()) return;
  std::unique_lock lock(mutex_);
  end_.wait(lock, done);
}

void Crew::serve(std::uint32_t member) {
  for (std::uint64_t seen = 0;; ++seen) {
    for (std::uint32_t looks = 0; !called(seen) && looks < kMostLooks; ++looks) patience_.pause(looks);
    if (!called(seen)) {
      std::unique_lock lock(mutex_);
      begin_.wait(lock, [&] { return called(seen); });
    }
    if (stopping_.load(std::memory_order_acquire)) return;
    (*work_)(member);
    if (busy_.fetch_sub(1, std::memory_order_acq_rel) != 1) continue;
    const std::lock_guard lock(mutex_);
    end_.notify_one();
  }
}

}  // namespace continuo::render
