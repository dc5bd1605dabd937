// THREAD: any, one at a time - what a processor of the document becomes: which kind, how wide, how late
#pragma once

#include <cstdint>
#include <memory>

#include "rt/node.hpp"
#include "server/session/document.hpp"
#include "server/session/impulse_table.hpp"

namespace continuo::session {

/// What the compiler must know of a processor before there is a node. One place a type; types_processor.cpp has the
/// parameters.
struct ProcessorShape {
  const rt::NodeKind* kind = nullptr;
  std::uint32_t out_count = 0;
  std::uint32_t size = 0;     // rt::Step::size
  std::uint64_t variant = 0;  // what would make it another node: structural parameters, and the width where it counts
  std::uint32_t latency_frames = 0;    // its output is its input's, this much later; bypassed too
  std::uint32_t lookahead_frames = 0;  // the compiler delays its sound by this, its detector listens undelayed
  std::uint32_t settle_frames = 0;     // how long a new one's start can be heard: the fade to it waits
  bool has_tail = false;               // what it took in sounds on for longer than a fade: its memory is its sound
  bool takes_key = false;              // port "sidechain"
};
[[nodiscard]] ProcessorShape shape_of_processor(const DocNode& node, std::uint32_t in_count, double sample_rate_hz,
                                                const ProcessorFiles& files = {});

/// Control (or a render job). Without its parameter values. The other arguments are as they were for the shape.
[[nodiscard]] std::unique_ptr<rt::Node> make_processor(const DocNode& node, std::uint32_t in_count,
                                                       double sample_rate_hz, const ProcessorFiles& files = {});

/// Whether processors of this type have the port "sidechain".
[[nodiscard]] bool takes_key(std::string_view type);

}  // namespace continuo::session
