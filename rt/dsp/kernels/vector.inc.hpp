// THREAD: audio - part of level.cpp: vectors of the native width, and the functions that reach a sample in lanes
// (No include guard: included once, inside an unnamed namespace.)

#if CONTINUO_LEVEL == 4
constexpr std::uint32_t kWidth = 16;
#elif CONTINUO_LEVEL == 3
constexpr std::uint32_t kWidth = 8;
#else
constexpr std::uint32_t kWidth = 4;
#endif

typedef float V __attribute__((vector_size(4 * kWidth)));
typedef std::int32_t VI __attribute__((vector_size(4 * kWidth)));

#define CONTINUO_INLINE [[gnu::always_inline]] inline

CONTINUO_INLINE V load(const float* from) noexcept RT_NONBLOCKING {
  V v;
  __builtin_memcpy(&v, from, sizeof(v));
  return v;
}
CONTINUO_INLINE void store(float* to, V v) noexcept RT_NONBLOCKING { __builtin_memcpy(to, &v, sizeof(v)); }
CONTINUO_INLINE V all(float x) noexcept RT_NONBLOCKING { return x - V{}; }
CONTINUO_INLINE V larger(V a, V b) noexcept RT_NONBLOCKING { return b > a ? b : a; }
CONTINUO_INLINE V smaller(V a, V b) noexcept RT_NONBLOCKING { return b < a ? b : a; }
CONTINUO_INLINE V magnitude(V a) noexcept RT_NONBLOCKING { return (V)((VI)a & 0x7fffffff); }
CONTINUO_INLINE V select(VI mask, V yes, V no) noexcept RT_NONBLOCKING { return mask ? yes : no; }
constexpr std::uint32_t columns(std::uint32_t lanes) noexcept RT_NONBLOCKING {
  return (lanes + kWidth - 1) / kWidth * kWidth;
}

/// log2 of a normal x > 0 (of anything smaller: about -126), absolute error below 3e-7. The mantissa is taken in
/// sqrt(1/2) to sqrt(2); ln((1 + s) / (1 - s)) = 2 (s + s^3/3 + s^5/5 + ...), Abramowitz & Stegun 4.1.27.
CONTINUO_INLINE V log2_lanes(V x) noexcept RT_NONBLOCKING {
  x = larger(x, all(0x1p-126f));
  const VI bits = (VI)x - 0x3f3504f3;
  const V exponent = __builtin_convertvector(bits >> 23, V);
  const V m = (V)((bits & 0x007fffff) + 0x3f3504f3);
  const V s = (m - 1.0f) / (m + 1.0f);
  const V q = s * s;
  V p = q * (2.8853900818f / 9.0f) + 2.8853900818f / 7.0f;
  p = p * q + 2.8853900818f / 5.0f;
  p = p * q + 2.8853900818f / 3.0f;
  p = p * q + 2.8853900818f;
  return exponent + s * p;
}

/// 2^x for -126 <= x <= 127, held at the ends; relative error below 2e-7. Taylor's series of e^(z ln 2) for |z| <= 1/2
/// (Abramowitz & Stegun 4.2.1), cut where the next term is below half a unit in the last place.
CONTINUO_INLINE V exp2_lanes(V x) noexcept RT_NONBLOCKING {
  x = smaller(larger(x, all(-126.0f)), all(127.0f));
  const V shifted = x + 0x1.8p23f;
  const V z = x - (shifted - 0x1.8p23f);
  V p = z * 1.5252733804e-5f + 1.5403530394e-4f;
  p = p * z + 1.3333558146e-3f;
  p = p * z + 9.6181291076e-3f;
  p = p * z + 5.5504108665e-2f;
  p = p * z + 2.4022650696e-1f;
  p = p * z + 6.9314718056e-1f;
  p = p * z + 1.0f;
  return (V)((VI)p + ((VI)shifted << 23));
}
