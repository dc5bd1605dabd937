#include "server/media/mirror_line.hpp"

#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace continuo::media {

struct MirrorLine::State {
  struct Job {
    std::size_t bytes;
    std::function<void()> work;
  };
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<Job> jobs;
  std::size_t bytes = 0;  // of the one under way as well
  std::size_t max_bytes = 0;
  bool busy = false;
  bool stopping = false;
  bool ended = false;
  std::thread::id thread;

  void run() {
    std::unique_lock lock(mutex);
    thread = std::this_thread::get_id();
    while (true) {
      changed.wait(lock, [this] { return stopping || !jobs.empty(); });
      if (jobs.empty()) break;
      Job job = std::move(jobs.front());
      jobs.pop_front();
      busy = true;
      lock.unlock();
      job.work();
      job.work = nullptr;  // what it holds may be closed by that: not under the lock
      lock.lock();
      busy = false;
      bytes -= job.bytes;
    }
    ended = true;
    changed.notify_all();
  }
};

MirrorLine::MirrorLine(const char* thread_name, std::size_t max_bytes) : state_(std::make_shared<State>()) {
  state_->max_bytes = max_bytes;
  // Detached: what it works with is its own, too, so that nobody need wait for a disk that hangs.
  std::thread([state = state_, name = std::string(thread_name)] {
    pthread_setname_np(pthread_self(), name.c_str());
    state->run();
  }).detach();
}

MirrorLine::~MirrorLine() {
  std::unique_lock lock(state_->mutex);
  state_->stopping = true;
  state_->changed.notify_all();
  if (state_->thread == std::this_thread::get_id()) return;  // its own work held it last
  state_->changed.wait_for(lock, kPatience, [this] { return state_->ended; });
}

bool MirrorLine::try_post(std::size_t bytes, std::function<void()> work) {
  {
    const std::lock_guard lock(state_->mutex);
    if (bytes > 0 && state_->bytes + bytes > state_->max_bytes) return false;
    state_->jobs.push_back({bytes, std::move(work)});
    state_->bytes += bytes;
  }
  state_->changed.notify_all();
  return true;
}

void MirrorLine::post(std::size_t bytes, std::function<void()> work) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->jobs.push_back({bytes, std::move(work)});
    state_->bytes += bytes;
  }
  state_->changed.notify_all();
}

bool MirrorLine::idle() const {
  const std::lock_guard lock(state_->mutex);
  return state_->jobs.empty() && !state_->busy;
}

}  // namespace continuo::media
