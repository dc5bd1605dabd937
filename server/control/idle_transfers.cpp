#include "server/control/idle_transfers.hpp"

#include <algorithm>
#include <utility>

namespace continuo::control {

std::shared_ptr<IdleTransfers::Turn> IdleTransfers::add(std::function<void()> end) {
  auto turn = std::make_shared<Turn>(now_, std::move(end));
  const std::lock_guard lock(mutex_);
  std::erase_if(turns_, [](const std::weak_ptr<Turn>& each) { return each.expired(); });
  turns_.push_back(turn);
  return turn;
}

std::size_t IdleTransfers::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::ranges::count_if(turns_, [](const std::weak_ptr<Turn>& each) { return !each.expired(); }));
}

void IdleTransfers::check() {
  std::vector<std::shared_ptr<Turn>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const std::weak_ptr<Turn>& each : turns_) {
      if (auto turn = each.lock()) all.push_back(std::move(turn));
    }
  }
  const Clock::rep late = (now_() - limit_).time_since_epoch().count();
  for (const auto& turn : all) {
    Clock::rep since = turn->since_.load(std::memory_order_acquire);
    // Not where the client came at this very moment: then it is another turn.
    if (since != Turn::kOurs && since <= late && turn->since_.compare_exchange_strong(since, Turn::kOurs)) turn->end_();
  }
}

}  // namespace continuo::control
