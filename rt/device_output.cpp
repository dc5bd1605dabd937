#include "rt/device_output.hpp"

#include <bit>

#include "rt/dsp/finite.hpp"
#include "rt/dsp/ramp.hpp"

namespace continuo::rt {
namespace {

/// How many samples were beyond. A sample at the ceiling is not.
std::uint32_t clip(float* samples, float ceiling, std::uint32_t frames) noexcept RT_NONBLOCKING {
  std::uint32_t beyond = 0;
  for (std::uint32_t i = 0; i < frames; ++i) beyond += samples[i] > ceiling || samples[i] < -ceiling ? 1u : 0u;
  if (beyond == 0) return 0;
  for (std::uint32_t i = 0; i < frames; ++i) {
    const float low = samples[i] < -ceiling ? -ceiling : samples[i];
    samples[i] = low > ceiling ? ceiling : low;
  }
  return beyond;
}

void count(std::atomic<std::uint64_t>& counter, std::uint32_t more) noexcept RT_NONBLOCKING {
  if (more != 0) counter.fetch_add(more, std::memory_order_relaxed);
}

}  // namespace

void DeviceOutput::finish(const Slice& slice) noexcept RT_NONBLOCKING {
  const bool moving = level_.moving(slice.engine_frame);
  const auto level = static_cast<float>(level_.target());
  alignas(64) float levels[kBlockFrames];
  if (moving) dsp::linear_ramp(level_, slice.engine_frame, slice.frames, levels);
  for (std::uint32_t c = 0; c < slice.device_out.channel_count; ++c) {
    float* const out = slice.device_out.channels[c] + slice.device_offset;
    count(slice.counters->non_finite_samples, dsp::make_finite(out, slice.frames));
    if (moving)
      slice.kernels->multiply(out, out, levels, slice.frames);
    else
      slice.kernels->scale(out, out, level, slice.frames);
    count(slice.counters->ceiling_samples, clip(out, ceiling_, slice.frames));
  }
}

}  // namespace continuo::rt
