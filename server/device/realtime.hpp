// THREAD: control - rights of the audio thread: asked for and read back from outside it
#pragma once

#include <pthread.h>

#include <cstddef>
#include <string>

#include "server/device/device.hpp"

namespace continuo::device {

/// The name of every thread that runs the engine for a device: one such thread lives at a time, but for a moment during
/// a hand-over.
inline constexpr const char* kAudioThreadName = "continuo-audio";

/// How much of the audio thread's stack is touched and locked.
inline constexpr std::size_t kStackBytes = 256 * 1024;

void name_audio_thread(pthread_t thread);

/// Asks for SCHED_FIFO at `priority` (0: asks for nothing). Empty, or why not and the remedy.
[[nodiscard]] std::string ask_realtime(pthread_t thread, int priority);

/// Fills in policy and priority.
void read_scheduling(pthread_t thread, RealtimeReport& report);

/// Touches and locks the part of the stack that a callback uses. The lock is counted; unpin_stack() ends it, while the
/// thread lives.
void pin_stack(pthread_t thread);
void unpin_stack(pthread_t thread);

/// Whoever may not raise priorities reads this.
[[nodiscard]] std::string realtime_remedy();

}  // namespace continuo::device
