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
  if (!busy_) next();
}

void JobQueue::add_urgent(Job job) {
  if (closed_) return;
  line_.insert(line_.begin() + static_cast<std::ptrdiff_t>(urgent_++), {std::move(job), {}});
  if (!busy_) next();
}

void JobQueue::close() {
  closed_ = true;
  urgent_ = 0;
  for (Waiting& waiting : std::exchange(line_, {})) {
    if (waiting.dropped) waiting.dropped();
  }
}

void JobQueue::next() {
  if (line_.empty()) return;
  busy_ = true;
  Job job = std::move(line_.front().job);
  line_.pop_front();
  if (urgent_ > 0) --urgent_;
  auto called = std::make_shared<bool>(false);
  job([this, called] {
    CONTINUO_CHECK(!*called, "a job ends once: two jobs at once would see each other half done");
    *called = true;
    // The next turn of the strand: timers and answers come in between, and a long line needs no deep stack.
    strand_.post([this] {
      busy_ = false;
      next();
    });
  });
}

}  // namespace continuo::control
