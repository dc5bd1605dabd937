#include "clients/cli/interrupt.hpp"

#include <pthread.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <ctime>
#include <mutex>
#include <thread>

namespace continuo::cli {
namespace {

struct Shared {
  std::mutex mutex;
  std::function<void()> on_signal;
  bool happened = false;
  std::condition_variable came;
};

// Never destroyed: the waiting thread outlives main's statics.
Shared& shared() {
  static auto* const state = new Shared;
  return *state;
}

sigset_t signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

void wait_for_signals() {
  const sigset_t set = signals();
  int number = 0;
  while (sigwait(&set, &number) != 0) {
  }
  {
    const std::lock_guard lock(shared().mutex);
    if (!shared().on_signal) ::_exit(128 + number);
    shared().happened = true;
    shared().came.notify_all();
    shared().on_signal();
  }
  const timespec patience{2, 0};
  sigtimedwait(&set, nullptr, &patience);
  ::_exit(0);
}

}  // namespace

void Interrupt::install() {
  const sigset_t set = signals();
  // A shell starts what runs in the background with SIGINT ignored; `kill -INT` shall end it all the same.
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  shared();
  std::thread(wait_for_signals).detach();
}

void Interrupt::restore_signals() {
  const sigset_t set = signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Interrupt::Scope::Scope(std::function<void()> on_signal) {
  const std::lock_guard lock(shared().mutex);
  shared().on_signal = std::move(on_signal);
}

Interrupt::Scope::~Scope() {
  const std::lock_guard lock(shared().mutex);
  if (!shared().happened) shared().on_signal = nullptr;
}

bool Interrupt::Scope::happened() const {
  const std::lock_guard lock(shared().mutex);
  return shared().happened;
}

bool Interrupt::Scope::wait_for(std::chrono::milliseconds time) const {
  std::unique_lock lock(shared().mutex);
  return shared().came.wait_for(lock, time, [] { return shared().happened; });
}

}  // namespace continuo::cli
