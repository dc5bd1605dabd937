// THREAD: control, which asks a worker - the last session on disk, soon after each change, and the request ids with it
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/control/graph.hpp"
#include "server/control/media_cache.hpp"
#include "server/control/request_ids.hpp"
#include "server/control/timer.hpp"
#include "server/control/worker.hpp"

namespace continuo::control {

/// Writes `last-session.json` (and `last-session.base`: where its relative media paths start) whole or not at all, at
/// most once a kDelay however many edits come, and once more at the end. Before it `request-ids`: a transaction's id
/// counts after a restart if and only if the session that comes back has what it did.
/// save(): [control] the document, and what became of the ids -> [worker] print; write the ids, which name the text
/// that is there and the one that comes; write the session.
class SessionSaver {
 public:
  static constexpr std::chrono::milliseconds kDelay{1000};
  static constexpr std::chrono::milliseconds kAgain{5000};  // after a save that failed
  using Ids = std::function<std::vector<KeptRequest>()>;

  /// `failed`: why it could not be saved; empty once it could again. `ids`: those of now.
  SessionSaver(Strand& strand, Worker& worker, const Graph& graph, const MediaCache& media,
               const std::filesystem::path& folder, std::function<void(std::string)> failed, Ids ids = {});

  /// Once, before the first save: the ids that an earlier start left. A file that is none is told in the log and put
  /// aside.
  void read_ids(std::function<void()> then);
  /// The text with this digest is the session now; empty: none of before is. Returns the ids that count.
  [[nodiscard]] std::vector<KeptRequest> restored(const std::string& sha256);

  /// The document has changed.
  void touch();
  /// It has not, but an id has to be kept.
  void touch_ids();
  /// `done` once what there is now is on disk, or cannot be.
  void save(std::function<void()> done);

 private:
  void write(bool session, std::function<void()> done);
  void try_again();

  Strand& strand_;
  Worker& worker_;
  const Graph& graph_;
  const MediaCache& media_;
  const std::filesystem::path folder_;
  const std::function<void(std::string)> failed_;
  const Ids ids_;
  const std::shared_ptr<SavedText> on_disk_ = std::make_shared<SavedText>();  // the worker's
  RequestIds found_;
  Timer timer_;
  bool changed_ = false;    // since the last save
  bool restoring_ = false;  // from read_ids() to restored()
};

}  // namespace continuo::control
