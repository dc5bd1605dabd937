// THREAD: control - what changes the engine, one after the other, each as long as it needs
#pragma once

#include <cstddef>
#include <deque>
#include <functional>

#include "server/control/strand.hpp"

namespace continuo::control {

/// Transactions, loads and changes of device each take several turns of the strand (a file is probed, a stream primed).
/// They must not see each other half done: each begins when the one before has called its `Finish`. One that waits for
/// the disk and has changed nothing yet can stand aside: urgent ones come before it then, and it looks anew at what
/// there is when it goes on.
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
  /// Before all that waits but those that came this way, too, and past one that stands aside: what has a frame to meet.
  void add_urgent(Job job);
  /// A client's, as try_add().
  [[nodiscard]] bool try_add_urgent(Job job);

  /// Of the job under way, unless it came as an urgent one: from now to go_on() others may come before it.
  void stand_aside();
  /// `rest` once none of these is under way. `passed`: there was one, so nothing need be as it was.
  using Rest = std::function<void(bool passed)>;
  void go_on(Rest rest);
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
  bool aside_ = false;    // the one under way stands aside
  bool passing_ = false;  // another is under way before it
  bool passed_ = false;
  Rest rest_;  // of the one that stands aside, and could go on
  bool closed_ = false;
};

}  // namespace continuo::control
