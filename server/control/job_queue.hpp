// THREAD: control - what changes the engine, one after the other, each as long as it needs
#pragma once

#include <cstddef>
#include <deque>
#include <functional>

#include "server/control/strand.hpp"

namespace continuo::control {

/// Transactions, loads and changes of device each take several turns of the strand (a file is probed, a stream primed).
/// They must not see each other half done: each begins when the one before has called its `Finish`.
/// Bound: kMaxWaiting transactions of clients; the loser is the newcomer, which is told so.
class JobQueue {
 public:
  static constexpr std::size_t kMaxWaiting = 1024;

  /// Must be called exactly once, on the strand.
  using Finish = std::function<void()>;
  using Job = std::function<void(Finish)>;

  explicit JobQueue(Strand& strand) : strand_(strand) {}

  /// A client's. False when the line is full: the job was not taken. `dropped` is called in place of a job that will
  /// not begin.
  [[nodiscard]] bool try_add(Job job, std::function<void()> dropped = {});
  /// The engine's own (a settled fade, another device): few by nature, never refused.
  void add(Job job, std::function<void()> dropped = {});
  /// Before all that waits but those that came this way, too: what has a frame to meet.
  void add_urgent(Job job);
  /// The shutdown: what waits, and what comes, is dropped; the job under way goes on.
  void close();

  [[nodiscard]] bool idle() const noexcept { return !busy_ && line_.empty(); }

 private:
  void next();

  struct Waiting {
    Job job;
    std::function<void()> dropped;
  };
  Strand& strand_;
  std::deque<Waiting> line_;
  std::size_t urgent_ = 0;  // at the front of it
  bool busy_ = false;
  bool closed_ = false;
};

}  // namespace continuo::control
