// THREAD: audio - part of level.cpp: sines: a group of 16 frames at a time by the addition theorem
//
// sin(p + i w) = sin(p) cos(i w) + cos(p) sin(i w), where p is the phase of the group's first frame (a multiple of 16)
// and i w, 0 <= i < 16, comes from a table. Which group and which place a frame has follows from its number alone.

/// sin of phases of 2^32 a turn, folded to a quarter in integers so that nothing is lost before the polynomial:
/// Taylor's series (Abramowitz & Stegun 4.3.65), absolute error below 1.5e-7.
void sines_of(float* values, const std::uint32_t* phases, std::uint32_t count) noexcept RT_NONBLOCKING {
  typedef std::uint32_t VU __attribute__((vector_size(4 * kWidth)));
  for (std::uint32_t k = 0; k < count; k += kWidth) {
    VU phase;
    __builtin_memcpy(&phase, phases + k, sizeof(phase));
    const VU outer = (VU)((VI)(phase ^ (phase << 1)) >> 31);
    const VU folded = (phase & ~outer) | ((0x80000000u - phase) & outer);
    const V z = (__builtin_convertvector((VI)folded, V) * 0x1p-32f) * 6.28318530718f;
    const V q = z * z;
    V p = q * (1.0f / 6227020800.0f) - 1.0f / 39916800.0f;
    p = p * q + 1.0f / 362880.0f;
    p = p * q - 1.0f / 5040.0f;
    p = p * q + 1.0f / 120.0f;
    p = p * q - 1.0f / 6.0f;
    store(values + k, z + z * (q * p));
  }
}

void sine_table(float* table, std::uint64_t step) noexcept RT_NONBLOCKING {
  alignas(64) std::uint32_t phases[32];
  for (std::uint32_t i = 0; i < 16; ++i) {
    phases[16 + i] = static_cast<std::uint32_t>((i * step) >> 32);
    phases[i] = phases[16 + i] + 0x40000000u;  // a quarter further: the cosine
  }
  sines_of(table, phases, 32);
}

CONTINUO_INLINE void sine_group(float* out, const V* cosines, const V* sines, float s, float c) noexcept
    RT_NONBLOCKING {
  for (std::uint32_t v = 0; v < 16 / kWidth; ++v) store(out + v * kWidth, cosines[v] * s + sines[v] * c);
}

void sine_wave(float* out, const float* table, const float* values, std::uint32_t skipped,
               std::uint32_t frames) noexcept RT_NONBLOCKING {
  V cosines[16 / kWidth], sines[16 / kWidth];
  for (std::uint32_t v = 0; v < 16 / kWidth; ++v) {
    cosines[v] = load(table + v * kWidth);
    sines[v] = load(table + 16 + v * kWidth);
  }
  if (skipped == 0 && frames == 64) {
    for (std::uint32_t k = 0; k < 4; ++k) sine_group(out + 16 * k, cosines, sines, values[k], values[8 + k]);
    return;
  }
  std::uint32_t done = 0;
  for (std::uint32_t k = 0; done < frames; ++k) {
    alignas(64) float group[16];
    sine_group(group, cosines, sines, values[k], values[8 + k]);
    for (std::uint32_t i = k == 0 ? skipped : 0; i < 16 && done < frames; ++i) out[done++] = group[i];
  }
}
