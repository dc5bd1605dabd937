// THREAD: test - what a watcher hears of scheduled transactions, and the device stepped so that they are ready in time
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "tests/server/control/rig.hpp"

namespace continuo::control::test {

/// A rig whose device stands still while the strand prepares what falls due, so that no test depends on how fast that
/// is.
class ScheduledRig : public Rig {
 public:
  explicit ScheduledRig(RigOptions options = {}) : Rig(std::move(options)) { feed_ = watch(); }

  struct Story {
    std::vector<std::string> told;  // "scheduled", "committed", "applied", "cancelled", in order
    std::int64_t due = -1;          // as told when it was scheduled
    std::int64_t frame = -1;        // applied at
    std::string reason;             // of the cancellation
    std::string by;
    [[nodiscard]] bool has(const std::string& word) const { return std::ranges::find(told, word) != told.end(); }
  };
  /// What was told of it so far.
  const Story& story(std::uint64_t id) {
    while (const auto message = feed_->next({})) {
      if (message->has_scheduled()) {
        Story& story = stories_[message->scheduled().transaction_id()];
        story.told.push_back("scheduled");
        if (message->scheduled().has_engine_frame()) story.due = message->scheduled().engine_frame();
      } else if (message->has_change()) {
        stories_[message->change().transaction_id()].told.push_back("committed");
      } else if (message->has_applied()) {
        Story& story = stories_[message->applied().transaction_id()];
        story.told.push_back("applied");
        story.frame = message->applied().engine_frame();
      } else if (message->has_cancelled()) {
        Story& story = stories_[message->cancelled().transaction_id()];
        story.told.push_back("cancelled");
        story.reason = message->cancelled().reason();
        story.by = message->cancelled().origin().client();
      }
    }
    return stories_[id];
  }

  [[nodiscard]] std::int64_t now() const { return static_cast<std::int64_t>(hardware->frames()); }

  /// Accepted for later, the device standing still.
  std::uint64_t schedule(const std::string& operations, const std::string& when) {
    stepping = false;
    const auto answer = apply("{'operations':[" + operations + "],'when':" + when + "}");
    stepping = true;
    REQUIRE_MESSAGE(answer, answer.error().field, ": ", answer.error().message);
    REQUIRE(answer->outcome() == v1::ApplyResponse::OUTCOME_SCHEDULED);
    return answer->transaction_id();
  }
  /// The device stands still until it is committed.
  void wait_committed(std::uint64_t id) {
    stepping = false;
    REQUIRE(until([&] { return story(id).has("committed"); }));
    stepping = true;
  }
  /// Goes on until it is applied, which must be soon; returns the frame.
  std::int64_t wait_applied(std::uint64_t id) {
    wait_committed(id);
    REQUIRE(until([&] { return story(id).has("applied"); }));
    return story(id).frame;
  }
  [[nodiscard]] v1::ListScheduledResponse list(const std::string& token = "") {
    v1::ListScheduledRequest request;
    request.set_page_token(token);
    auto listed =
        answer<v1::ListScheduledResponse>([&](auto done) { engine->list_scheduled(request, std::move(done)); });
    REQUIRE(listed);
    return *listed;
  }
  Result<v1::CancelScheduledResponse> cancel(std::uint64_t id, const Result<>& allowed = {}) {
    v1::CancelScheduledRequest request;
    request.set_transaction_id(id);
    request.set_client("somebody");
    return answer<v1::CancelScheduledResponse>([&](auto done) {
      engine->cancel_scheduled(request, [allowed](const v1::ApplyRequest&) { return allowed; }, std::move(done));
    });
  }

 private:
  std::shared_ptr<Feed<v1::WatchResponse>> feed_;
  std::map<std::uint64_t, Story> stories_;
};

inline std::string at_engine(std::int64_t frame) { return "{'engineFrame':{'frame':'" + std::to_string(frame) + "'}}"; }
inline std::string at_timeline(std::int64_t frame) { return "{'timelineFrame':'" + std::to_string(frame) + "'}"; }

}  // namespace continuo::control::test
