// THREAD: control - spectra for those who look: one analysis and one message for all equal subscriptions, at their rate
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "continuo/v1/meter.pb.h"
#include "server/base/result.hpp"
#include "server/control/analysis.hpp"
#include "server/control/feed.hpp"
#include "server/control/graph.hpp"
#include "server/control/meter_poller.hpp"
#include "server/control/meter_taps.hpp"

namespace continuo::control {

/// A frame is sent where a new transform has ended, and the last one again once a second where the sound stands still.
/// A client that reads slowly gets the newest. A node that goes leaves its watchers without frames until one of its
/// path has a meter again. Bounds: kMaxSpectra different ones, kMaxWatchers of all; the loser is the newcomer.
class Spectra {
 public:
  using SpectrumFeed = Feed<v1::SpectrumFrame>;
  static constexpr std::size_t kMaxSpectra = 64;
  static constexpr std::size_t kMaxWatchers = 1000;

  Spectra(Strand& strand, const Graph& graph, MeterTaps& taps, Analysis& analysis,
          std::function<rt::FrameCount()> engine_frame);
  ~Spectra();

  /// The node's meter is there (MeterTaps::ready); the subscription holds it.
  [[nodiscard]] Result<std::shared_ptr<SpectrumFeed>> watch(const v1::WatchSpectrumRequest& request);
  void close();

 private:
  struct Group;
  void follow(Group& group);
  void arm(Group& group);
  void tick(Group& group);
  void clear_unwatched();

  Strand& strand_;
  const Graph& graph_;
  MeterTaps& taps_;
  Analysis& analysis_;
  const std::function<rt::FrameCount()> engine_frame_;
  std::map<std::string, std::unique_ptr<Group>> groups_;  // by what was asked for
};

}  // namespace continuo::control
