#include "server/rpc/gate.hpp"

#include <algorithm>

namespace continuo::rpc {

bool EditRate::try_take(int operations, Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (last_ != Clock::time_point{}) {
    const double seconds = std::chrono::duration<double>(now - last_).count();
    left_ = std::min(at_once_, left_ + std::max(seconds, 0.0) * per_second_);
  }
  last_ = now;
  if (operations > left_) return false;
  left_ -= operations;
  return true;
}

Gate::Account::Account(double per_second) : edits(per_second, std::max<double>(per_second, kLargestEdit)) {}

std::shared_ptr<Gate::Account> Gate::account(const std::string& caller) {
  const std::lock_guard lock(mutex_);
  const bool room = accounts_.size() < kMaxAccounts || accounts_.contains(caller);
  auto& account = accounts_[room ? caller : std::string()];
  if (account == nullptr) account = std::make_shared<Account>(operations_per_second_);
  return account;
}

std::optional<StreamPlace> Gate::try_stream(const std::string& caller, Lasts lasts) {
  const int keep = lasts == Lasts::until_it_is_told ? 0 : kKeptForShort;
  auto own = account(caller)->streams.try_take(keep);
  if (!own) return std::nullopt;
  auto all = streams_.try_take(keep);
  if (!all) return std::nullopt;
  return StreamPlace{*std::move(all), *std::move(own)};
}

std::optional<StreamPlace> Gate::try_load(const std::string& caller) {
  auto own = account(caller)->loads.try_take();
  if (!own) return std::nullopt;
  auto all = loads_.try_take();
  if (!all) return std::nullopt;
  return StreamPlace{*std::move(all), *std::move(own)};
}

bool Gate::try_edit(const std::string& caller, int operations) {
  return account(caller)->edits.try_take(operations, EditRate::Clock::now());
}

void Gate::refused(const std::string& caller, std::string_view what, const Error& error) {
  if (!tell_) return;
  const std::shared_ptr<Account> whose = account(caller);
  const auto now = std::chrono::steady_clock::now();
  std::uint64_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    ++whose->refusals;
    if (whose->told != std::chrono::steady_clock::time_point{} && now - whose->told < kTellEvery) return;
    whose->told = now;
    count = std::exchange(whose->refusals, 0);
  }
  tell_({caller, std::string(what), error, count});
}

}  // namespace continuo::rpc
