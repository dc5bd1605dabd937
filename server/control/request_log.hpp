// THREAD: control - what became of the transactions that had a request id, so that a repeat applies nothing twice
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "server/base/result.hpp"

namespace continuo::control {

/// One transaction's fate as it is known now, and who waits to hear more.
struct Outcome {
  using Done = std::function<void(Result<v1::ApplyResponse>)>;
  std::string identity;                          // who asked, as the door proved it
  v1::ApplyResponse response;                    // valid once `known`
  std::optional<Error> error;                    // refused
  bool known = false;                            // committed, scheduled or refused
  bool final = false;                            // nothing more will become of it
  std::uint64_t stand = 0;                       // Graph::stand() with it; 0: no document was changed
  std::vector<std::function<void()>> on_change;  // called at each of the two; each decides itself whether it is content
  void changed();
};

/// A request id, and what became of it, as it outlives the daemon.
struct KeptRequest {
  struct Named {
    std::string identity;
    std::string id;
    std::string content;      // a digest: what a repeat must be equal in
    std::int64_t utc_ns = 0;  // when it came
  };
  std::shared_ptr<const Named> named;
  std::shared_ptr<const Outcome> outcome;  // is not written any more: any thread may read it
};

/// An id is its identity's own. Bounds: kKept outcomes, the oldest goes first; 10 minutes each.
class RequestLog {
 public:
  static constexpr std::size_t kKept = 10'000;
  static constexpr std::chrono::minutes kLife{10};

  /// `utc_ns`: nanoseconds since 1970; empty: the system's.
  explicit RequestLog(std::function<std::int64_t()> utc_ns = {});

  /// The outcome under this id, or null. INVALID_ARGUMENT where the id was used for something else.
  [[nodiscard]] Result<std::shared_ptr<Outcome>> find(const std::string& identity, const v1::ApplyRequest& request);
  /// The outcome knows whose it is.
  void add(const v1::ApplyRequest& request, std::shared_ptr<Outcome> outcome);
  /// It was refused for a reason that passes: a repeat is a new attempt.
  void forget(const std::string& identity, const std::string& request_id);
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

  /// What a later start should know, the oldest first: what was committed, or refused for good. What is not, or only
  /// held for later, can be tried again.
  [[nodiscard]] std::vector<KeptRequest> kept();
  /// Of an earlier start. An id that is there already stays; one from a time to come (the clock was set back) lives as
  /// long as a new one.
  void restore(const std::vector<KeptRequest>& entries);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    Clock::time_point at;
    std::shared_ptr<const KeptRequest::Named> named;
    std::shared_ptr<Outcome> outcome;
    bool gone = false;
  };
  using EntryPtr = std::shared_ptr<Entry>;
  using Key = std::pair<std::string, std::string>;  // identity, request id
  void expire();
  void put(Clock::time_point at, std::shared_ptr<const KeptRequest::Named> named, std::shared_ptr<Outcome> outcome);

  const std::function<std::int64_t()> utc_ns_;
  std::map<Key, EntryPtr> entries_;
  std::deque<EntryPtr> ages_;  // the oldest first, with those that are gone
};

/// Refused for a reason that passes: a repeat is a new attempt.
[[nodiscard]] bool passes(const Error& error);

}  // namespace continuo::control
