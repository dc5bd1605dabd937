// THREAD: control - how the daemon is, in one word with its reasons, and all that the word is made of
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "continuo/v1/system.pb.h"
#include "server/control/device_manager.hpp"
#include "server/control/graph.hpp"
#include "server/control/impulses.hpp"
#include "server/control/media_cache.hpp"
#include "server/control/node_faults.hpp"
#include "server/control/rises.hpp"
#include "server/control/round_trips.hpp"
#include "server/control/sources.hpp"
#include "server/control/takes.hpp"
#include "server/control/uid_source.hpp"
#include "server/device/render_workers.hpp"

namespace continuo::control {

class StatusReport {
 public:
  struct Parts {
    const Graph& graph;
    const MediaCache& media;
    Sources& sources;
    const Takes& takes;
    const DeviceManager& devices;
    AudioLink& link;
    const History& history;
    const UidSource& uids;
    std::function<v1::Clock()> clock;
    const Impulses& impulses;
    NodeFaults& faults;
    const std::unique_ptr<device::RenderWorkers>& workers;  // null: none
    const Transport& transport;
    const RoundTrips& round_trips;
  };
  explicit StatusReport(Parts parts) : parts_(std::move(parts)), since_(std::chrono::steady_clock::now()) {}

  [[nodiscard]] v1::GetStatusResponse make();
  /// A few times a second, whether or not somebody asks: so that what goes wrong has its time.
  v1::GetStatusResponse::Counters look();
  std::string save_problem;                    // why the session could not be saved
  std::map<std::string, std::string> notices;  // what else is not as it should be, by who says so

 private:
  /// Where the last timeline player that does not loop ends; frames of the session.
  [[nodiscard]] std::int64_t timeline_end() const;
  void device(v1::GetStatusResponse& out) const;
  void realtime(v1::GetStatusResponse& out) const;
  void counters(v1::GetStatusResponse& out) const;
  void reasons(v1::GetStatusResponse& out);
  /// What went wrong lately, by the counters of `out`, which has its clock.
  void losses(v1::GetStatusResponse& out, bool tell);

  Parts parts_;
  std::chrono::steady_clock::time_point since_;
  Rises rises_;
};

}  // namespace continuo::control
