// THREAD: control - levels for those who look: one message for all equal subscriptions, at their rate
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "continuo/v1/meter.pb.h"
#include "rt/meter.hpp"
#include "server/base/result.hpp"
#include "server/control/feed.hpp"
#include "server/control/graph.hpp"
#include "server/control/timer.hpp"

namespace continuo::control {

/// One timer a rate, one message a tick for all who asked for the same. A client that has not read its last frames gets
/// what it missed folded into its next: maxima stay, powers are averaged over the frames they cover. Nothing runs while
/// nobody looks.
class MeterPoller {
 public:
  using MeterFeed = Feed<v1::MeterFrame>;
  static constexpr std::size_t kFeedBound = 2;
  static constexpr std::size_t kMaxWatchers = 1000;

  struct Hooks {
    std::function<v1::Clock()> clock;
    std::function<rt::FrameCount()> engine_frame;
  };
  MeterPoller(Strand& strand, const Graph& graph, Hooks hooks);
  ~MeterPoller();

  [[nodiscard]] Result<std::shared_ptr<MeterFeed>> watch(const v1::WatchMetersRequest& request);
  void close();

  /// One tick of every subscription at this rate.
  void tick(std::uint32_t rate_hz);

 private:
  struct Group;
  struct Watcher;
  void arm(std::uint32_t rate_hz);
  void layout(Group& group);
  [[nodiscard]] bool measure(Group& group, v1::MeterFrame& frame);

  Strand& strand_;
  const Graph& graph_;
  const Hooks hooks_;
  std::map<std::string, std::unique_ptr<Group>> groups_;  // by what was asked for
  std::map<std::uint32_t, std::unique_ptr<Timer>> timers_;
};

/// `later` follows `earlier` and has the same layout: one frame that covers both. Its layout is the earlier one's
/// message's, if any.
void fold_into(v1::MeterFrame& later, const v1::MeterFrame& earlier);

}  // namespace continuo::control
