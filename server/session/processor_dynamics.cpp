#include <algorithm>
#include <cmath>

#include "rt/nodes/compressor.hpp"
#include "rt/nodes/gate.hpp"
#include "rt/nodes/limiter.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/processor_makers.hpp"

namespace continuo::session {
namespace {

using Node = std::unique_ptr<rt::Node>;

std::uint32_t lookahead_frames(const DocNode& node, double sample_rate_hz) {
  return static_cast<std::uint32_t>(std::lround(number_of(node, "lookahead_ms") * 1e-3 * sample_rate_hz));
}

ProcessorShape compressor_shape(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) {
  const std::uint32_t lookahead = lookahead_frames(node, sample_rate_hz);
  return {.kind = &rt::compressor_kind(),
          .out_count = in_count,
          .latency_frames = lookahead,
          .lookahead_frames = lookahead,
          .takes_key = true};
}
Node make_compressor(const DocNode& node, std::uint32_t, double) {
  return plain_node(rt::compressor_kind(), node, rt::CompressorParam::count);
}

/// A new gate is closed: it has opened to a fraction of a decibel after some attacks. A fade waits no longer than this.
constexpr double kAttacksToOpen = 7.0;
constexpr double kMostOpening = 0.1;  // seconds

ProcessorShape gate_shape(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) {
  const double opening = std::min(kAttacksToOpen * 1e-3 * number_of(node, "attack_ms"), kMostOpening);
  return {.kind = &rt::gate_kind(),
          .out_count = in_count,
          .settle_frames = static_cast<std::uint32_t>(std::lround(opening * sample_rate_hz)),
          .takes_key = true};
}
Node make_gate(const DocNode& node, std::uint32_t, double) {
  return plain_node(rt::gate_kind(), node, rt::GateParam::count);
}

ProcessorShape limiter_shape(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) {
  const std::uint32_t lookahead = lookahead_frames(node, sample_rate_hz);
  return {.kind = &rt::limiter_kind(),
          .out_count = in_count,
          .variant = std::uint64_t{lookahead} << 32 | in_count,
          .latency_frames = rt::limiter_latency_frames(lookahead)};
}
Node make_limiter(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) {
  return Node(rt::make_limiter(node.uid, in_count, lookahead_frames(node, sample_rate_hz)));
}

constexpr ProcessorMaker kMakers[] = {
    {"compressor", true, compressor_shape, make_compressor},
    {"gate", true, gate_shape, make_gate},
    {"limiter", false, limiter_shape, make_limiter},
};

}  // namespace

std::span<const ProcessorMaker> dynamics_makers() { return kMakers; }

}  // namespace continuo::session
