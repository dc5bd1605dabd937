// THREAD: any - the tables that processor.cpp joins: one a group of types, as in type_tables.hpp
#pragma once

#include <memory>
#include <span>

#include "server/session/processor.hpp"

namespace continuo::session {

/// How one type becomes a node.
struct ProcessorMaker {
  std::string_view type;
  bool takes_key = false;
  ProcessorShape (*shape)(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) = nullptr;
  std::unique_ptr<rt::Node> (*make)(const DocNode& node, std::uint32_t in_count, double sample_rate_hz) = nullptr;
  // Instead, of types with files:
  ProcessorShape (*shape_with)(const DocNode& node, std::uint32_t in_count, double sample_rate_hz,
                               const ProcessorFiles& files) = nullptr;
  std::unique_ptr<rt::Node> (*make_with)(const DocNode& node, std::uint32_t in_count, double sample_rate_hz,
                                         const ProcessorFiles& files) = nullptr;
};

[[nodiscard]] std::span<const ProcessorMaker> level_makers();        // gain, pan
[[nodiscard]] std::span<const ProcessorMaker> equalizer_makers();    // eq
[[nodiscard]] std::span<const ProcessorMaker> dynamics_makers();     // compressor, ...
[[nodiscard]] std::span<const ProcessorMaker> time_makers();         // delay, matrix, reverb
[[nodiscard]] std::span<const ProcessorMaker> convolution_makers();  // convolution

/// Without state but its rows.
[[nodiscard]] inline std::unique_ptr<rt::Node> plain_node(const rt::NodeKind& kind, const DocNode& node,
                                                          std::size_t params) {
  return std::make_unique<rt::Node>(kind, node.uid, params);
}

}  // namespace continuo::session
