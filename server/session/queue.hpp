// THREAD: any, one at a time - a player's queue as part of the document, and as the engine takes it
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "continuo/v1/types.pb.h"
#include "server/base/result.hpp"
#include "server/session/document.hpp"
#include "server/session/impulse_table.hpp"

namespace continuo::session {

inline constexpr std::int64_t kMaxQueueFrame = std::int64_t{1} << 48;
inline constexpr std::uint32_t kMaxQueueLoops = 1'000'000;
inline constexpr double kMaxQueueFadeMs = 600'000.0;

/// "linear", "equal_power"; "" is linear.
[[nodiscard]] std::optional<QueueCurve> parse_queue_curve(std::string_view text);
[[nodiscard]] const char* to_string(QueueCurve curve);
[[nodiscard]] Error unknown_queue_curve(std::string_view text, const std::string& field);

/// Ranges. `field` names the item.
[[nodiscard]] Result<> check_item(const QueueItem& item, const std::string& field);
/// Of a node: that it may have one, and each item. `field` names the node.
[[nodiscard]] Result<> check_queue(const DocNode& node, const std::string& field);

/// Shape and curves; `item` keeps what is not given. `field` names the item.
[[nodiscard]] Result<> merge_item(QueueItem& item, const v1::QueueItem& given, const std::string& field);
[[nodiscard]] v1::QueueItem item_to_proto(const QueueItem& item);

/// An item with what is known of its file: ready to be read.
struct CompiledItem {
  rt::Uid uid = 0;
  std::string file;
  MediaFacts facts;
  std::int64_t begin = 0;  // frames of the file
  std::int64_t end = 0;
  std::int64_t loops = 1;
  double gain = 1.0;
  std::int64_t fade_in = 0;
  std::int64_t fade_out = 0;
  QueueCurve fade_in_curve = QueueCurve::linear;
  QueueCurve fade_out_curve = QueueCurve::linear;
  double crossfade_ms = 0.0;
  QueueCurve crossfade_curve = QueueCurve::linear;
  friend bool operator==(const CompiledItem&, const CompiledItem&) = default;
};
/// As many as the queue has. One whose file is missing, or shorter than its in point, has no frames: it is passed over.
[[nodiscard]] std::vector<CompiledItem> compile_queue(const std::vector<QueueItem>& queue, const MediaTable* media);

}  // namespace continuo::session
