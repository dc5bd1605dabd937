// THREAD: any that runs DSP - the floating-point mode that the same samples depend on
#pragma once

#include <immintrin.h>

#include "rt/annotations.hpp"

namespace continuo::rt::dsp {

/// For its lifetime: subnormals are zero (FTZ and DAZ: they cost 50 times a normal sample, and change bits, so offline
/// and tests use it too), rounding is to nearest, nothing traps. Then the caller's mode is back.
class FloatMode {
 public:
  static constexpr unsigned kMode = 0x1f80u | 0x8000u | 0x0040u;  // all exceptions masked, FTZ, DAZ

  FloatMode() noexcept RT_NONBLOCKING : before_(_mm_getcsr()) { _mm_setcsr(kMode); }
  ~FloatMode() { _mm_setcsr(before_); }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
  const unsigned before_;
};

}  // namespace continuo::rt::dsp
