// THREAD: control, which asks a worker - how long the way out of the device and in again is: a burst, and its echo
#pragma once

#include <memory>
#include <vector>

#include "server/control/delivery.hpp"
#include "server/control/device_manager.hpp"
#include "server/control/engine.hpp"
#include "server/control/round_trips.hpp"
#include "server/control/uid_source.hpp"

namespace continuo::control {

/// Beside the document, as identify: [control] a track with noise and a recorder to one output, another with a recorder
/// from one input -> [audio] both recorders begin at one frame, the noise is faded in and out -> [worker] the lag of
/// the one behind the other -> [control] kept. What both recorders hear alike (fades, the session's latency) cancels
/// out or is known.
class Calibrate {
 public:
  struct Parts {
    Strand& strand;
    Worker& worker;
    JobQueue& jobs;
    Graph& graph;
    Takes& takes;
    Transport& transport;
    AudioLink& link;
    EventPump& pump;
    Delivery& delivery;
    UidSource& uids;
    DeviceManager& devices;
    RoundTrips& round_trips;
  };
  explicit Calibrate(Parts parts) : parts_(std::move(parts)) {}

  /// Its overlays have the tokens `token` and `token + 1`.
  void begin(std::uint64_t token, const v1::CalibrateRequest& request, Done<v1::CalibrateResponse> done,
             JobTicket job = {});
  /// The one of this token ends without a result.
  void cancel(std::uint64_t token);
  void close();

 private:
  struct Run;
  using Ptr = std::shared_ptr<Run>;
  void sounding(const Ptr& run);
  void turn(const Ptr& run);
  void finish(const Ptr& run);
  void end(const Ptr& run, Result<v1::CalibrateResponse> result);

  Parts parts_;
  Ptr run_;                  // one at a time
  std::vector<Ptr> ending_;  // their sinks may still be with the audio thread
};

}  // namespace continuo::control
