// THREAD: control - the device output alone goes down before a jump and comes up after it; recorders do not hear it
#pragma once

#include <chrono>
#include <functional>

#include "server/control/audio_link.hpp"
#include "server/control/event_pump.hpp"
#include "server/control/graph.hpp"

namespace continuo::control {

inline constexpr double kFadeOutMs = 10.0;
inline constexpr double kFadeInMs = 50.0;

[[nodiscard]] rt::Action output_level(double factor, std::uint32_t ramp_frames);

/// `then` once the output is silent, or after a quarter of a second where the device stands still (then nobody hears a
/// jump).
void fade_out(const Graph& graph, AudioLink& link, EventPump& pump, std::function<void()> then);

}  // namespace continuo::control
