// THREAD: control - one stream, as the turns see it
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/control/param_streams.hpp"

namespace continuo::control {

struct ParamStreams::One {
  std::uint64_t id = 0;
  std::shared_ptr<ParamStream> stream;
  std::string identity;
  std::string client_name;
  Leases::Tokens leases;
  Client client;
  std::vector<Place> places;  // by place
  bool awake = false;         // there may be something to do
  std::function<void()> gesture_done;
  std::optional<Clock::time_point> closed_at;

  // What was collected, counted; and up to where that is in the sound.
  std::size_t flights = 0;       // transactions of values under way
  std::size_t step_flights = 0;  // those of values with a frame
  Clock::time_point sent{};
  std::uint64_t collected = 0;
  std::uint64_t collected_sequence = 0;
  std::uint64_t settled = 0;
  std::uint64_t applied_sequence = 0;
  std::optional<rt::FrameCount> applied_frame;
  v1::Revision revision;

  bool news = false;  // since the last report
  std::uint64_t told_refusals = 0;
  Clock::time_point told{};
};

}  // namespace continuo::control
