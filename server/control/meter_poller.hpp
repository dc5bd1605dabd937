// THREAD: control - levels for those who look: one message for all equal subscriptions, at their rate
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "continuo/v1/meter.pb.h"
#include "server/base/result.hpp"
#include "server/control/feed.hpp"
#include "server/control/graph.hpp"
#include "server/control/meter_group.hpp"
#include "server/control/meter_taps.hpp"
#include "server/control/timer.hpp"

namespace continuo::control {

/// One timer a rate, one message a tick for all who asked for the same. A client that has not read its last frames gets
/// what it missed folded into its next: maxima stay, powers are averaged over the frames they cover, kinds as folded()
/// says. Nothing runs while nobody looks.
class MeterPoller {
 public:
  using MeterFeed = Feed<v1::MeterFrame>;
  static constexpr std::size_t kFeedBound = 2;
  static constexpr std::size_t kMaxWatchers = 1000;
  static constexpr std::size_t kMaxNamed = session::kMaxNodes + 2;  // "in" and "out"

  struct Hooks {
    std::function<v1::Clock()> clock;
    std::function<rt::FrameCount()> engine_frame;
  };
  MeterPoller(Strand& strand, const Graph& graph, MeterTaps& taps, Analysis& analysis, Hooks hooks);
  ~MeterPoller();

  /// Any thread, before anything is looked up: how many nodes, and none twice.
  [[nodiscard]] static Result<> check(const v1::WatchMetersRequest& request);
  /// That is so. The nodes' meters are there (MeterTaps::ready); the subscription holds them.
  [[nodiscard]] Result<std::shared_ptr<MeterFeed>> watch(const v1::WatchMetersRequest& request);
  void close();

  /// One tick of every subscription at this rate: a frame each. Whoever has seldom one is looked for in between.
  void tick(std::uint32_t rate_hz);

 private:
  struct Group;
  struct Watcher;
  void arm(std::uint32_t rate_hz);
  void look(std::uint32_t rate_hz);

  Strand& strand_;
  KindMeters kinds_;
  const MeterGroup::Parts parts_;
  std::map<std::string, std::unique_ptr<Group>> groups_;  // by what was asked for
  std::map<std::uint32_t, std::unique_ptr<Timer>> timers_;
  std::map<std::uint32_t, std::uint32_t> looks_;  // by rate
};

}  // namespace continuo::control
