#include "server/media/run_reader.hpp"

#include <algorithm>
#include <utility>

#include "rt/dsp/finite.hpp"

namespace continuo::media {
namespace {

constexpr std::int64_t kFedFrames = 4096;

}  // namespace

RunReader::RunReader(std::vector<Segment> segments, bool endless, std::uint32_t engine_rate_hz, std::uint32_t channels)
    : input_(segments, channels, endless),
      from_hz_(segments.front().sample_rate_hz),
      to_hz_(engine_rate_hz),
      channels_(channels) {}

void RunReader::seek(rt::FrameCount frame) {
  if (converts()) {
    resampler_ = std::make_unique<Resampler>(from_hz_, to_hz_, channels_);
    fed_.resize(static_cast<std::size_t>(kFedFrames) * channels_);
    frame = resampler_->start(frame);
  }
  input_.seek(frame);
}

void RunReader::read(float* out, std::int64_t frames) {
  std::int64_t done = 0;
  if (!resampler_) {
    done = input_.read(out, frames);
  } else {
    while ((done += static_cast<std::int64_t>(
                resampler_->read(out + done * channels_, static_cast<std::size_t>(frames - done)))) < frames) {
      const std::int64_t n = input_.read(fed_.data(), kFedFrames);
      if (n > 0) {
        resampler_->push({fed_.data(), static_cast<std::size_t>(n) * channels_});
      } else {
        resampler_->end();
        if (resampler_->available() == 0) break;
      }
    }
    if (done > 0) overflown_ += rt::dsp::make_finite(out, static_cast<std::uint32_t>(done * channels_));
  }
  std::fill_n(out + done * channels_, (frames - done) * channels_, 0.0f);
}

}  // namespace continuo::media
