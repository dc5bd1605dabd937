#include "server/analysis/stereo.hpp"

#include <algorithm>
#include <cmath>

#include "rt/dsp/math.hpp"
#include "server/base/check.hpp"

namespace continuo::analysis {
namespace {

constexpr std::uint32_t kAtOnce = 256;
constexpr double kSilentPower = 1e-15;
constexpr double kNothing = 1e-60;  // so that nothing becomes subnormal

}  // namespace

StereoMeter::StereoMeter(double sample_rate_hz, double window_s, std::uint32_t left, std::uint32_t right)
    : part_(1.0 - rt::dsp::exp2(-1.0 / (window_s * sample_rate_hz * rt::dsp::kLn2))), left_(left), right_(right) {
  CONTINUO_CHECK(sample_rate_hz > 0.0 && window_s > 0.0, "a window has a length");
}

void StereoMeter::feed(const Frames& frames) noexcept {
  CONTINUO_CHECK(left_ < frames.channels() && right_ < frames.channels(), "two of the channels that there are");
  float lefts[kAtOnce], rights[kAtOnce];
  for (std::size_t at = 0; at < frames.count(); at += kAtOnce) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(frames.count() - at, kAtOnce));
    frames.copy(left_, at, n, lefts);
    frames.copy(right_, at, n, rights);
    double ll = left_power_, rr = right_power_, lr = product_;
    for (std::uint32_t i = 0; i < n; ++i) {
      const auto l = static_cast<double>(lefts[i]), r = static_cast<double>(rights[i]);
      ll += part_ * (l * l - ll);
      rr += part_ * (r * r - rr);
      lr += part_ * (l * r - lr);
      ll = ll < kNothing ? 0.0 : ll;
      rr = rr < kNothing ? 0.0 : rr;
      lr = lr < kNothing && lr > -kNothing ? 0.0 : lr;
    }
    left_power_ = ll, right_power_ = rr, product_ = lr;
  }
}

bool StereoMeter::both_heard() const noexcept { return left_power_ > kSilentPower && right_power_ > kSilentPower; }
bool StereoMeter::heard() const noexcept { return left_power_ > kSilentPower || right_power_ > kSilentPower; }

double StereoMeter::correlation() const noexcept {
  if (!both_heard()) return 0.0;
  return std::clamp(product_ / (std::sqrt(left_power_) * std::sqrt(right_power_)), -1.0, 1.0);
}

double StereoMeter::balance() const noexcept {
  return heard() ? (right_power_ - left_power_) / (right_power_ + left_power_) : 0.0;
}

}  // namespace continuo::analysis
