// THREAD: any, one at a time - automation lanes of the document: breakpoints that a parameter follows
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/base/result.hpp"

namespace continuo::session {

struct DocNode;
template <class Node>
class BasicNodeList;
struct ParamSpec;

enum class LaneCurve : std::uint8_t { linear, exponential, hold };

struct LanePoint {
  std::int64_t frame = 0;  // of the timeline, the session's rate
  double value = 0.0;
  LaneCurve curve = LaneCurve::linear;  // to the next
  friend bool operator==(const LanePoint&, const LanePoint&) = default;
};

/// A value, as the rest of the document. The points are shared by all copies and never changed: documents are copied
/// with every edit.
struct DocLane {
  bool on = true;
  std::shared_ptr<const std::vector<LanePoint>> points = std::make_shared<const std::vector<LanePoint>>();
  friend bool operator==(const DocLane& a, const DocLane& b) {
    return a.on == b.on && (a.points == b.points || *a.points == *b.points);
  }
};

/// Limits; beyond them a document is refused. As many lanes run at once on the audio thread.
inline constexpr std::size_t kMaxLanePoints = 65536;
inline constexpr std::size_t kMaxAutomationLanes = 4096;      // of a document
inline constexpr std::size_t kMaxAutomationPoints = 1000000;  // of a document
inline constexpr std::int64_t kMaxLaneFrame = std::int64_t{1} << 50;

/// FAILED_PRECONDITION, NOT_AUTOMATABLE, for what is no number that the audio thread moves.
[[nodiscard]] Result<> check_automatable(const ParamSpec& spec, const std::string& field);

/// Frames that rise, values in the parameter's range, exponentials above 0. `field` names the lane: an error is
/// "<field>.points[2].value".
[[nodiscard]] Result<> check_lane(const ParamSpec& spec, const DocLane& lane, const std::string& field);

/// Every lane of a node. `field` names the node.
[[nodiscard]] Result<> check_lanes(const DocNode& node, const std::string& field);

/// Of all nodes together. `field` names the list of nodes.
[[nodiscard]] Result<> check_lane_counts(const BasicNodeList<DocNode>& nodes, const std::string& field);

/// FAILED_PRECONDITION, AUTOMATED, where the parameter's lane is on.
[[nodiscard]] Result<> check_not_automated(const DocNode& node, const std::string& param, const std::string& field);

/// "linear", "exponential", "hold"; "" is linear.
[[nodiscard]] std::optional<LaneCurve> parse_curve(std::string_view text);
[[nodiscard]] const char* to_string(LaneCurve curve);
[[nodiscard]] Error unknown_curve(std::string_view text, const std::string& field);

}  // namespace continuo::session
