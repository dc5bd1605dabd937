#include "server/control/measure_meter.hpp"

#include <algorithm>
#include <array>

#include "server/analysis/decibel.hpp"
#include "server/analysis/layout.hpp"

namespace continuo::control {

MeasureMeter::MeasureMeter(double sample_rate_hz, std::uint32_t channels)
    : rate_(sample_rate_hz),
      channels_(channels),
      loudness_(sample_rate_hz, analysis::usual_weights(channels)),
      true_peak_(sample_rate_hz, channels, analysis::TruePeakMeter::Before::sound),
      peak_(sample_rate_hz, channels),
      clips_(channels, analysis::kFullScale16) {}

std::uint64_t MeasureMeter::steps() const { return loudness_.frames() * 10 / static_cast<std::uint64_t>(rate_); }

void MeasureMeter::feed(const Sound& sound) {
  const rt::FrameCount begin = sound.end_frame - sound.frames;
  if (end_frame_ != 0 && begin < end_frame_) return;  // of the meter before: it comes too late
  if (end_frame_ != 0) lost_ += static_cast<std::uint64_t>(begin - end_frame_);
  end_frame_ = sound.end_frame;
  static constexpr std::array<float, rt::kBlockFrames> kSilence{};
  for (std::uint32_t c = 0; c < channels_.size(); ++c)
    channels_[c] = sound.channels != nullptr && c < sound.channel_count ? sound.channels[c] : kSilence.data();
  const auto all =
      analysis::Frames::planar(channels_.data(), static_cast<std::uint32_t>(channels_.size()), sound.frames);
  loudness_.feed(all);
  true_peak_.feed(all);
  peak_.feed(all);
  clips_.feed(all);
  lost_ += sound.lost;
}

void MeasureMeter::publish() {
  if (loudness_.frames() == 0) return;
  found_.set_seconds(static_cast<double>(loudness_.frames()) / rate_);
  found_.set_max_true_peak_db(analysis::level_db(static_cast<double>(true_peak_.max())));
  found_.set_max_sample_peak_db(analysis::level_db(static_cast<double>(peak_.max())));
  found_.set_clipped_samples(clips_.samples());
  found_.set_lost_frames(lost_);
  if (loudness_.whole_blocks()) found_.set_max_momentary_lufs(loudness_.max_momentary());
  if (loudness_.whole_windows()) found_.set_max_short_term_lufs(loudness_.max_short_term());
  if (steps() != gated_) {  // these two look through a histogram
    gated_ = steps();
    if (const double integrated = loudness_.integrated(); integrated > analysis::kSilenceDb)
      found_.set_integrated_lufs(integrated);
    if (loudness_.whole_windows()) found_.set_range_lu(loudness_.range());
  }
  const std::lock_guard lock(mutex_);
  told_ = found_;
}

v1::Measurement MeasureMeter::read() {
  const std::lock_guard lock(mutex_);
  return told_;
}

}  // namespace continuo::control
