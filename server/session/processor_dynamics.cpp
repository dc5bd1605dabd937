#include <cmath>

#include "rt/nodes/compressor.hpp"
#include "server/session/node_registry.hpp"
#include "server/session/processor_makers.hpp"

namespace continuo::session {
namespace {

using Node = std::unique_ptr<rt::Node>;

ProcessorShape compressor_shape(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) {
  const auto lookahead =
      static_cast<std::uint32_t>(std::lround(number_of(node, "lookahead_ms") * 1e-3 * sample_rate_hz));
  return {.kind = &rt::compressor_kind(),
          .out_count = in_count,
          .latency_frames = lookahead,
          .lookahead_frames = lookahead,
          .takes_key = true};
}
Node make_compressor(const DocNode& node, std::uint32_t, double) {
  return plain_node(rt::compressor_kind(), node, rt::CompressorParam::count);
}

constexpr ProcessorMaker kMakers[] = {
    {"compressor", true, compressor_shape, make_compressor},
};

}  // namespace

std::span<const ProcessorMaker> dynamics_makers() { return kMakers; }

}  // namespace continuo::session
