// THREAD: control - what a cue would need from the disk if it were fired now
#pragma once

#include <string>
#include <vector>

#include "server/control/graph.hpp"
#include "server/control/media_cache.hpp"
#include "server/control/sources.hpp"
#include "server/control/transport.hpp"
#include "server/session/cue.hpp"

namespace continuo::control {

struct CuePlan {
  static constexpr double kMaxBytes = 160.0 * 1024 * 1024;  // of all streams that are kept ready
  static constexpr std::size_t kMaxStreams = 1000;

  std::string broken;              // why it would be refused
  std::string late;                // why it will not be heard at once, though the streams below are ready
  std::vector<StreamKey> streams;  // that it would open
  bool moves = false;              // it depends on where players are that roll: look again soon
};
[[nodiscard]] CuePlan plan_cue(const session::DocCue& cue, const Graph& graph, const MediaCache& media,
                               const Sources& sources, const Transport& transport);

/// The item of its queue that a player is at, behind the last one that; 0 where nobody knows.
[[nodiscard]] rt::Uid current_of(rt::Uid player, const Graph& graph, const Sources& sources,
                                 const Transport& transport);

/// The skips of these operations, at most one a player. `document`: after them.
[[nodiscard]] std::vector<Skip> read_skips(const session::Operations& operations, const session::Document& document);

}  // namespace continuo::control
