#include "server/control/request_log.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <utility>

namespace continuo::control {
namespace {

/// What must be equal in a repeat: all but how long the caller waits and what it calls itself. A digest of 128 bits, so
/// that 10,000 large transactions are not kept.
std::string content_of(const v1::ApplyRequest& request) {
  v1::ApplyRequest plain = request;
  plain.clear_wait();
  plain.clear_max_wait_ms();
  plain.clear_client();
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

void Outcome::changed() {
  // A listener may add one, or end the transaction's life.
  auto listeners = std::exchange(on_change, {});
  for (auto& listener : listeners) listener();
}

Result<std::shared_ptr<Outcome>> RequestLog::find(const std::string& identity, const v1::ApplyRequest& request) {
  expire();
  const auto found = entries_.find({identity, request.request_id()});
  if (found == entries_.end()) return std::shared_ptr<Outcome>();
  if (found->second.content != content_of(request)) {
    return make_error(ErrorKind::invalid_argument, "REQUEST_ID_REUSED", "request_id",
                      "this request id was used for another transaction within the last 10 minutes: take a new one");
  }
  return found->second.outcome;
}

void RequestLog::add(const v1::ApplyRequest& request, std::shared_ptr<Outcome> outcome) {
  Key key{outcome->identity, request.request_id()};
  entries_[key] = {++serial_, content_of(request), std::move(outcome)};
  ages_.push_back({Clock::now(), std::move(key), serial_});
  expire();
}

void RequestLog::expire() {
  const auto now = Clock::now();
  while (!ages_.empty() && (ages_.size() > kKept || now - ages_.front().at > kLife)) {
    const auto found = entries_.find(ages_.front().key);
    if (found != entries_.end() && found->second.serial == ages_.front().serial) entries_.erase(found);
    ages_.pop_front();
  }
}

}  // namespace continuo::control
