// THREAD: main waits, its own thread hears the signals - SIGTERM and SIGINT end the daemon, in time, whatever hangs
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

namespace continuo {

/// Its thread is one of those that are never joined: it is the last to go. `kLimit` after the first signal the process
/// exits with 0, even from a destructor of a dead audio library that would wait for ten minutes.
class StopSignal {
 public:
  static constexpr std::chrono::milliseconds kLimit{4700};

  /// First of all in main: threads that are made later inherit that these signals are blocked. SIGHUP opens the log
  /// anew, SIGPIPE and SIGXFSZ are ignored.
  StopSignal();

  /// What SIGHUP does besides, on its thread; empty: nothing more. Returns once no call of the one before runs.
  void on_hangup(std::function<void()> call);

  [[nodiscard]] bool requested() const;
  void wait();

 private:
  struct State {
    mutable std::mutex mutex;
    std::condition_variable changed;
    bool requested = false;
    std::mutex hangup_mutex;  // held while it is called
    std::function<void()> hangup;
  };
  static void listen(std::shared_ptr<State> state);
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace continuo
