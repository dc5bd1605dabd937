// THREAD: control, which asks a worker - the last session on disk, soon after each change
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "server/control/graph.hpp"
#include "server/control/media_cache.hpp"
#include "server/control/timer.hpp"
#include "server/control/worker.hpp"

namespace continuo::control {

/// Writes `last-session.json` (and `last-session.base`: where its relative media paths start) whole or not at all, at
/// most once a kDelay however many edits come, and once more at the end.
class SessionSaver {
 public:
  static constexpr std::chrono::milliseconds kDelay{1000};

  /// `failed`: why it could not be saved; empty once it could again.
  SessionSaver(Strand& strand, Worker& worker, const Graph& graph, const MediaCache& media,
               const std::filesystem::path& folder, std::function<void(std::string)> failed);

  /// The document has changed.
  void touch();
  /// `done` once what there is now is on disk, or cannot be.
  void save(std::function<void()> done);

 private:
  Strand& strand_;
  Worker& worker_;
  const Graph& graph_;
  const MediaCache& media_;
  const std::filesystem::path folder_;
  const std::function<void(std::string)> failed_;
  Timer timer_;
};

}  // namespace continuo::control
