// THREAD: control - where a take belongs in time
#pragma once

#include <cstdint>
#include <functional>

#include "server/control/graph.hpp"
#include "server/control/takes.hpp"
#include "server/control/transport.hpp"

namespace continuo::control {

/// How much earlier than the frame that a recorder takes its sound belongs on the timeline:
/// - what it hears of the graph is late by the latencies before it (delay compensation knows them);
/// - what comes from the device's inputs alone was played to what was heard: later by the graph's way to "out", and by
///   the device's way out and in again.
class Placement {
 public:
  struct Parts {
    const Graph& graph;
    const Transport& transport;
    std::function<double()> round_trip_frames;  // of the device that sounds
    std::function<std::int64_t()> utc_ns;
  };
  explicit Placement(Parts parts) : parts_(std::move(parts)) {}
  [[nodiscard]] Takes::Placing of(const session::CompiledRecorder& recorder) const;

 private:
  const Parts parts_;
};

}  // namespace continuo::control
