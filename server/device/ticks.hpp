// THREAD: any - the time-stamp counter: the one clock that the audio thread reads
#pragma once

#include <x86intrin.h>

#include <cstdint>

#include "rt/annotations.hpp"

namespace continuo::device {

/// The one clock door: read at the entry and at the exit of the device's callback, for its load histogram alone.
/// Nothing that reaches a sample may depend on it.
[[nodiscard]] inline std::uint64_t read_ticks() noexcept RT_NONBLOCKING { return __rdtsc(); }

/// Control thread. Measured against the steady clock since the first call; the first call takes 20 ms.
[[nodiscard]] double ticks_per_second();

}  // namespace continuo::device
