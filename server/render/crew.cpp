#include "server/render/crew.hpp"

#include <pthread.h>

#include <algorithm>

namespace continuo::render {

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
    stopping_ = true;
  }
  begin_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Crew::run(const std::function<void(std::uint32_t)>& work) {
  {
    const std::lock_guard lock(mutex_);
    work_ = &work;
    busy_ = threads_.size();
    ++round_;
  }
  begin_.notify_all();
  work(0);
  std::unique_lock lock(mutex_);
  end_.wait(lock, [this] { return busy_ == 0; });
}

void Crew::serve(std::uint32_t member) {
  std::uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    begin_.wait(lock, [&] { return stopping_ || round_ != seen; });
    if (stopping_) return;
    seen = round_;
    const auto* work = work_;
    lock.unlock();
    (*work)(member);
    lock.lock();
    if (--busy_ == 0) end_.notify_one();
  }
}

}  // namespace continuo::render
