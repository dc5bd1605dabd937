#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "server/base/log.hpp"
#include "server/control/scheduled.hpp"

namespace continuo::control {
namespace {

constexpr std::chrono::milliseconds kDropPatience{1000};
constexpr std::size_t kMostOperationBytes = 64u << 10;
constexpr std::size_t kPageBytes = 1u << 20;

}  // namespace

v1::ScheduledTransaction Scheduled::describe(const Entry& entry, std::optional<rt::FrameCount> frame) const {
  v1::ScheduledTransaction out;
  out.set_transaction_id(entry.id);
  *out.mutable_when() = entry.request.when();
  if (entry.due.kind == Due::Kind::after) out.mutable_when()->mutable_engine_frame()->set_frame(entry.due.value);
  if (frame) out.set_engine_frame(*frame);
  out.set_operation_count(static_cast<std::uint32_t>(entry.request.operations_size()));
  if (entry.bytes <= kMostOperationBytes) *out.mutable_operations() = entry.request.operations();
  out.mutable_origin()->set_client(entry.request.client());
  out.mutable_origin()->set_identity(entry.outcome->identity);
  out.mutable_origin()->set_utc(entry.utc);
  return out;
}

Result<v1::ListScheduledResponse> Scheduled::list(const v1::ListScheduledRequest& request) const {
  std::uint64_t after = 0;
  const std::string& token = request.page_token();
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), after);
  if (!token.empty() && (error != std::errc{} || end != token.data() + token.size()))
    return make_error(ErrorKind::invalid_argument, "BAD_TOKEN", "page_token", "page_token is none that was given out");
  std::map<const Entry*, std::optional<rt::FrameCount>> frames;
  const Order all = order();
  for (std::size_t i = 0; i < all.entries.size(); ++i) frames[all.entries[i].get()] = all.frames[i];
  v1::ListScheduledResponse out;
  std::size_t bytes = 0;
  for (const Ptr& entry : held_) {
    if (entry->id <= after) continue;
    if (bytes > kPageBytes) {
      out.set_next_page_token(std::to_string(out.transactions(out.transactions_size() - 1).transaction_id()));
      break;
    }
    *out.add_transactions() = describe(*entry, frames[entry.get()]);
    bytes += out.transactions(out.transactions_size() - 1).ByteSizeLong();
  }
  return out;
}

Result<> Scheduled::cancel(const v1::CancelScheduledRequest& request, const Allowed& allowed,
                           const std::string& identity) {
  const auto found = std::ranges::find(held_, request.transaction_id(), &Entry::id);
  if (found == held_.end()) {
    return make_error(ErrorKind::not_found, "NOT_SCHEDULED", "transaction_id",
                      "no transaction " + std::to_string(request.transaction_id()) +
                          " is scheduled: it fell due, was cancelled, or never was");
  }
  const Ptr entry = *found;
  if (const Result<> may = allowed(entry->request); !may) return may.error();
  if (const Result<> whole = check_without(entry); !whole) return whole.error();
  remove(entry);
  end(entry,
      make_error(ErrorKind::aborted, "CANCELLED", "", "transaction " + std::to_string(entry->id) + " was cancelled"),
      origin_of(request.client(), identity), true);
  look();
  return {};
}

void Scheduled::end(const Ptr& entry, Error error, v1::Origin origin, bool tell) {
  v1::WatchResponse::Cancelled cancelled;
  cancelled.set_transaction_id(entry->id);
  cancelled.set_reason(error.reason);
  cancelled.set_message(error.message);
  *cancelled.mutable_origin() = std::move(origin);
  if (tell)
    parts_.history.cancelled(std::move(cancelled));
  else
    dropped_.push_back(std::move(cancelled));
  entry->outcome->error = std::move(error);
  entry->outcome->final = true;
  entry->outcome->changed();
}

void Scheduled::drop(std::function<void()> then) {
  if (!held_.empty()) log::warning("{} scheduled transactions were for the session before: dropped", held_.size());
  for (const Ptr& entry : std::vector(held_)) {
    remove(entry);
    end(entry,
        make_error(ErrorKind::aborted, "SESSION_LOADED", "",
                   "transaction " + std::to_string(entry->id) + " was scheduled for the session before"),
        origin_of("", ""), false);
  }
  if (last_sent_ <= parts_.transport.reading().engine_frame) return then();
  parts_.pump.at_frame(last_sent_ + 1, kDropPatience, [then = std::move(then)](bool) { then(); });
}

void Scheduled::tell_dropped() {
  for (v1::WatchResponse::Cancelled& cancelled : std::exchange(dropped_, {}))
    parts_.history.cancelled(std::move(cancelled));
}

void Scheduled::close() {
  for (const Ptr& entry : std::vector(held_)) {
    remove(entry);
    end(entry,
        make_error(ErrorKind::unavailable, "SHUTTING_DOWN", "",
                   "transaction " + std::to_string(entry->id) + " had not fallen due when the daemon ended"),
        origin_of("", ""), true);
  }
}

}  // namespace continuo::control
