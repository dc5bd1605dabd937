#include "server/control/placement.hpp"

#include <cmath>

namespace continuo::control {

Takes::Placing Placement::of(const session::CompiledRecorder& recorder) const {
  Takes::Placing placing;
  placing.latency_frames = recorder.arrival_frames;
  if (recorder.hears_input) {
    placing.latency_frames += parts_.graph.output_latency_frames();
    placing.latency_frames += std::llround(parts_.round_trip_frames());
  }
  placing.rate_hz = parts_.graph.shape().sample_rate_hz;
  placing.utc_ns = parts_.utc_ns();
  placing.utc_frame = parts_.transport.reading().engine_frame;
  return placing;
}

}  // namespace continuo::control
