#include "server/control/worker.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace continuo::control {

struct Worker::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> line;
  bool busy = false;
  bool ended = false;
  bool closing = false;
};

Worker::Worker(const char* thread_name) : state_(std::make_shared<State>()) {
  std::thread([state = state_, name = std::string(thread_name)] {
    pthread_setname_np(pthread_self(), name.c_str());
    std::unique_lock lock(state->mutex);
    for (;;) {
      state->changed.wait(lock, [&] { return state->closing || !state->line.empty(); });
      if (state->closing) break;
      auto work = std::move(state->line.front());
      state->line.pop_front();
      state->busy = true;
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
      state->busy = false;
      state->changed.notify_all();
    }
    state->ended = true;
    state->changed.notify_all();
  }).detach();
}

Worker::~Worker() {
  std::deque<std::function<void()>> dropped;
  std::unique_lock lock(state_->mutex);
  state_->closing = true;
  dropped.swap(state_->line);
  state_->changed.notify_all();
  state_->changed.wait_for(lock, kPatience, [&] { return state_->ended; });
}

void Worker::post(std::function<void()> work) {
  const std::lock_guard lock(state_->mutex);
  state_->line.push_back(std::move(work));
  state_->changed.notify_all();
}

bool Worker::wait_idle(std::chrono::milliseconds limit) {
  std::unique_lock lock(state_->mutex);
  return state_->changed.wait_for(lock, limit, [&] { return !state_->busy && state_->line.empty(); });
}

}  // namespace continuo::control
