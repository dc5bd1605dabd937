// THREAD: any - second-order sections: their design, in double
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/dsp/math.hpp"

namespace continuo::rt::dsp {

enum class BandType : std::uint8_t { off, low_shelf, high_shelf, peak, low_pass, high_pass, notch, band_pass };

/// (b0 + b1/z + b2/z^2) / (1 + a1/z + a2/z^2), and what the kernel works with (kernels/eq.inc.hpp).
struct Section {
  double b0 = 1.0, b1 = 0.0, b2 = 0.0, a1 = 0.0, a2 = 0.0;
  double k1 = 1.0, k2 = 1.0;         // 1 + a1 + a2 and 1 - a2, from the design and not from differences
  double d0 = 1.0, d1 = 0.0, d2 = 0.0;
};

/// R. Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients" (W3C Audio Working Group Note,
/// 2021); shelves by Q; the band pass has 0 dB at its middle. `frequency_hz` is held between 1 mHz and 0.49 of the rate,
/// `q` above 0.001. `wet`, 0 to 1, is how much of the section is in the signal: at 0 the signal passes.
[[nodiscard]] constexpr Section design_section(BandType type, double frequency_hz, double gain_db, double q,
                                               double sample_rate_hz, double wet = 1.0) noexcept RT_NONBLOCKING {
  const double highest = 0.49 * sample_rate_hz;
  const double hz = frequency_hz < 1e-3 ? 1e-3 : (frequency_hz > highest ? highest : frequency_hz);
  const double turns = hz / sample_rate_hz;
  const double cosine = cos_turns(turns);
  const double half = sin_turns(0.5 * turns);
  const double fall = 2.0 * half * half;  // 1 - cos, without the difference
  const double alpha = sin_turns(turns) / (2.0 * (q < 1e-3 ? 1e-3 : q));
  Section s;
  double a0 = 1.0 + alpha;
  double dc = 1.0;                // response at 0 Hz
  double b[3] = {1.0, 0.0, 0.0};  // times a0
  double sum = 2.0 * fall;        // a0 + a1 + a2
  double difference = 2.0 * alpha;  // a0 - a2
  switch (type) {
    case BandType::off:
      return s;
    case BandType::peak: {
      const double a = exp2(gain_db * kLog2PerDb * 0.5);
      a0 = 1.0 + alpha / a;
      difference = 2.0 * alpha / a;
      b[0] = 1.0 + alpha * a;
      b[1] = -2.0 * cosine;
      b[2] = 1.0 - alpha * a;
      break;
    }
    case BandType::low_shelf:
    case BandType::high_shelf: {
      const bool low = type == BandType::low_shelf;
      const double a = exp2(gain_db * kLog2PerDb * 0.5);
      const double slope = 2.0 * exp2(gain_db * kLog2PerDb * 0.25) * alpha;
      const double c = low ? cosine : -cosine;
      const double sign = low ? 1.0 : -1.0;
      a0 = (a + 1.0) + (a - 1.0) * c + slope;
      difference = 2.0 * slope;
      sum = 4.0 * (low ? 1.0 : a) * fall;
      b[0] = a * ((a + 1.0) - (a - 1.0) * c + slope);
      b[1] = sign * 2.0 * a * ((a - 1.0) - (a + 1.0) * c);
      b[2] = a * ((a + 1.0) - (a - 1.0) * c - slope);
      if (low) dc = a * a;
      break;
    }
    case BandType::low_pass:
      b[0] = b[2] = 0.5 * fall;
      b[1] = fall;
      break;
    case BandType::high_pass:
      b[0] = b[2] = 0.5 * (1.0 + cosine);
      b[1] = -(1.0 + cosine);
      dc = 0.0;
      break;
    case BandType::notch:
      b[0] = b[2] = 1.0;
      b[1] = -2.0 * cosine;
      break;
    case BandType::band_pass:
      b[0] = alpha;
      b[2] = -alpha;
      dc = 0.0;
      break;
  }
  s.b0 = b[0] / a0;
  s.b1 = b[1] / a0;
  s.b2 = b[2] / a0;
  s.k1 = sum / a0;
  s.k2 = difference / a0;
  s.a2 = 1.0 - s.k2;
  s.a1 = s.k1 - 1.0 - s.a2;
  s.d0 = 1.0 + wet * (s.b0 - 1.0);
  s.d1 = wet * ((s.b0 * s.a2 - s.b2) / s.k1);
  s.d2 = wet * (dc - s.b0);
  return s;
}

/// Q of section `index` of `count` whose cascade is a Butterworth of order 2 count.
[[nodiscard]] constexpr double butterworth_q(std::uint32_t index, std::uint32_t count) noexcept RT_NONBLOCKING {
  return 0.5 / cos_turns((2.0 * index + 1.0) / (8.0 * count));
}

}  // namespace continuo::rt::dsp
