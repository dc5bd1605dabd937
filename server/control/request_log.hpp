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
  std::vector<std::function<void()>> on_change;  // called at each of the two; each decides itself whether it is content
  void changed();
};

/// An id is its identity's own. Bounds: kKept outcomes, the oldest goes first; 10 minutes each.
class RequestLog {
 public:
  static constexpr std::size_t kKept = 10'000;
  static constexpr std::chrono::minutes kLife{10};

  /// The outcome under this id, or null. INVALID_ARGUMENT where the id was used for something else.
  [[nodiscard]] Result<std::shared_ptr<Outcome>> find(const std::string& identity, const v1::ApplyRequest& request);
  /// The outcome knows whose it is.
  void add(const v1::ApplyRequest& request, std::shared_ptr<Outcome> outcome);
  /// It was refused for a reason that passes: a repeat is a new attempt.
  void forget(const std::string& identity, const std::string& request_id) { entries_.erase({identity, request_id}); }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    std::uint64_t serial;
    std::string content;
    std::shared_ptr<Outcome> outcome;
  };
  using Key = std::pair<std::string, std::string>;  // identity, request id
  struct Age {
    Clock::time_point at;
    Key key;
    std::uint64_t serial;
  };
  void expire();

  std::map<Key, Entry> entries_;
  std::deque<Age> ages_;
  std::uint64_t serial_ = 0;
};

}  // namespace continuo::control
