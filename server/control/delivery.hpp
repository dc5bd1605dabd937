// THREAD: control - one change on its way to the audio thread: compiled, its streams primed, sent as one batch
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/control/audio_link.hpp"
#include "server/control/event_pump.hpp"
#include "server/control/graph.hpp"
#include "server/control/impulses.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/media_cache.hpp"
#include "server/control/sources.hpp"
#include "server/control/takes.hpp"
#include "server/control/transport.hpp"

namespace continuo::control {

/// What is to be true from one frame on.
struct Delta {
  DocumentPtr document;  // after it
  bool compile = false;  // a new plan
  bool fade_edits = true;
  bool keep_players = false;  // the same players at another rate: free ones go on where they are
  std::vector<session::ParamChange> params;
  struct Step {
    rt::FrameCount frame = rt::kNow;
    std::vector<session::ParamChange> params;
  };
  std::vector<Step> steps;  // values and nothing else, each step at its own frame; without a compile
  bool apart = false;  // of steps: each value by itself, so that where the device stands still a newer one may take
                       // its place
  std::optional<rt::FrameCount> locate;  // engine-rate frames
  std::optional<bool> roll;              // start or stop the timeline
  std::vector<rt::Uid> play, stop;       // free players
  std::vector<rt::Uid> rewind;           // free players of `play` that begin again
  std::vector<Skip> skips;               // free players that go to another item of their queue; at most one each
  std::vector<Takes::Opened> takes;      // to be lent to the recorders of the same path
  std::set<std::string> stop_takes;      // paths
  std::vector<rt::Action> last;          // at the end of the batch
  std::chrono::milliseconds patience = Sources::kPatience;  // for the disk
  rt::FrameCount frame = rt::kNow;  // engine frame; the next one where it is past by the time all is prepared
};

/// deliver: [disk] read impulse responses -> [control] compile -> [disk] open and prime streams -> [control] send ->
/// [audio] all of it at one frame -> [control] `applied`. In a job of the JobQueue: two deliveries are never under way
/// at once.
class Delivery {
 public:
  struct Parts {
    Strand& strand;
    Graph& graph;
    MediaCache& media;
    Sources& sources;
    Takes& takes;
    AudioLink& link;
    EventPump& pump;
    Transport& transport;
    JobQueue& jobs;
    Impulses& impulses;
    std::function<void()> compiled;  // the graph was: its plan is not on its way yet
  };
  explicit Delivery(Parts parts) : parts_(parts) {}
  /// `sent` once nothing is in the way any more: the document may be replaced. `stopped`: takes.
  using Sent = std::function<void(std::vector<Takes::Ref> stopped)>;
  void deliver(Delta delta, Sent sent, AudioLink::Then applied);

  /// The same document again, for what surrounds it: taps, overlays, files that came.
  void compile_again();

 private:
  void prime(Delta delta, Sent sent, AudioLink::Then applied);
  void send(Delta delta, std::optional<session::Compiled> compiled, Sources::Ready ready, Sent sent,
            AudioLink::Then applied);
  /// [delivery_steps.cpp] At once.
  void send_steps(const Delta& delta, AudioLink::Then then);
  void plan_applied(std::uint64_t plan, bool fading, std::uint32_t fade_frames, rt::FrameCount frame);
  [[nodiscard]] std::uint64_t faded_plan();

  struct Sounding {
    std::uint64_t plan;
    rt::FrameCount until;  // engine frame
  };
  Parts parts_;
  std::deque<Sounding> sounding_;  // plans whose fades may not be over
  std::uint64_t faded_ = 0;        // the newest one whose fades are
  bool again_ = false;
};

}  // namespace continuo::control
