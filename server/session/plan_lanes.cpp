#include "server/session/plan_lanes.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "server/session/frames.hpp"
#include "server/session/node_registry.hpp"

namespace continuo::session {
namespace {

rt::Segment segment_of(LaneCurve curve) {
  switch (curve) {
    case LaneCurve::linear:
      return rt::Segment::linear;
    case LaneCurve::exponential:
      return rt::Segment::exponential;
    case LaneCurve::hold:
      break;
  }
  return rt::Segment::hold;
}

std::shared_ptr<const rt::AutomationLane> convert(const std::vector<LanePoint>& points, double from_hz, double to_hz) {
  auto lane = std::make_shared<rt::AutomationLane>();
  lane->points.reserve(points.size());
  for (const LanePoint& point : points)
    lane->points.push_back({convert_frames(point.frame, from_hz, to_hz), point.value, segment_of(point.curve)});
  return lane;
}

/// Others that bear the node's number have none of its parameters.
bool has_params(FlatRole role) {
  return role == FlatRole::player || role == FlatRole::generator || role == FlatRole::processor ||
         role == FlatRole::fader;
}

}  // namespace

PlanLanes::Lanes PlanLanes::lanes_of(const FlatNode& node, const CompileRequest& request) const {
  if (node.doc != nullptr && node.doc->lanes.empty()) return {};
  const auto before = lanes_.find(node.key);
  if (node.doc == nullptr) return before == lanes_.end() ? Lanes() : before->second;
  const double engine_rate = request.shape.sample_rate_hz;
  const double session_rate = request.document->sample_rate_hz == 0 ? engine_rate : request.document->sample_rate_hz;
  Lanes lanes;
  for (const auto& [name, doc] : node.doc->lanes) {
    if (!doc.on) continue;
    const ParamSpec& spec = *find_type(node.doc->type)->find(name);
    Lane& lane = lanes.emplace_back();
    lane.param = static_cast<std::uint16_t>(spec.rt_index);
    lane.glide_frames = static_cast<std::uint32_t>(std::lround(spec.smoothing_ms * engine_rate / 1000.0));
    lane.session_rate_hz = session_rate;
    lane.engine_rate_hz = engine_rate;
    lane.points = doc.points;
    if (before != lanes_.end()) {
      for (const Lane& was : before->second) {
        const bool same = was.param == lane.param && was.session_rate_hz == session_rate &&
                          was.engine_rate_hz == engine_rate &&
                          (was.points == lane.points || *was.points == *lane.points);
        if (same) lane.lane = was.lane;
      }
    }
    if (lane.lane == nullptr) lane.lane = convert(*doc.points, session_rate, engine_rate);
  }
  return lanes;
}

void PlanLanes::write(const CompileRequest& request, const FlatGraph& graph, const OpList& list, rt::RenderPlan& plan) {
  std::unordered_map<FlatKey, Lanes, FlatKeyHash> now;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const FlatNode& node = graph.nodes[i];
    if (list.live[i] == nullptr || !list.live[i]->addressed || !has_params(node.key.role)) continue;
    Lanes lanes = lanes_of(node, request);
    if (lanes.empty()) continue;
    for (const Lane& lane : lanes) {
      plan.lanes.push_back({.entry = &plan.nodes[list.live[i]->ref.slot],
                            .param = lane.param,
                            .glide_frames = lane.glide_frames,
                            .delay = node.arrival_frames,
                            .lane = lane.lane});
    }
    now.emplace(node.key, std::move(lanes));
  }
  std::sort(plan.lanes.begin(), plan.lanes.end(), [](const rt::PlanLane& a, const rt::PlanLane& b) {
    const std::less<const rt::Node*> less;
    return a.entry->node != b.entry->node ? less(a.entry->node, b.entry->node) : a.param < b.param;
  });
  lanes_ = std::move(now);
}

}  // namespace continuo::session
