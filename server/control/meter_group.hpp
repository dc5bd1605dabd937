// THREAD: control - the meters that one subscription shows, and all that asked for the same with it
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "continuo/v1/meter.pb.h"
#include "rt/meter.hpp"
#include "rt/meter_channels.hpp"
#include "server/control/graph.hpp"
#include "server/control/meter_fold.hpp"
#include "server/control/meter_kinds.hpp"
#include "server/control/meter_taps.hpp"

namespace continuo::control {

class MeterGroup {
 public:
  struct Parts {
    const Graph& graph;
    MeterTaps& taps;
    KindMeters& kinds;
    std::function<v1::Clock()> clock;
    std::function<rt::FrameCount()> engine_frame;
  };
  /// `parts` live longer. Its meters are looked at from here on.
  MeterGroup(const Parts& parts, const v1::WatchMetersRequest& request, KindSettings settings, std::uint32_t rate_hz);

  [[nodiscard]] std::uint32_t rate_hz() const noexcept { return rate_hz_; }
  /// What the meters have that is new goes into the next frame: at least every kMeterHistory windows.
  void gather();
  /// What came since the last one, in the layout of now; null where nothing did. Where the sound stands still, that is
  /// told once a second.
  [[nodiscard]] std::shared_ptr<v1::MeterFrame> next();

  /// Rises from 1 with each layout that is another than before.
  [[nodiscard]] std::uint64_t layout_version() const noexcept { return layout_version_; }
  /// From the layout before to that of now.
  [[nodiscard]] const LayoutChange& change() const noexcept { return change_; }
  [[nodiscard]] std::shared_ptr<const v1::MeterFrame> with_layout(const v1::MeterFrame& frame) const;

 private:
  /// Of one channel, since the last frame.
  struct Level {
    float peak = 0.0f;
    double power = 0.0;  // summed over the windows
    std::uint64_t windows = 0;
  };
  void layout();
  /// False, and nothing is said: nothing is new, and it is not `wanted` whatever there is.
  [[nodiscard]] bool measure(v1::MeterFrame& frame, bool wanted);

  const Parts& parts_;
  const std::vector<std::string> nodes_;
  const bool inputs_;
  const std::uint32_t rate_hz_;
  MeterKinds kinds_;

  std::uint64_t changes_ = ~std::uint64_t{0};  // of the graph that the meters were taken from
  std::uint64_t compiles_ = 0;                 // the same
  std::uint64_t layout_version_ = 0;
  std::vector<MeterTaps::Hold> taps_;  // of those that have no meter of their own
  std::vector<session::CompiledMeter> meters_;
  LayoutChange change_;
  std::vector<rt::MeterLook> looks_;  // at each of them: what nobody looks at is not measured
  std::vector<rt::MeterChannelsReader> readers_;
  std::vector<Level> levels_;        // by meter and channel, flattened
  rt::FrameCount newest_frame_ = 0;  // in them
  rt::FrameCount last_frame_ = 0;    // told
  std::uint32_t empty_ticks_ = 0;
};

}  // namespace continuo::control
