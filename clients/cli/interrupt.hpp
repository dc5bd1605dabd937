// THREAD: any - Ctrl-C and SIGTERM: ends what follows a stream cleanly, anything else at once
#pragma once

#include <chrono>
#include <functional>

namespace continuo::cli {

class Interrupt {
 public:
  /// Once, in main, before there is any other thread: from now on the two signals reach one thread that waits for them.
  /// With no Scope alive they end the program with 128 + their number, as they would have.
  static void install();
  /// For a program that is run in our place.
  static void restore_signals();

  /// While it lives, the first signal calls `on_signal` (on another thread, once; it must not block). Where the program
  /// still runs 2 s later (a terminal that takes no more text), or at a second signal, it ends there with exit code 0.
  class Scope {
   public:
    explicit Scope(std::function<void()> on_signal);
    ~Scope();
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    [[nodiscard]] bool happened() const;
    /// Waits; true at once when the signal comes.
    [[nodiscard]] bool wait_for(std::chrono::milliseconds time) const;
  };
};

}  // namespace continuo::cli
