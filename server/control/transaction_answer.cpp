#include <algorithm>
#include <utility>

#include "server/control/timer.hpp"
#include "server/control/transactions.hpp"

namespace continuo::control {

/// Answers `done` once: as soon as the outcome says what the caller waits for, or with what is true when its patience
/// ends. Before anything is committed there is nothing true to say, so that is always waited for; it is bounded by the
/// disk's and the line's bounds.
void Transactions::wait_for(const std::shared_ptr<Outcome>& outcome, const v1::ApplyRequest& request, Done done) {
  struct Waiting {
    Done done;
    std::unique_ptr<Timer> timer;
    bool patient = true;
  };
  auto waiting = std::make_shared<Waiting>();
  waiting->done = std::move(done);
  const bool as_asked = request.has_wait();  // else what is for later is answered once it is scheduled
  const bool for_sound =
      !(request.has_wait() && request.wait() == v1::WAIT_COMMITTED) &&
      answers_waiting_ < kMaxAnswersWaiting;  // beyond the bound: answered once committed, which is true
  ++answers_waiting_;
  // Weak: the outcome holds this very function.
  auto look = std::make_shared<std::function<void()>>();
  *look = [this, weak = std::weak_ptr(outcome), waiting, for_sound, as_asked, again = std::weak_ptr(look)] {
    const auto now = weak.lock();
    if (!waiting->done || !now) return;
    const bool scheduled = now->response.outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED;
    const bool enough = scheduled ? !as_asked : !for_sound;
    if (!now->known || (!enough && waiting->patient && !now->final)) {
      if (const auto self = again.lock()) now->on_change.push_back([self] { (*self)(); });
      return;
    }
    waiting->timer.reset();
    --answers_waiting_;
    const Done answer = std::exchange(waiting->done, nullptr);
    if (now->error)
      answer(*now->error);
    else
      answer(now->response);
  };
  if (for_sound || as_asked) {
    waiting->timer = std::make_unique<Timer>(parts_.strand);
    const std::uint32_t ms = request.has_max_wait_ms() ? std::min(request.max_wait_ms(), kMaxWaitMs) : 2000;
    waiting->timer->after(std::chrono::milliseconds(ms), [look, waiting, outcome] {
      waiting->patient = false;
      (*look)();
    });
  }
  (*look)();
}

}  // namespace continuo::control
