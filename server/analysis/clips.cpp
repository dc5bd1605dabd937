#include "server/analysis/clips.hpp"

#include <algorithm>

#include "server/base/check.hpp"

namespace continuo::analysis {
namespace {

constexpr std::uint32_t kAtOnce = 256;

}  // namespace

ClipCounter::ClipCounter(std::uint32_t channels, float full_scale) : full_scale_(full_scale), in_row_(channels, 0) {
  CONTINUO_CHECK(full_scale > 0.0f && channels > 0, "silence is not full scale");
}

void ClipCounter::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(frames.channels() == in_row_.size(), "as many channels as it was made for");
  float samples[kAtOnce];
  for (std::size_t at = 0; at < frames.count(); at += kAtOnce) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(frames.count() - at, kAtOnce));
    for (std::uint32_t c = 0; c < in_row_.size(); ++c) {
      frames.copy(c, at, n, samples);
      std::uint32_t full = 0;
      for (std::uint32_t i = 0; i < n; ++i) full += samples[i] >= full_scale_ || samples[i] <= -full_scale_ ? 1u : 0u;
      if (full == 0) {
        in_row_[c] = 0;
        continue;
      }
      samples_ += full;
      for (std::uint32_t i = 0; i < n; ++i) {
        const bool is_full = samples[i] >= full_scale_ || samples[i] <= -full_scale_;
        in_row_[c] = is_full ? in_row_[c] + 1 : 0;
        runs_ += in_row_[c] == kRun ? 1u : 0u;
      }
    }
  }
}

}  // namespace continuo::analysis
