// THREAD: any - powers and levels in decibels: never an infinity, never NaN
#pragma once

#include "rt/dsp/math.hpp"

namespace continuo::analysis {

/// Silence, and everything below it. The other end is far above what a float can hold.
inline constexpr double kSilenceDb = rt::dsp::kSilenceDb;
inline constexpr double kMostDb = 800.0;

/// 10 log10(power). The same bits on every CPU (rt/dsp/math.hpp). What is no number is silence.
[[nodiscard]] constexpr double power_db(double power) noexcept {
  if (!(power > 1e-15)) return kSilenceDb;
  if (power > 1e80) return kMostDb;
  return rt::dsp::log2(power) * (0.5 / rt::dsp::kLog2PerDb);
}

/// 20 log10(level).
[[nodiscard]] constexpr double level_db(double level) noexcept {
  if (!(level > 3.162277660168379e-8)) return kSilenceDb;
  if (level > 1e40) return kMostDb;
  return rt::dsp::log2(level) * (1.0 / rt::dsp::kLog2PerDb);
}

[[nodiscard]] constexpr double db_power(double db) noexcept { return rt::dsp::exp2(db * 2.0 * rt::dsp::kLog2PerDb); }
[[nodiscard]] constexpr double db_level(double db) noexcept { return rt::dsp::exp2(db * rt::dsp::kLog2PerDb); }

}  // namespace continuo::analysis
