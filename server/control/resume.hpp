// THREAD: control, which asks a worker - where things stood, kept for the next start, and taken up again there
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "server/control/engine.hpp"
#include "server/control/graph.hpp"
#include "server/control/takes.hpp"
#include "server/control/timer.hpp"
#include "server/control/transport.hpp"
#include "server/control/worker.hpp"

namespace continuo::control {

/// What `at_start` says, apart for the session, playback and recording. A session that cannot be loaded is kept beside
/// ("last-session.bad-N.json"), and the one that the daemon last started with ("started-session.json") takes its place,
/// so that nothing of either is written over. While playback or recording is to resume, "last-place.json" in the state
/// folder says where the timeline and the players stand and what records: as the transaction that brings it back,
/// written whole whenever it changed, at most a kEvery after.
/// begin(): [worker] read session and place -> [control] load -> one transaction: locate, play, record into new takes.
/// What cannot be taken up is told in the log, and the rest is.
class Resume {
 public:
  static constexpr std::chrono::milliseconds kEvery{500};
  static constexpr std::chrono::seconds kPatience{5};  // of the start; what takes longer comes behind it

  struct Parts {
    Strand& strand;
    Worker& worker;
    const Graph& graph;
    const Takes& takes;
    const Transport& transport;
    std::filesystem::path folder;
    bool session = false;
    bool playback = false;
    bool recording = false;
    std::function<void(std::string)> problem;                 // what could not be taken up
    std::function<void(const std::string& sha256)> restored;  // called once: the text that is the session; "": none is
    std::function<void(LoadRequest, Done<v1::LoadSessionResponse>)> load;
    std::function<void(v1::ApplyRequest, Done<v1::ApplyResponse>)> apply;
  };
  explicit Resume(Parts parts) : parts_(std::move(parts)), timer_(parts_.strand) {}

  /// Once a device runs. `then` when all is as it was, or cannot be.
  void begin(std::function<void()> then);
  /// The daemon ends, and nothing was stopped yet: the last that is kept.
  void close();

  /// The transaction that brings back what there is now.
  [[nodiscard]] v1::ApplyRequest place() const;

 private:
  struct Kept {
    std::string json;
    std::string base;
    std::string sha256;  // of json
    bool newest = true;  // not the one that the daemon last started with
  };
  void load(std::vector<Kept> kept, v1::ApplyRequest place, const std::function<void()>& then);
  void loaded(v1::ApplyRequest place, const std::function<void()>& then);
  void apply(v1::ApplyRequest all, const std::function<void()>& then);
  void look();
  void save();

  Parts parts_;
  Timer timer_;
  std::string saved_;
  bool writing_ = false;
  bool closed_ = false;
};

}  // namespace continuo::control
