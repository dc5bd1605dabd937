// THREAD: control - where the show is: which cue was fired, which is next, and whether that one needs the disk
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "continuo/v1/system.pb.h"
#include "server/control/cue_plan.hpp"
#include "server/control/history.hpp"
#include "server/control/timer.hpp"
#include "server/session/cue.hpp"

namespace continuo::control {

/// The list is document, the place in it is not. A Go is resolved in the job that applies it, one job after the other:
/// so two that expect the same cue cannot both be right.
///
/// The next cue is armed: after whatever may have changed what it needs, look() works out which streams it would open
/// (plan_cue) and has them filled ahead (StandIns); those of a cue that is not the next any more go back.
class Cues {
 public:
  struct Parts {
    Strand& strand;
    const Graph& graph;
    const MediaCache& media;
    Sources& sources;
    const Transport& transport;
    History& history;
  };
  explicit Cues(Parts parts) : parts_(parts), timer_(parts.strand) {}

  /// The operations with the cue's name in each Go: ABORTED, NOT_NEXT; FAILED_PRECONDITION, NO_NEXT_CUE. `later`: of a
  /// transaction that is only to be validated: what is next then is not known, and a Go for the next one stays as it
  /// is.
  [[nodiscard]] Result<session::Operations> resolve(const session::Operations& operations, bool later) const;
  /// What a Go would fire as things stand; null: nothing.
  [[nodiscard]] const session::DocCue* cue_of(const v1::Go& go) const;

  /// It is one Go, now, of the next cue, and that one needs no disk.
  [[nodiscard]] bool armed(const v1::ApplyRequest& request) const;
  /// There is such a cue.
  [[nodiscard]] bool armed() const;
  /// They are in the document, which is in place. `operations`: as resolve() gave them.
  void committed(std::uint64_t transaction_id, const session::Operations& operations);
  void applied(std::uint64_t transaction_id, std::int64_t engine_frame);
  /// Another session: nothing was fired, the first cue is next.
  void reset();
  /// Something that the next cue rests on may have changed.
  void touch();
  /// Nothing is called any more.
  void close() { timer_.cancel(); }

  void report(v1::GetStatusResponse& out) const;

 private:
  [[nodiscard]] const std::vector<session::DocCue>& list() const { return parts_.graph.document()->cues; }
  /// The list may be another one.
  void follow();
  void look();
  [[nodiscard]] v1::GetStatusResponse::Cues describe() const;
  void tell_if_changed();

  struct Fired {
    std::uint64_t transaction_id = 0;
    rt::Uid uid = 0;
    std::string name;
  };
  Parts parts_;
  Timer timer_;
  std::vector<rt::Uid> order_;  // of the list that was followed last
  rt::Uid current_ = 0;
  rt::Uid next_ = 0;    // 0: behind the last
  bool begun_ = false;  // a cue was fired, or made the next one; before, that is the first
  std::optional<std::int64_t> current_frame_;
  std::vector<Fired> fired_;  // not yet in the sound
  CuePlan plan_;
  bool planned_ = false;  // plan_ is of the next cue, as the list has it
  std::string told_;      // the last CueEvent's cues
};

}  // namespace continuo::control
