// THREAD: control - who has exclusive control of which part of the session, and until when
#pragma once

#include <google/protobuf/repeated_field.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "continuo/v1/lease.pb.h"
#include "server/base/result.hpp"
#include "server/control/graph.hpp"
#include "server/control/history.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/lease_cover.hpp"
#include "server/control/timer.hpp"

namespace continuo::control {

/// The table of leases. One is given in a job, so that no transaction which was judged before is committed after it;
/// each transaction is judged in its own. Bound: kMaxHeld; the loser is the newcomer.
/// A token is 128 random bits, compared in constant time; it leaves in the answer to who acquires or renews the lease,
/// and is in no list, event, journal or log.
class Leases {
 public:
  using Clock = std::chrono::steady_clock;
  using Tokens = google::protobuf::RepeatedPtrField<std::string>;
  static constexpr std::size_t kMaxHeld = 64;
  static constexpr int kMaxTokens = 16;  // of one request
  static constexpr double kDefaultSeconds = 30.0;
  static constexpr double kMaxSeconds = 86'400.0;

  struct Parts {
    Strand& strand;
    JobQueue& jobs;
    const Graph& graph;
    History& history;
    std::function<Clock::time_point()> now;
    std::function<std::int64_t()> utc_ns;
  };
  explicit Leases(Parts parts) : parts_(std::move(parts)), timer_(parts_.strand) {}

  template <class T>
  using Done = std::function<void(Result<T>)>;
  void acquire(v1::AcquireLeaseRequest request, const std::string& identity, Done<v1::Lease> done);
  [[nodiscard]] Result<v1::Lease> renew(const v1::RenewLeaseRequest& request);
  [[nodiscard]] Result<> release(const v1::ReleaseLeaseRequest& request);
  [[nodiscard]] Result<> break_one(const v1::BreakLeaseRequest& request, const std::string& identity);
  [[nodiscard]] v1::ListLeasesResponse list();

  /// Nobody need be asked.
  [[nodiscard]] bool none() const noexcept { return held_.empty(); }
  /// FAILED_PRECONDITION, LEASED, where these operations, which make `after` of `before`, touch what is leased to none
  /// of `tokens`. `recording`: see touches_of().
  [[nodiscard]] Result<> check(const session::Operations& operations, const session::Document& before,
                               const session::Document& after, const std::set<std::string>& recording,
                               const Tokens& tokens);
  /// The same for what is done to one node, or, where `path` is "", to the whole.
  [[nodiscard]] Result<> check_at(const std::string& path, const Tokens& tokens);
  /// The same for what needs every lease that there is: a load.
  [[nodiscard]] Result<> check_all(const Tokens& tokens);
  /// Rises whenever a lease comes, goes, or covers another path: for who keeps what check_at() said.
  [[nodiscard]] std::uint64_t version();

  /// The document of now is another one: nodes may be gone, or be called otherwise.
  void follow();
  /// Another session is in place.
  void session_loaded();
  void close() { timer_.cancel(); }

 private:
  using Token = std::array<unsigned char, 16>;
  struct Held {
    std::uint64_t id = 0;
    Part part;
    Token token{};
    v1::Origin holder;
    std::string note;
    double seconds = 0.0;
    Clock::time_point ends;
  };
  [[nodiscard]] Result<v1::Lease> give(const v1::AcquireLeaseRequest& request, const std::string& identity);
  [[nodiscard]] v1::Lease describe(const Held& held) const;
  void tell(const Held& held, v1::LeaseEvent::Kind kind, const v1::Origin* by = nullptr);
  /// Takes those out for which `gone` is true, and tells so.
  template <class Gone>
  void end(v1::LeaseEvent::Kind kind, const Gone& gone);
  /// Those whose time is over. Before every look at the table: the timer may be late.
  void expire();
  void arm();
  [[nodiscard]] Held* find(const std::string& token);
  [[nodiscard]] static bool among(const Token& token, const Tokens& tokens);

  Parts parts_;
  Timer timer_;
  std::vector<Held> held_;  // in the order of their ids
  std::uint64_t next_id_ = 1;
  std::uint64_t version_ = 1;
};

/// The shape of a list of tokens: INVALID_ARGUMENT names `leases`.
[[nodiscard]] Result<> check_tokens(const Leases::Tokens& tokens);

}  // namespace continuo::control
