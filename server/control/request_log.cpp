#include "server/control/request_log.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <utility>

#include "server/journal/utc.hpp"

namespace continuo::control {
namespace {

/// What must be equal in a repeat: all but how long the caller waits and what it calls itself. A digest of 128 bits, so
/// that 10,000 large transactions are not kept.
std::string content_of(const v1::ApplyRequest& request) {
  v1::ApplyRequest plain = request;
  plain.clear_wait();
  plain.clear_max_wait_ms();
  plain.clear_client();
  plain.clear_leases();
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);  // maps in order
    plain.SerializeToCodedStream(&coded);
  }
  std::uint64_t a = 14695981039346656037ull;
  std::uint64_t b = 0x9e3779b97f4a7c15ull;
  for (const char c : bytes) {
    a = (a ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    b = (b + static_cast<unsigned char>(c)) * 0xbf58476d1ce4e5b9ull;
    b ^= b >> 29;
  }
  return std::to_string(bytes.size()) + ":" + std::to_string(a) + ":" + std::to_string(b);
}

}  // namespace

RequestLog::RequestLog(std::function<std::int64_t()> utc_ns)
    : utc_ns_(utc_ns ? std::move(utc_ns) : journal::utc_now_ns) {}

void Outcome::changed() {
  // A listener may add one, or end the transaction's life.
  auto listeners = std::exchange(on_change, {});
  for (auto& listener : listeners) listener();
}

Result<std::shared_ptr<Outcome>> RequestLog::find(const std::string& identity, const v1::ApplyRequest& request) {
  expire();
  const auto found = entries_.find({identity, request.request_id()});
  if (found == entries_.end()) return std::shared_ptr<Outcome>();
  if (found->second->named->content != content_of(request)) {
    return make_error(ErrorKind::invalid_argument, "REQUEST_ID_REUSED", "request_id",
                      "this request id was used for another transaction within the last 10 minutes: take a new one");
  }
  return found->second->outcome;
}

void RequestLog::add(const v1::ApplyRequest& request, std::shared_ptr<Outcome> outcome) {
  auto named = std::make_shared<KeptRequest::Named>();
  *named = {outcome->identity, request.request_id(), content_of(request), utc_ns_()};
  put(Clock::now(), std::move(named), std::move(outcome));
  expire();
}

void RequestLog::forget(const std::string& identity, const std::string& request_id) {
  const auto found = entries_.find({identity, request_id});
  if (found == entries_.end()) return;
  found->second->gone = true;
  entries_.erase(found);
}

void RequestLog::put(Clock::time_point at, std::shared_ptr<const KeptRequest::Named> named,
                     std::shared_ptr<Outcome> outcome) {
  Key key{named->identity, named->id};
  const auto entry = std::make_shared<Entry>(Entry{at, std::move(named), std::move(outcome)});
  EntryPtr& place = entries_[std::move(key)];
  if (place) place->gone = true;
  place = entry;
  ages_.push_back(entry);
}

std::vector<KeptRequest> RequestLog::kept() {
  expire();
  std::vector<KeptRequest> all;
  all.reserve(ages_.size());
  for (const EntryPtr& entry : ages_) {
    const std::shared_ptr<Outcome>& outcome = entry->outcome;
    const auto how = outcome->response.outcome();
    const bool done = how == v1::ApplyResponse::OUTCOME_COMMITTED || how == v1::ApplyResponse::OUTCOME_APPLIED;
    if (entry->gone || !outcome->known || (outcome->error ? passes(*outcome->error) : !done)) continue;
    std::shared_ptr<const Outcome> fixed = outcome;
    if (!outcome->final) {
      // It will be written again: as it is now.
      auto copy = std::make_shared<Outcome>();
      copy->response = outcome->response;
      copy->stand = outcome->stand;
      fixed = std::move(copy);
    }
    all.push_back({entry->named, std::move(fixed)});
  }
  return all;
}

void RequestLog::restore(const std::vector<KeptRequest>& entries) {
  const Clock::time_point now = Clock::now();
  const std::int64_t utc = utc_ns_();
  std::deque<EntryPtr> newer = std::exchange(ages_, {});  // what came since the start is behind them
  for (const KeptRequest& entry : entries) {
    const std::chrono::nanoseconds age(std::max<std::int64_t>(0, utc - entry.named->utc_ns));
    if (age > kLife || entries_.contains({entry.named->identity, entry.named->id})) continue;
    auto outcome = std::make_shared<Outcome>(*entry.outcome);
    outcome->known = outcome->final = true;
    outcome->stand = 0;  // it is in every document from now on
    put(now - std::chrono::duration_cast<Clock::duration>(age), entry.named, std::move(outcome));
  }
  // By age, for they end in that order: the clock may have been set back between them.
  std::ranges::sort(ages_, {}, [](const EntryPtr& entry) { return entry->at; });
  ages_.insert(ages_.end(), newer.begin(), newer.end());
  expire();
}

bool passes(const Error& error) {
  return error.kind == ErrorKind::resource_exhausted || error.kind == ErrorKind::unavailable ||
         error.kind == ErrorKind::internal;
}

void RequestLog::expire() {
  const auto now = Clock::now();
  while (!ages_.empty() && (ages_.size() > kKept || now - ages_.front()->at > kLife)) {
    const EntryPtr entry = std::move(ages_.front());
    ages_.pop_front();
    if (!entry->gone) entries_.erase({entry->named->identity, entry->named->id});
  }
}

}  // namespace continuo::control
