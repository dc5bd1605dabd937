#include "server/control/job_queue.hpp"

#include <memory>
#include <utility>

#include "server/base/check.hpp"

namespace continuo::control {

bool JobQueue::try_add(Job job, std::function<void()> dropped) {
  if (line_.size() >= kMaxWaiting) return false;
  add(std::move(job), std::move(dropped));
  return true;
}

void JobQueue::add(Job job, std::function<void()> dropped) {
  if (closed_) {
    if (dropped) dropped();
    return;
  }
  line_.push_back({std::move(job), std::move(dropped)});
  next();
}

void JobQueue::add_urgent(Job job) {
  if (closed_) return;
  line_.insert(line_.begin() + static_cast<std::ptrdiff_t>(urgent_++), {std::move(job), {}});
  next();
}

bool JobQueue::try_add_urgent(Job job) {
  if (line_.size() >= kMaxWaiting) return false;
  add_urgent(std::move(job));
  return true;
}

void JobQueue::stand_aside() {
  CONTINUO_CHECK(busy_ && !aside_ && !passing_, "a job stands aside once, and no urgent one does");
  aside_ = true;
  passed_ = false;
  strand_.post([this] { next(); });
}

void JobQueue::go_on(Rest rest) {
  CONTINUO_CHECK(aside_ && !rest_, "only a job that stands aside goes on");
  if (passing_) {
    rest_ = std::move(rest);
    return;
  }
  aside_ = false;
  rest(passed_);
}

void JobQueue::close() {
  closed_ = true;
  urgent_ = 0;
  for (Waiting& waiting : std::exchange(line_, {})) {
    if (waiting.dropped) waiting.dropped();
  }
}

void JobQueue::next() {
  if (busy_ && (!aside_ || passing_ || urgent_ == 0)) return;
  if (line_.empty()) return;
  const bool passes = busy_;
  if (passes)
    passing_ = passed_ = true;
  else
    busy_ = true;
  Job job = std::move(line_.front().job);
  line_.pop_front();
  if (urgent_ > 0) --urgent_;
  auto called = std::make_shared<bool>(false);
  job([this, called, passes] {
    CONTINUO_CHECK(!*called, "a job ends once: two jobs at once would see each other half done");
    *called = true;
    // The next turn of the strand: timers and answers come in between, and a long line needs no deep stack.
    strand_.post([this, passes] {
      if (!passes) {
        busy_ = false;
      } else {
        passing_ = false;
        // It has waited for the disk long enough; what is urgent and still in line passes it when it waits again.
        if (const Rest rest = std::exchange(rest_, nullptr)) {
          aside_ = false;
          rest(true);
        }
      }
      next();
    });
  });
}

}  // namespace continuo::control
