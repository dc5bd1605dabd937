// THREAD: any, one at a time - document -> flat graph
#pragma once

#include "server/session/flat_graph.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::session {

/// The request's document, which must outlive the graph. A track or bus becomes: a join of what is connected to it; its
/// children in order, where a source is joined to what comes before it, and meters and recorders look on; a fader; a
/// meter. Nodes outside chains become a join and themselves. The nodes' order follows the connections, then the
/// document.
[[nodiscard]] FlatGraph expand(const CompileRequest& request);

/// Where a player begins on the timeline, engine-rate frames.
[[nodiscard]] rt::FrameCount start_frame(const DocNode& player, double sample_rate_hz);

/// What a noise has in place of its uid on the audio thread: it is seeded by its path, so that a render elsewhere,
/// where uids differ, has the same samples.
[[nodiscard]] rt::Uid noise_uid(std::string_view path);

/// How late what goes into a feedback comes out, engine-rate frames.
[[nodiscard]] std::uint32_t feedback_frames(const DocNode& feedback, double sample_rate_hz);

/// FNV-1a. Names a file, or seeds a noise, alike on every machine.
[[nodiscard]] std::uint64_t stable_hash(std::string_view text);

}  // namespace continuo::session
