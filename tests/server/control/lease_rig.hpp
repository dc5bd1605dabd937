// THREAD: test - an engine whose leases end when the test says so, and what is told of them
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "tests/server/control/scheduled_rig.hpp"

namespace continuo::control::test {

/// Made before the engine.
struct LeaseClock {
  std::shared_ptr<std::chrono::steady_clock::time_point> lease_time =
      std::make_shared<std::chrono::steady_clock::time_point>(std::chrono::hours(1000));
};

class LeaseRig : private LeaseClock, public ScheduledRig {
 public:
  explicit LeaseRig(RigOptions options = {}) : ScheduledRig(with_clock(std::move(options), lease_time)) {
    events_ = watch();
  }

  void pass(double seconds) {
    *lease_time +=
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
  }
  Result<v1::Lease> acquire(const std::string& path, double seconds = 30.0, const std::vector<std::string>& held = {},
                            const std::string& who = "user anna") {
    v1::AcquireLeaseRequest request;
    request.set_path(path);
    request.set_seconds(seconds);
    request.set_client("desk");
    for (const std::string& token : held) request.add_leases(token);
    return acquire(request, who);
  }
  Result<v1::Lease> acquire(const v1::AcquireLeaseRequest& request, const std::string& who = "user anna") {
    return answer<v1::Lease>([&](auto done) { engine->acquire_lease(request, std::move(done), who); });
  }
  std::string take(const std::string& path, double seconds = 30.0, const std::vector<std::string>& held = {}) {
    const auto lease = acquire(path, seconds, held);
    REQUIRE_MESSAGE(lease, lease.error().message);
    return lease->token();
  }
  Result<v1::Lease> renew(const std::string& token, double seconds = 0.0) {
    v1::RenewLeaseRequest request;
    request.set_token(token);
    if (seconds != 0.0) request.set_seconds(seconds);
    return answer<v1::Lease>([&](auto done) { engine->renew_lease(request, std::move(done)); });
  }
  Result<v1::ReleaseLeaseResponse> release(const std::string& token) {
    v1::ReleaseLeaseRequest request;
    request.set_token(token);
    return answer<v1::ReleaseLeaseResponse>([&](auto done) { engine->release_lease(request, std::move(done)); });
  }
  Result<v1::BreakLeaseResponse> break_lease(std::uint64_t id) {
    v1::BreakLeaseRequest request;
    request.set_lease_id(id);
    request.set_client("office");
    return answer<v1::BreakLeaseResponse>(
        [&](auto done) { engine->break_lease(request, std::move(done), "user boss"); });
  }
  std::vector<v1::Lease> leases() {
    const auto all = answer<v1::ListLeasesResponse>([&](auto done) { engine->list_leases(std::move(done)); });
    REQUIRE(all);
    return {all->leases().begin(), all->leases().end()};
  }
  /// What was told since the last call.
  std::vector<v1::LeaseEvent> told() {
    std::vector<v1::LeaseEvent> all;
    while (const auto message = events_->next({}))
      if (message->has_lease()) all.push_back(message->lease());
    return all;
  }
  Result<v1::ApplyResponse> edit(const std::string& operations, const std::vector<std::string>& tokens = {}) {
    v1::ApplyRequest wanted = request("{'operations':[" + operations + "]}");
    wanted.set_max_wait_ms(60'000);
    for (const std::string& token : tokens) wanted.add_leases(token);
    return apply(wanted);
  }
  /// Judges `operations` and does nothing: the reason for which they would be refused, or "".
  std::string refusal(const std::string& operations, const std::vector<std::string>& tokens = {}) {
    v1::ApplyRequest wanted = request("{'operations':[" + operations + "],'dryRun':true}");
    for (const std::string& token : tokens) wanted.add_leases(token);
    const auto answer = apply(wanted);
    REQUIRE_MESSAGE(answer, answer.error().message);
    return answer->problems().empty() ? "" : answer->problems(0).reason();
  }

 private:
  static RigOptions with_clock(RigOptions options,
                               const std::shared_ptr<std::chrono::steady_clock::time_point>& lease_time) {
    options.adjust = [lease_time, before = options.adjust](EngineConfig& config) {
      if (before) before(config);
      config.lease_clock = [lease_time] { return *lease_time; };
    };
    return options;
  }
  std::shared_ptr<Feed<v1::WatchResponse>> events_;
};

inline std::string track(const std::string& id, const std::string& parent = "") {
  return "{'addNode':{'parent':'" + parent + "','node':{'id':'" + id + "','type':'track'}}}";
}
inline std::string gain(const std::string& path, int db) {
  return "{'setParams':{'path':'" + path + "','values':{'gain_db':" + std::to_string(db) + "}}}";
}
inline std::string move_to(const std::string& path, const std::string& parent) {
  return "{'moveNode':{'path':'" + path + "','parent':'" + parent + "'}}";
}
inline std::string box(const std::string& id) { return "{'addNode':{'node':{'id':'" + id + "','type':'container'}}}"; }

inline bool leased(const auto& result) { return !result && result.error().reason == "LEASED"; }

}  // namespace continuo::control::test
