#include "server/base/stop_signal.hpp"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <string_view>
#include <thread>
#include <utility>

#include "server/base/log.hpp"

namespace continuo {
namespace {

sigset_t our_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

StopSignal::StopSignal() {
  const sigset_t set = our_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes is a full disk: an error of write()
  std::thread(listen, state_).detach();
}

void StopSignal::on_hangup(std::function<void()> call) {
  const std::lock_guard lock(state_->hangup_mutex);
  state_->hangup = std::move(call);
}

bool StopSignal::requested() const {
  const std::lock_guard lock(state_->mutex);
  return state_->requested;
}

void StopSignal::wait() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [this] { return state_->requested; });
}

void StopSignal::listen(std::shared_ptr<State> state) {
  pthread_setname_np(pthread_self(), "signals");
  const sigset_t set = our_signals();
  int signal = 0;
  while (sigwait(&set, &signal) == 0 && signal == SIGHUP) {
    log::reopen();
    const std::lock_guard lock(state->hangup_mutex);
    if (state->hangup) state->hangup();
  }
  {
    const std::lock_guard lock(state->mutex);
    state->requested = true;
  }
  state->changed.notify_all();
  std::this_thread::sleep_for(kLimit);
  // Not through the log: what hangs may hold its lock.
  constexpr std::string_view kNote = "continuod: not all would end in time; leaving without it\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kNote.data(), kNote.size());
  _exit(0);
}

}  // namespace continuo
