// THREAD: control - measurements by name, which everybody can read
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "continuo/v1/event.pb.h"
#include "continuo/v1/meter.pb.h"
#include "server/base/result.hpp"
#include "server/control/analysis.hpp"
#include "server/control/graph.hpp"
#include "server/control/measure_meter.hpp"
#include "server/control/meter_taps.hpp"
#include "server/control/timer.hpp"

namespace continuo::control {

/// They follow their node where it is moved, and end with it, with the session and with the daemon. Where the node's
/// number of channels changes they go on with those that they began with; where the engine's rate does they begin anew,
/// which their origin's time tells. The journal tells of each beginning and end. Bound:
/// kMax; the loser is the newcomer.
class Measurements {
 public:
  static constexpr std::size_t kMax = 64;

  struct Parts {
    Strand& strand;
    const Graph& graph;
    MeterTaps& taps;
    Analysis& analysis;
    std::function<rt::FrameCount()> engine_frame;
    std::function<void(v1::Event)> journal;
  };
  explicit Measurements(Parts parts);

  /// The node's meter is there (MeterTaps::ready); the measurement holds it.
  [[nodiscard]] Result<v1::Measurement> start(const v1::StartMeasurementRequest& request, const v1::Origin& origin);
  [[nodiscard]] Result<v1::Measurement> reset(const std::string& name, const v1::Origin& by);
  [[nodiscard]] Result<v1::Measurement> stop(const std::string& name, const v1::Origin& by);
  [[nodiscard]] v1::ListMeasurementsResponse list();
  /// Another session: all end.
  void session_loaded() { end_all("the session"); }
  void close();

  /// After a compile, before its plan sounds: who goes, who has another meter, who begins anew.
  void follow();

 private:
  struct One {
    rt::Uid uid = 0;
    MeterTaps::Hold tap;  // where the node has no meter of its own
    std::string node;
    v1::Origin origin;
    double sample_rate_hz = 0.0;
    std::shared_ptr<rt::MeterSlots> slots;
    std::shared_ptr<MeasureMeter> measures;
    Analysis::Hearing hearing;
    Analysis::Hearing before;  // of a meter that was replaced, until what it heard last is measured
  };
  using Place = std::map<std::string, One>::iterator;
  /// False where the analysis has no room.
  [[nodiscard]] bool begin(One& one, const session::CompiledMeter& meter);
  [[nodiscard]] static v1::Measurement describe(const std::string& name, const One& one);
  void arm();
  void end_all(const std::string& with);
  void tell(const char* cause, const std::string& name, const One& one, std::string what, const v1::Origin* by);

  Parts parts_;
  std::map<std::string, One> all_;
  Timer timer_;
};

}  // namespace continuo::control
