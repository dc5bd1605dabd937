#include <set>

#include "server/session/edit_ops.hpp"
#include "server/session/names.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/validate.hpp"

namespace continuo::session {
namespace {

using Points = google::protobuf::RepeatedPtrField<v1::AutomationPoint>;

/// Shapes; what the values mean is check_lane()'s.
Result<std::vector<LanePoint>> read_points(const Points& given, const std::string& field) {
  if (static_cast<std::size_t>(given.size()) > kMaxLanePoints)
    return bad("TOO_MANY", field, "a lane has at most " + std::to_string(kMaxLanePoints) + " points");
  std::vector<LanePoint> points;
  points.reserve(static_cast<std::size_t>(given.size()));
  for (int i = 0; i < given.size(); ++i) {
    if (!given[i].has_frame() || !given[i].has_value()) {
      const std::string missing = given[i].has_frame() ? "value" : "frame";
      return bad("MISSING_FIELD", field + "[" + std::to_string(i) + "]." + missing, "a point needs a " + missing);
    }
    const std::optional<LaneCurve> curve = parse_curve(given[i].curve());
    if (!curve) return unknown_curve(given[i].curve(), field + "[" + std::to_string(i) + "].curve");
    points.push_back({given[i].frame(), given[i].value() + 0.0, *curve});  // -0 and 0 are one value
  }
  return points;
}

/// The sound has the parameter's own value again.
void give_back(Editing& edit, const DocNode& node, const std::string& path, const ParamSpec& spec) {
  edit.result.params.push_back({.node = node.uid,
                                .path = path,
                                .param = std::string(spec.name),
                                .value = number_of(node, spec.name),
                                .rt_index = spec.rt_index,
                                .ramp_ms = spec.smoothing_ms});
}

struct Target {
  DocNode* node = nullptr;
  const ParamSpec* spec = nullptr;
};
template <class Op>
Result<Target> target_of(Editing& edit, const Op& op, const std::string& field) {
  DocNode* const node = edit_node(edit.document, op.path());
  if (node == nullptr) return no_node(op.path(), field + ".path");
  const TypeSpec& type = *find_type(node->type);
  const ParamSpec* const spec = type.find(op.param());
  if (spec == nullptr) return unknown_param(type, op.param(), field + ".param");
  return Target{node, spec};
}

Error no_lane(const Target& target, const std::string& path, const std::string& field) {
  return make_error(ErrorKind::not_found, "NO_AUTOMATION", field,
                    quoted(path) + " has no automation lane for " + std::string(target.spec->name));
}

}  // namespace

Result<> set_automation(Editing& edit, const v1::SetAutomation& op, const std::string& field) {
  const Result<Target> target = target_of(edit, op, field);
  if (!target) return target.error();
  if (const Result<> fit = check_automatable(*target->spec, field + ".param"); !fit) return fit.error();
  DocNode& node = *target->node;
  const auto found = node.lanes.find(op.param());
  const bool known = found != node.lanes.end();
  if (op.points().empty() && !known) return no_lane(*target, op.path(), field + ".points");
  DocLane lane;
  if (known) lane = found->second;
  if (op.has_on()) lane.on = op.on();
  if (!op.points().empty()) {
    Result<std::vector<LanePoint>> points = read_points(op.points(), field + ".points");
    if (!points) return points.error();
    lane.points = std::make_shared<const std::vector<LanePoint>>(std::move(*points));
    if (const Result<> good = check_lane(*target->spec, lane, field); !good) return good.error();
  }
  *edit.result.accepted.emplace_back().mutable_set_automation() = op;
  if (known && found->second == lane) return {};
  if (known && found->second.on && !lane.on) give_back(edit, node, op.path(), *target->spec);
  edit.result.changed = edit.result.structural = edit.lanes_touched = true;
  node.lanes[op.param()] = std::move(lane);
  return {};
}

Result<> clear_automation(Editing& edit, const v1::ClearAutomation& op, const std::string& field) {
  const Result<Target> target = target_of(edit, op, field);
  if (!target) return target.error();
  const auto found = target->node->lanes.find(op.param());
  if (found == target->node->lanes.end()) return no_lane(*target, op.path(), field + ".param");
  if (found->second.on) give_back(edit, *target->node, op.path(), *target->spec);
  target->node->lanes.erase(found);
  *edit.result.accepted.emplace_back().mutable_clear_automation() = op;
  edit.result.changed = edit.result.structural = true;
  return {};
}

void leave_to_lanes(Editing& edit) {
  if (!edit.lanes_touched && edit.mode == EditMode::client) return;  // else none was set under one that is on
  std::set<std::pair<rt::Uid, std::string>> on;
  for_each_node(edit.document.nodes, "", [&](const std::string&, const DocNode& node) {
    for (const auto& [param, lane] : node.lanes)
      if (lane.on) on.emplace(node.uid, param);
  });
  std::erase_if(edit.result.params,
                [&](const ParamChange& change) { return on.contains({change.node, change.param}); });
}

}  // namespace continuo::session
