// THREAD: test - an input whose every sample says which it is, and takes of it
#pragma once

#include <cstdint>

#include "tests/server/control/rig.hpp"

namespace continuo::control::test {

/// For SteppedHardware::set_input(): exact in 24 bits, another value for each channel and frame nearby.
inline float input_sample(std::uint32_t channel, std::int64_t frame) {
  return static_cast<float>((frame * 4 + channel) * 7919 % 60013 - 30000) / 65536.0f;
}

/// The take is the input from hardware frame `first` on, `frames` long.
inline void check_input(Rig& rig, const v1::GetStatusResponse::Take& take, std::int64_t first, std::int64_t frames) {
  CHECK(take.frames() == frames);
  CHECK(take.start_engine_frame() == first);
  std::uint32_t channels = 0;
  const auto samples = rig.read_wav(rig.take_file(take.file()), channels);
  REQUIRE(samples.size() == static_cast<std::size_t>(frames) * channels);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto frame = first + static_cast<std::int64_t>(i / channels);
    if (samples[i] != input_sample(static_cast<std::uint32_t>(i % channels), frame)) FAIL("sample ", i);
  }
}

}  // namespace continuo::control::test
