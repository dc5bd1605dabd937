// THREAD: control - what one subscription of levels shows beside peak and RMS, of all its meters
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "continuo/v1/meter.pb.h"
#include "server/base/result.hpp"
#include "server/control/analysis.hpp"
#include "server/control/kind_meter.hpp"
#include "server/session/plan_compiler.hpp"

namespace continuo::control {

/// INVALID_ARGUMENT with the field: a kind that is none or is there twice, an option out of its range.
[[nodiscard]] Result<KindSettings> kinds_of(const v1::WatchMetersRequest& request);
/// Equal settings have equal texts.
[[nodiscard]] std::string to_key(const KindSettings& settings);

/// What all subscriptions have measured: once for all who ask for the same kinds of the same meter, at whatever rates.
class KindMeters {
 public:
  explicit KindMeters(Analysis& analysis) : analysis_(analysis) {}

  struct Shared {
    std::shared_ptr<rt::MeterSlots> slots;
    std::shared_ptr<KindMeter> meter;
    Analysis::Hearing hearing;  // empty: the analysis has no room
  };
  /// It is measured while somebody has it. Who comes later than another sees levels that have long moved.
  [[nodiscard]] std::shared_ptr<Shared> of(const std::shared_ptr<rt::MeterSlots>& slots, const KindSettings& settings,
                                           double sample_rate_hz, rt::FrameCount now);

 private:
  Analysis& analysis_;
  std::map<std::tuple<const rt::MeterSlots*, double, std::string>, std::weak_ptr<Shared>> all_;
};

class MeterKinds {
 public:
  /// `rate_hz`: how often add_to() will be called.
  MeterKinds(KindMeters& all, KindSettings settings, std::uint32_t rate_hz);

  /// These are the meters from now on. Who stays, at the same rate, is measured throughout; who comes, from `now` on.
  /// A meter that the analysis has no room for is not measured; the next call asks again.
  void follow(const std::vector<session::CompiledMeter>& meters, double sample_rate_hz, rt::FrameCount now);

  /// One Values a kind, of what came since the last time. `stands`: the sound does, and no level says anything.
  void add_to(v1::MeterFrame& frame, bool stands);

 private:
  struct Meter {
    std::shared_ptr<rt::MeterSlots> slots;
    std::uint32_t channels = 0;
    std::shared_ptr<KindMeters::Shared> measures;
    std::unique_ptr<KindMeter::Reader> reader;
    std::uint32_t empty = 0;  // times in a row that nothing was new
  };
  KindMeters& all_;
  const KindSettings settings_;
  const std::uint32_t patience_;  // so many times: the sound stands
  double sample_rate_hz_ = 0.0;
  std::vector<Meter> meters_;
};

/// `later` follows `earlier`, of the same subscription and layout: one that covers both.
void fold_values(v1::MeterFrame& later, const v1::MeterFrame& earlier);

}  // namespace continuo::control
