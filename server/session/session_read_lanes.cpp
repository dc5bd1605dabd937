#include <cmath>

#include "server/session/session_read.hpp"

namespace continuo::session {

bool SessionReader::read_lanes(std::map<std::string, DocLane>& into) {
  return json.object(
      [&](const std::string& key) {
        if (into.contains(key)) return json.fail("DUPLICATE_KEY", "the parameter stands here twice");
        if (++lanes > kMaxAutomationLanes)
          return json.fail("TOO_MANY", "more than " + std::to_string(kMaxAutomationLanes) + " automation lanes");
        return read_lane(into[key]);
      },
      false);
}

bool SessionReader::read_lane(DocLane& lane) {
  return json.object([&](const std::string& key) {
    if (key == "on") return json.boolean(lane.on);
    if (key != "points") return unknown_field(key, "on points");
    std::vector<LanePoint> points;
    const bool read = json.array([&](std::size_t index) {
      if (index >= kMaxLanePoints)
        return json.fail("TOO_MANY", "a lane has at most " + std::to_string(kMaxLanePoints) + " points");
      if (++lane_points > kMaxAutomationPoints)
        return json.fail("TOO_MANY", "more than " + std::to_string(kMaxAutomationPoints) + " points of automation");
      return read_point(points.emplace_back());
    });
    lane.points = std::make_shared<const std::vector<LanePoint>>(std::move(points));
    return read;
  });
}

bool SessionReader::read_point(LanePoint& point) {
  bool frame = false;
  bool value = false;
  const bool read = json.object([&](const std::string& key) {
    if (key == "frame") {
      std::uint64_t number = 0;
      frame = true;
      if (!read_unsigned(number, static_cast<std::uint64_t>(kMaxLaneFrame))) return false;
      point.frame = static_cast<std::int64_t>(number);
      return true;
    }
    if (key == "value") {
      value = true;
      if (!json.number(point.value)) return false;
      point.value += 0.0;  // -0 and 0 are one value
      return true;
    }
    if (key != "curve") return unknown_field(key, "frame value curve");
    std::string text;
    if (!json.string(text)) return false;
    const std::optional<LaneCurve> curve = parse_curve(text);
    if (!curve) return json.fail(unknown_curve(text, json.field()));
    point.curve = *curve;
    return true;
  });
  if (!read) return false;
  if (!frame || !value)
    return json.fail("MISSING_FIELD", std::string("a point needs ") + (frame ? "\"value\"" : "\"frame\""));
  return true;
}

}  // namespace continuo::session
