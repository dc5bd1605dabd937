// THREAD: control - transactions that were accepted for a later engine frame
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "continuo/v1/edit.pb.h"
#include "server/control/audio_link.hpp"
#include "server/control/event_pump.hpp"
#include "server/control/graph.hpp"
#include "server/control/history.hpp"
#include "server/control/job_queue.hpp"
#include "server/control/request_log.hpp"
#include "server/control/transport.hpp"

namespace continuo::control {

/// Values and the timeline's start and stop, at an exact frame. [control] validates and holds -> kLead before it is
/// due: sends the batch with its frame -> [audio] applies it at that sample -> [control] document, revision, watchers.
/// Until then an edit that would break it is refused; a load drops what is held.
class Scheduled {
 public:
  static constexpr std::size_t kMaxHeld = 1000;
  static constexpr double kLeadSeconds = 0.3;

  struct Parts {
    JobQueue& jobs;
    Graph& graph;
    Transport& transport;
    AudioLink& link;
    EventPump& pump;
    History& history;
    std::function<void()> changed;
  };
  explicit Scheduled(Parts parts) : parts_(std::move(parts)) {}

  /// The frame that `when` names; nothing for one that is now or past.
  [[nodiscard]] Result<std::optional<rt::FrameCount>> frame_of(const v1::When& when, std::uint64_t generation) const;
  [[nodiscard]] bool room() const noexcept { return held_.size() < kMaxHeld; }
  /// `request` was validated. From here on `outcome` tells its story.
  void add(std::uint64_t id, rt::FrameCount frame, const v1::ApplyRequest& request, std::shared_ptr<Outcome> outcome);

  /// FAILED_PRECONDITION names the first one that could not be applied to `document` any more.
  [[nodiscard]] Result<> check(const session::Document& document) const;
  /// Another session: what is held is dropped; `then` once what the audio thread has already is done.
  void drop(std::function<void()> then);

 private:
  struct Entry {
    std::uint64_t id;
    rt::FrameCount frame;
    v1::ApplyRequest request;
    std::shared_ptr<Outcome> outcome;
    bool sent = false;
  };
  using Ptr = std::shared_ptr<Entry>;
  void send(const Ptr& entry);
  void applied(const Ptr& entry, rt::FrameCount frame);
  void forget(const Ptr& entry);

  Parts parts_;
  std::vector<Ptr> held_;
};

}  // namespace continuo::control
