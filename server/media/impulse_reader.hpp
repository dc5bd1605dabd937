// THREAD: disk - an impulse response: the file, at the engine's rate, as spectra
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "rt/dsp/convolution_plan.hpp"
#include "server/base/result.hpp"

namespace continuo::media {

struct ImpulseRequest {
  std::filesystem::path file;
  std::uint32_t rate_hz = 48000;     // the engine's
  std::uint32_t latency_frames = 0;  // see rt::dsp::ConvolutionPlan
  std::uint32_t channels = 1;        // the first so many; 1 to rt::dsp::Impulse::kMostChannels
  double most_seconds = 10.0;
};

/// Takes its time: reads the whole file, converts it where its rate is another (then scaled by the ratio of the rates,
/// lest the convolution be louder at a higher rate), and transforms it. Each gets a plan of its own length.
/// Errors name the file: those of probe(), and INVALID_ARGUMENT "TOO_LONG", "TOO_FEW_CHANNELS", "NOT_FINITE", DATA_LOSS
/// "READ_FAILED".
[[nodiscard]] Result<std::shared_ptr<const rt::dsp::Impulse>> read_impulse(const ImpulseRequest& request);

}  // namespace continuo::media
