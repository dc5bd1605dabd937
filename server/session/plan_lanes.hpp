// THREAD: control or render - the document's automation lanes, as a plan names them
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "rt/automation.hpp"
#include "server/session/lower.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::session {

/// Lanes that are on, in engine-rate frames. One that did not change keeps its object, by which the audio thread knows
/// it; what only fades out goes on under the lane that it had.
class PlanLanes {
 public:
  /// To be called once a compile, when the plan is whole.
  void write(const CompileRequest& request, const FlatGraph& graph, const OpList& list, rt::RenderPlan& plan);

 private:
  struct Lane {
    std::uint16_t param = 0;
    std::uint32_t glide_frames = 0;
    double session_rate_hz = 0.0;
    double engine_rate_hz = 0.0;
    std::shared_ptr<const std::vector<LanePoint>> points;
    std::shared_ptr<const rt::AutomationLane> lane;
  };
  using Lanes = std::vector<Lane>;

  [[nodiscard]] Lanes lanes_of(const FlatNode& node, const CompileRequest& request) const;

  std::unordered_map<FlatKey, Lanes, FlatKeyHash> lanes_;  // of the last plan
};

}  // namespace continuo::session
