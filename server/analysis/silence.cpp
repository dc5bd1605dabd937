#include "server/analysis/silence.hpp"

#include <algorithm>
#include <cmath>

#include "server/analysis/decibel.hpp"
#include "server/base/check.hpp"

namespace continuo::analysis {
namespace {

constexpr std::uint32_t kAtOnce = 256;

}  // namespace

SilenceDetector::SilenceDetector(double sample_rate_hz, std::uint32_t channels, double threshold_db, double seconds)
    : channels_(channels),
      threshold_(threshold_db > kSilenceDb ? static_cast<float>(db_level(threshold_db)) : 0.0f),
      least_(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(seconds * sample_rate_hz)))) {
  CONTINUO_CHECK(channels > 0 && seconds >= 0.0, "times go forward");
}

void SilenceDetector::end_quiet() noexcept {
  if (!heard_) leading_ = quiet_;
  heard_ = true;
  longest_ = std::max(longest_, quiet_);
  if (quiet_ >= least_) {
    ++silences_;
    silent_frames_ += quiet_;
  }
  quiet_ = 0;
}

void SilenceDetector::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(frames.channels() == channels_, "as many channels as it was made for");
  float samples[kAtOnce], most[kAtOnce];
  for (std::size_t at = 0; at < frames.count(); at += kAtOnce) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(frames.count() - at, kAtOnce));
    std::fill_n(most, n, 0.0f);
    for (std::uint32_t c = 0; c < channels_; ++c) {
      frames.copy(c, at, n, samples);
      for (std::uint32_t i = 0; i < n; ++i) {
        const float size = samples[i] < 0.0f ? -samples[i] : samples[i];
        most[i] = size > most[i] ? size : most[i];
      }
    }
    for (std::uint32_t i = 0; i < n; ++i) {
      if (most[i] <= threshold_) {
        ++quiet_;
      } else if (quiet_ > 0 || !heard_) {
        end_quiet();
      }
    }
  }
}

}  // namespace continuo::analysis
