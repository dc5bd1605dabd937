#include <algorithm>
#include <cmath>
#include <string>

#include "rt/nodes/delay.hpp"
#include "rt/nodes/matrix.hpp"
#include "rt/nodes/reverb.hpp"
#include "server/session/expand.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/processor_makers.hpp"

namespace continuo::session {
namespace {

using Node = std::unique_ptr<rt::Node>;

std::string text(double value) { return std::to_string(value) + " "; }

std::uint32_t most_frames(const DocNode& node, double sample_rate_hz) {
  const auto frames = static_cast<std::uint32_t>(std::lround(number_of(node, "max_ms") * 1e-3 * sample_rate_hz));
  return std::min(frames, rt::kMaxDelayFrames);
}
ProcessorShape delay_shape(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) {
  return {.kind = &rt::delay_kind(),
          .out_count = in_count,
          .variant = stable_hash(text(most_frames(node, sample_rate_hz)) + text(in_count) + text(sample_rate_hz)),
          .has_tail = true};
}
Node make_delay(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) {
  return Node(rt::make_delay(node.uid, in_count, most_frames(node, sample_rate_hz)));
}

ProcessorShape matrix_shape(const DocNode& node, std::uint32_t, double) {
  const auto outs = static_cast<std::uint32_t>(number_of(node, "channels"));
  return {.kind = &rt::matrix_kind(), .out_count = outs, .variant = outs};
}
Node make_matrix(const DocNode& node, std::uint32_t, double) { return Node(rt::make_matrix(node.uid)); }

rt::ReverbRoom room_of(const DocNode& node) {
  return {.size = number_of(node, "size"), .predelay_ms = number_of(node, "predelay_ms")};
}
ProcessorShape reverb_shape(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) {
  const rt::ReverbRoom room = room_of(node);
  return {.kind = &rt::reverb_kind(),
          .out_count = in_count == 1 ? 2 : in_count,
          .variant = stable_hash(text(room.size) + text(room.predelay_ms) + text(in_count) + text(sample_rate_hz)),
          .has_tail = true};
}
Node make_reverb(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) {
  return Node(rt::make_reverb(node.uid, in_count, room_of(node), sample_rate_hz));
}

constexpr ProcessorMaker kMakers[] = {
    {"delay", false, delay_shape, make_delay},
    {"matrix", false, matrix_shape, make_matrix},
    {"reverb", false, reverb_shape, make_reverb},
};

}  // namespace

std::span<const ProcessorMaker> time_makers() { return kMakers; }

}  // namespace continuo::session
