#include "server/device/callback_context.hpp"

#include <immintrin.h>

#include <algorithm>

#include "rt/dsp/float_mode.hpp"
#include "server/base/check.hpp"
#include "server/device/ticks.hpp"

namespace continuo::device {

void CallbackContext::run(rt::InputBlock in, rt::OutputBlock out, std::uint32_t frames, Xruns xruns) noexcept
    RT_NONBLOCKING {
  const std::uint64_t begin = read_ticks();
  // Door: pthread_self() is a declared-only C function that reads a register. The thread's name, priority and stack are
  // then seen to from outside, so that this thread makes no system call at all, not even in its first buffer.
  const pthread_t self = rt::trusted([]() noexcept { return pthread_self(); });
  if (thread_.load(std::memory_order_relaxed) != self) thread_.store(self, std::memory_order_release);
  last_frames_.store(frames, std::memory_order_relaxed);

  if (gate_.try_enter()) {
    {
      const rt::dsp::FloatMode mode;
      const unsigned wanted = 0x8040u;  // FTZ and DAZ, read back
      flush_denormals_.store((_mm_getcsr() & wanted) == wanted, std::memory_order_relaxed);
      callback_->audio_callback(in, out, frames);
    }
    if (xruns.input) counters_->input_overflows.fetch_add(1, std::memory_order_relaxed);
    if (xruns.output) counters_->output_underflows.fetch_add(1, std::memory_order_relaxed);
    counters_->callbacks.fetch_add(1, std::memory_order_relaxed);
    counters_->frames.fetch_add(frames, std::memory_order_relaxed);
    counters_->callback_ticks.add(read_ticks() - begin);
    gate_.leave();
  } else {
    for (std::uint32_t c = 0; c < out.channel_count; ++c) std::fill_n(out.channels[c], frames, 0.0f);
  }
  beats_.fetch_add(1, std::memory_order_release);
}

void CallbackContext::open(AudioCallback& callback, DeviceCounters& counters) noexcept {
  CONTINUO_CHECK(!gate_.is_open(), "a device is started once at a time");
  callback_ = &callback;
  counters_ = &counters;
  gate_.open();
}

void CallbackContext::close() noexcept {
  gate_.close();
  // A callback is bounded work on a thread of this very process: no server can hold it. Were it to stay, nothing that
  // it reaches could ever be freed safely.
  CONTINUO_CHECK(gate_.wait_left(std::chrono::seconds(30)), "the audio callback never came back");
}

}  // namespace continuo::device
