#include "server/session/automation.hpp"

#include "server/session/document.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {
namespace {

Result<> check_point(const ParamSpec& spec, const LanePoint& point, const LanePoint* before, const std::string& field) {
  if (point.frame < 0 || point.frame > kMaxLaneFrame)
    return bad("OUT_OF_RANGE", field + ".frame", "frame must be 0 to " + std::to_string(kMaxLaneFrame));
  if (before != nullptr && point.frame <= before->frame) {
    return bad("NOT_RISING", field + ".frame",
               "frame " + std::to_string(point.frame) + " does not come after " + std::to_string(before->frame));
  }
  if (const Result<Value> value = check_value(spec, point.value, field + ".value"); !value) return value.error();
  const bool exponential = before != nullptr && before->curve == LaneCurve::exponential;
  if ((exponential || point.curve == LaneCurve::exponential) && point.value <= 0.0) {
    return bad("NOT_POSITIVE", field + ".value",
               "both ends of an exponential segment must be above 0; in decibels a linear one is what sounds even");
  }
  return {};
}

}  // namespace

Result<> check_automatable(const ParamSpec& spec, const std::string& field) {
  if (spec.kind == ParamKind::number && spec.rt_index >= 0 && !spec.structural) return {};
  return make_error(ErrorKind::failed_precondition, "NOT_AUTOMATABLE", field,
                    std::string(spec.name) + " cannot be automated: only numbers that change without a new node can");
}

Result<> check_lane(const ParamSpec& spec, const DocLane& lane, const std::string& field) {
  if (const Result<> fit = check_automatable(spec, field); !fit) return fit.error();
  const std::vector<LanePoint>& points = *lane.points;
  const std::string where = field + ".points";
  if (points.empty()) return bad("MISSING_FIELD", where, "a lane has at least one point");
  if (points.size() > kMaxLanePoints)
    return bad("TOO_MANY", where, "a lane has at most " + std::to_string(kMaxLanePoints) + " points");
  for (std::size_t i = 0; i < points.size(); ++i) {
    // The text is made for the error alone: there may be a million points.
    const LanePoint* const before = i == 0 ? nullptr : &points[i - 1];
    if (const Result<> good = check_point(spec, points[i], before, ""); good) continue;
    return check_point(spec, points[i], before, where + "[" + std::to_string(i) + "]").error();
  }
  return {};
}

Result<> check_lanes(const DocNode& node, const std::string& field) {
  if (node.lanes.empty()) return {};
  const TypeSpec& type = *find_type(node.type);
  for (const auto& [param, lane] : node.lanes) {
    const std::string where = field + ".automation." + field_name(param);
    const ParamSpec* spec = type.find(param);
    if (spec == nullptr) return unknown_param(type, param, where);
    if (const Result<> good = check_lane(*spec, lane, where); !good) return good.error();
  }
  return {};
}

Result<> check_lane_counts(const NodeList& nodes, const std::string& field) {
  std::size_t lanes = 0, points = 0;
  for_each_node(nodes, "", [&](const std::string&, const DocNode& node) {
    lanes += node.lanes.size();
    for (const auto& [param, lane] : node.lanes) points += lane.points->size();
  });
  if (lanes > kMaxAutomationLanes)
    return bad("TOO_MANY", field, "more than " + std::to_string(kMaxAutomationLanes) + " automation lanes");
  if (points > kMaxAutomationPoints)
    return bad("TOO_MANY", field, "more than " + std::to_string(kMaxAutomationPoints) + " points of automation");
  return {};
}

Result<> check_not_automated(const DocNode& node, const std::string& param, const std::string& field) {
  const auto lane = node.lanes.find(param);
  if (lane == node.lanes.end() || !lane->second.on) return {};
  return make_error(ErrorKind::failed_precondition, "AUTOMATED", field,
                    param + " follows its automation lane: switch the lane off first");
}

std::optional<LaneCurve> parse_curve(std::string_view text) {
  if (text.empty() || text == "linear") return LaneCurve::linear;
  if (text == "exponential") return LaneCurve::exponential;
  if (text == "hold") return LaneCurve::hold;
  return std::nullopt;
}

const char* to_string(LaneCurve curve) {
  switch (curve) {
    case LaneCurve::linear:
      return "linear";
    case LaneCurve::exponential:
      return "exponential";
    case LaneCurve::hold:
      break;
  }
  return "hold";
}

Error unknown_curve(std::string_view text, const std::string& field) {
  return bad("BAD_CHOICE", field, R"(curve must be one of "linear" "exponential" "hold", not )" + quoted(text));
}

}  // namespace continuo::session
