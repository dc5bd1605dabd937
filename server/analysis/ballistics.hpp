// THREAD: any, one at a time - needles: the VU meter and the programme meters
#pragma once

#include <cstdint>
#include <vector>

#include "server/analysis/frames.hpp"

namespace continuo::analysis {

/// All of these look at the rectified samples, and a steady sine reads as its peak: at full scale 1 (0 dB). Where a
/// house puts its 0 VU or its "4" is a matter of the scale, not of the needle. Levels are functions of frames, never of
/// how they were fed.

/// IEC 60268-17: the mean of the rectified signal through a needle of second order. A tone that appears has reached 99
/// % after 300 ms, overshoots by 1.25 % (allowed: 1 to 1.5 %), and falls in the same time.
class VuMeter {
 public:
  /// Allocates; nothing does afterwards.
  VuMeter(double sample_rate_hz, std::uint32_t channels);
  void feed(const Frames& frames) noexcept;
  [[nodiscard]] double level(std::uint32_t channel) const noexcept;

 private:
  struct Needle {
    double place = 0.0;
    double speed = 0.0;  // a frame
  };
  double spring_;  // of the way a frame
  double keep_;    // of its speed
  std::vector<Needle> needles_;
};

enum class PpmType : std::uint8_t {
  type_1,  // IEC 60268-10, type I ("DIN"): 10 ms read -1 dB, falls 20 dB in 1.7 s
  type_2,  // types IIa (BBC) and IIb (EBU), which differ in the scale alone: 10 ms read -2.5 dB, falls 24 dB in 2.8 s
};

/// Quasi-peak: a needle that rises through two time constants at once, whose mixture was fitted to the table of bursts
/// of IEC 60268-10, and falls by so many dB a second. Within half of the table's tolerances, from 32 kHz on
/// (tests/server/analysis/ballistics_test.cpp).
class PpmMeter {
 public:
  /// Allocates; nothing does afterwards.
  PpmMeter(double sample_rate_hz, std::uint32_t channels, PpmType type);
  void feed(const Frames& frames) noexcept;
  /// Where the needle is.
  [[nodiscard]] double level(std::uint32_t channel) const noexcept;
  /// The highest that it was, since the start or restart().
  [[nodiscard]] double max(std::uint32_t channel) const noexcept;
  void restart() noexcept;

 private:
  struct Needle {
    double first = 0.0;
    double second = 0.0;
    double level = 0.0;
    double max = 0.0;
  };
  double rise_first_, rise_second_;
  double part_first_, part_second_;  // with the factor that makes a steady sine read as its peak
  double fall_;
  double keep_first_, keep_second_;  // of what was, where it rises
  std::vector<Needle> needles_;
};

}  // namespace continuo::analysis
