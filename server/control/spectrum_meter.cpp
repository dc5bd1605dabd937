#include "server/control/spectrum_meter.hpp"

#include <array>

namespace continuo::control {

SpectrumMeter::SpectrumMeter(double sample_rate_hz, std::uint32_t channel, const analysis::SpectrumSettings& settings)
    : channel_(channel), spectrum_(sample_rate_hz, 1, settings) {
  reading_.bin_hz = spectrum_.bin_hz(1);
}

void SpectrumMeter::feed(const Sound& sound) {
  if (channel_ != kAll) {
    spectrum_.feed(sound.one(channel_));
  } else {
    std::array<float, rt::kBlockFrames> sum{}, one;
    const analysis::Frames all = sound.all();
    for (std::uint32_t c = 0; c < sound.channel_count; ++c) {
      all.copy(c, 0, sound.frames, one.data());
      for (std::uint32_t i = 0; i < sound.frames; ++i) sum[i] += one[i];
    }
    const float part = 1.0f / static_cast<float>(sound.channel_count);
    for (float& sample : sum) sample *= part;
    const float* const channel = sum.data();
    spectrum_.feed(analysis::Frames::planar(&channel, 1, sound.frames));
  }
  lost_ += sound.lost;
  if (spectrum_.transforms() != done_) {
    done_ = spectrum_.transforms();
    transformed_ = sound.end_frame;
  }
}

void SpectrumMeter::publish() {
  const std::lock_guard lock(mutex_);
  reading_.lost = lost_;
  if (reading_.transforms == done_) return;
  reading_.db.resize(spectrum_.bins());
  spectrum_.levels(0, reading_.db);
  reading_.transforms = done_;
  reading_.end_frame = transformed_;
}

SpectrumMeter::Reading SpectrumMeter::read(std::uint64_t seen) {
  const std::lock_guard lock(mutex_);
  if (reading_.transforms != seen) return reading_;
  return {{}, reading_.bin_hz, reading_.end_frame, reading_.transforms, reading_.lost};
}

}  // namespace continuo::control
