#include "server/render/tail.hpp"

#include <cmath>

namespace continuo::render {
namespace {

constexpr float kLoud = 1e-5f;  // kSilenceDb

}  // namespace

std::span<const float> Tail::push(std::span<const float> samples) {
  given_.clear();
  for (; samples.size() >= channels_ && !over(); samples = samples.subspan(channels_)) {
    const std::span<const float> frame = samples.first(channels_);
    bool loud = false;
    for (const float sample : frame) loud |= !(std::abs(sample) < kLoud);  // no number is no silence
    held_.insert(held_.end(), frame.begin(), frame.end());
    ++frames_;
    ++silent_;
    if (loud) {
      given_.insert(given_.end(), held_.begin(), held_.end());
      held_.clear();
      silent_ = 0;
    }
    cut_ = frames_ >= kMaxSeconds * rate_hz_ && silent_ < kSilentSeconds * rate_hz_;
  }
  return given_;
}

}  // namespace continuo::render
