// THREAD: audio - part of level.cpp: passes of the transform of dsp/fft.hpp, products of spectra, a short filter
//
// Order of arithmetic: each value of a pass is a fixed expression of four (or two) values of the pass before, so
// neither the width of a register nor the cut into chunks can be heard.

template <class T>
struct Complex {
  T re, im;
};
template <class T>
CONTINUO_INLINE Complex<T> get(const float* at) noexcept RT_NONBLOCKING {
  Complex<T> v;
  __builtin_memcpy(&v.re, at, sizeof(T));
  __builtin_memcpy(&v.im, at + kFftCell, sizeof(T));
  return v;
}
template <class T>
CONTINUO_INLINE void put(float* at, Complex<T> v) noexcept RT_NONBLOCKING {
  __builtin_memcpy(at, &v.re, sizeof(T));
  __builtin_memcpy(at + kFftCell, &v.im, sizeof(T));
}
template <class T>
CONTINUO_INLINE Complex<T> operator+(Complex<T> a, Complex<T> b) noexcept RT_NONBLOCKING {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
CONTINUO_INLINE Complex<T> operator-(Complex<T> a, Complex<T> b) noexcept RT_NONBLOCKING {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
CONTINUO_INLINE Complex<T> plus_i(Complex<T> a, Complex<T> b) noexcept RT_NONBLOCKING {
  return {a.re - b.im, a.im + b.re};
}
template <class T>
CONTINUO_INLINE Complex<T> minus_i(Complex<T> a, Complex<T> b) noexcept RT_NONBLOCKING {
  return {a.re + b.im, a.im - b.re};
}
template <class T>
CONTINUO_INLINE Complex<T> times(Complex<T> a, Complex<T> w) noexcept RT_NONBLOCKING {
  return {a.re * w.re - a.im * w.im, a.im * w.re + a.re * w.im};
}
template <class T>
CONTINUO_INLINE Complex<T> times_conj(Complex<T> a, Complex<T> w) noexcept RT_NONBLOCKING {
  return {a.re * w.re + a.im * w.im, a.im * w.re - a.re * w.im};
}

/// a0..a3 modulo X^4m - c become residues modulo X^m - i^k d, where w = {d, d^2, d^3} and d^4 = c.
template <class T>
CONTINUO_INLINE void split4(Complex<T>* a, const Complex<T>* w) noexcept RT_NONBLOCKING {
  const Complex<T> t1 = times(a[1], w[0]), t2 = times(a[2], w[1]), t3 = times(a[3], w[2]);
  const Complex<T> even = a[0] + t2, odd = a[0] - t2, sum = t1 + t3, difference = t1 - t3;
  a[0] = even + sum;
  a[1] = plus_i(odd, difference);
  a[2] = even - sum;
  a[3] = minus_i(odd, difference);
}
/// Undoes split4, times 4.
template <class T>
CONTINUO_INLINE void join4(Complex<T>* a, const Complex<T>* w) noexcept RT_NONBLOCKING {
  const Complex<T> even = a[0] + a[2], odd = a[0] - a[2], sum = a[1] + a[3], difference = a[1] - a[3];
  a[0] = even + sum;
  a[1] = times_conj(minus_i(odd, difference), w[0]);
  a[2] = times_conj(even - sum, w[1]);
  a[3] = times_conj(plus_i(odd, difference), w[2]);
}

/// Three factors, `step` floats apart: re and im of each.
template <class T>
CONTINUO_INLINE void get_factors(Complex<T>* w, const float* from, std::uint32_t step) noexcept RT_NONBLOCKING {
  for (std::uint32_t k = 0; k < 3; ++k) {
    __builtin_memcpy(&w[k].re, from + 2 * k * step, sizeof(T));
    __builtin_memcpy(&w[k].im, from + (2 * k + 1) * step, sizeof(T));
  }
}

constexpr std::uint32_t kCellFloats = 2 * kFftCell;

/// Butterflies `first` to `first + count`, each a cell of 16 in each of the block's four quarters.
template <bool kForward>
CONTINUO_INLINE void pass4(float* cells, const float* twiddles, std::uint32_t quarter, std::uint32_t first,
                           std::uint32_t count) noexcept RT_NONBLOCKING {
  const std::uint32_t end = first + count, stride = quarter * kCellFloats;
  for (std::uint32_t done = first; done < end;) {
    const std::uint32_t block = done / quarter, from = done % quarter;
    const std::uint32_t to = end - done < quarter - from ? from + (end - done) : quarter;
    Complex<V> w[3];
    for (std::uint32_t k = 0; k < 3; ++k)
      w[k] = {all(twiddles[block * 6 + 2 * k]), all(twiddles[block * 6 + 2 * k + 1])};
    float* const base = cells + block * 4 * stride;
    for (std::uint32_t j = from; j < to; ++j) {
      for (std::uint32_t v = 0; v < kFftCell; v += kWidth) {
        float* const at = base + j * kCellFloats + v;
        Complex<V> a[4];
        for (std::uint32_t k = 0; k < 4; ++k) a[k] = get<V>(at + k * stride);
        if constexpr (kForward)
          split4(a, w);
        else
          join4(a, w);
        for (std::uint32_t k = 0; k < 4; ++k) put(at + k * stride, a[k]);
      }
    }
    done += to - from;
  }
}

/// The same with halves: modulo X^2m - i to X^m -+ d; only ever the first pass, of one block.
template <bool kForward>
CONTINUO_INLINE void pass2(float* cells, const float* twiddles, std::uint32_t half, std::uint32_t first,
                           std::uint32_t count) noexcept RT_NONBLOCKING {
  const Complex<V> w = {all(twiddles[0]), all(twiddles[1])};
  for (std::uint32_t j = first; j < first + count; ++j) {
    for (std::uint32_t v = 0; v < kFftCell; v += kWidth) {
      float* const at = cells + j * kCellFloats + v;
      const Complex<V> low = get<V>(at), high = get<V>(at + half * kCellFloats);
      if constexpr (kForward) {
        const Complex<V> t = times(high, w);
        put(at, low + t);
        put(at + half * kCellFloats, low - t);
      } else {
        put(at, low + high);
        put(at + half * kCellFloats, times_conj(low - high, w));
      }
    }
  }
}

typedef float V4 __attribute__((vector_size(16)));

/// to[c][r] = from[r][c] for a square of 4.
CONTINUO_INLINE void transpose4(float* to, std::uint32_t to_stride, const float* from,
                                std::uint32_t from_stride) noexcept RT_NONBLOCKING {
  V4 r[4];
  for (std::uint32_t k = 0; k < 4; ++k) __builtin_memcpy(&r[k], from + k * from_stride, sizeof(V4));
  const V4 a = __builtin_shufflevector(r[0], r[1], 0, 4, 1, 5), b = __builtin_shufflevector(r[2], r[3], 0, 4, 1, 5);
  const V4 c = __builtin_shufflevector(r[0], r[1], 2, 6, 3, 7), d = __builtin_shufflevector(r[2], r[3], 2, 6, 3, 7);
  r[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
  r[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
  r[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
  r[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
  for (std::uint32_t k = 0; k < 4; ++k) __builtin_memcpy(to + k * to_stride, &r[k], sizeof(V4));
}

/// The last two passes: kColumns blocks of 16 values at once, one a column. After it, value e of block b sits at
/// position e * kColumns + b of the tile: the spectrum's order.
template <class T, std::uint32_t kColumns>
CONTINUO_INLINE void split_tile(float* cells, const float* twiddles) noexcept RT_NONBLOCKING {
  constexpr std::uint32_t kLanes = sizeof(T) / sizeof(float);
  alignas(64) float rows[16 * kCellFloats];  // row e: 16 real parts, 16 imaginary parts; kColumns used
  for (std::uint32_t part = 0; part < kCellFloats; part += kFftCell)
    for (std::uint32_t e = 0; e < 16; e += 4)
      for (std::uint32_t b = 0; b < kColumns; b += 4)
        transpose4(rows + e * kCellFloats + part + b, kCellFloats, cells + b * kCellFloats + part + e, kCellFloats);
  for (std::uint32_t v = 0; v < kColumns; v += kLanes) {
    Complex<T> w[3];
    get_factors(w, twiddles + v, kColumns);
    for (std::uint32_t e = 0; e < 4; ++e) {
      Complex<T> a[4];
      for (std::uint32_t k = 0; k < 4; ++k) a[k] = get<T>(rows + (e + 4 * k) * kCellFloats + v);
      split4(a, w);
      for (std::uint32_t k = 0; k < 4; ++k) put(rows + (e + 4 * k) * kCellFloats + v, a[k]);
    }
    for (std::uint32_t q = 0; q < 4; ++q) {
      get_factors(w, twiddles + (q + 1) * 6 * kColumns + v, kColumns);
      Complex<T> a[4];
      for (std::uint32_t k = 0; k < 4; ++k) a[k] = get<T>(rows + (4 * q + k) * kCellFloats + v);
      split4(a, w);
      for (std::uint32_t k = 0; k < 4; ++k) {
        const std::uint32_t position = (4 * q + k) * kColumns + v;
        put(cells + position / kFftCell * kCellFloats + position % kFftCell, a[k]);
      }
    }
  }
}
template <class T, std::uint32_t kColumns>
CONTINUO_INLINE void join_tile(float* cells, const float* twiddles) noexcept RT_NONBLOCKING {
  constexpr std::uint32_t kLanes = sizeof(T) / sizeof(float);
  alignas(64) float rows[16 * kCellFloats];
  for (std::uint32_t v = 0; v < kColumns; v += kLanes) {
    Complex<T> w[3];
    for (std::uint32_t q = 0; q < 4; ++q) {
      get_factors(w, twiddles + (q + 1) * 6 * kColumns + v, kColumns);
      Complex<T> a[4];
      for (std::uint32_t k = 0; k < 4; ++k) {
        const std::uint32_t position = (4 * q + k) * kColumns + v;
        a[k] = get<T>(cells + position / kFftCell * kCellFloats + position % kFftCell);
      }
      join4(a, w);
      for (std::uint32_t k = 0; k < 4; ++k) put(rows + (4 * q + k) * kCellFloats + v, a[k]);
    }
    get_factors(w, twiddles + v, kColumns);
    for (std::uint32_t e = 0; e < 4; ++e) {
      Complex<T> a[4];
      for (std::uint32_t k = 0; k < 4; ++k) a[k] = get<T>(rows + (e + 4 * k) * kCellFloats + v);
      join4(a, w);
      for (std::uint32_t k = 0; k < 4; ++k) put(rows + (e + 4 * k) * kCellFloats + v, a[k]);
    }
  }
  for (std::uint32_t part = 0; part < kCellFloats; part += kFftCell)
    for (std::uint32_t e = 0; e < 16; e += 4)
      for (std::uint32_t b = 0; b < kColumns; b += 4)
        transpose4(cells + b * kCellFloats + part + e, kCellFloats, rows + e * kCellFloats + part + b, kCellFloats);
}

template <bool kForward, class T, std::uint32_t kColumns>
CONTINUO_INLINE void tile_pass(float* cells, const float* twiddles, std::uint32_t first, std::uint32_t count) noexcept
    RT_NONBLOCKING {
  for (std::uint32_t t = first; t < first + count; ++t) {
    if constexpr (kForward)
      split_tile<T, kColumns>(cells + t * kColumns * kCellFloats, twiddles + t * 30 * kColumns);
    else
      join_tile<T, kColumns>(cells + t * kColumns * kCellFloats, twiddles + t * 30 * kColumns);
  }
}

#if CONTINUO_LEVEL == 1
typedef V4 V8;
#else
typedef float V8 __attribute__((vector_size(32)));
#endif

template <bool kForward>
CONTINUO_INLINE void fft_pass(float* cells, const FftTables& t, std::uint32_t pass, std::uint32_t first,
                              std::uint32_t count) noexcept RT_NONBLOCKING {
  const std::uint32_t total = t.size / kFftCell, per_chunk = total < 16 ? total : 16;
  const float* const twiddles = t.twiddles[pass];
  if (pass + 1 == t.passes) {
    if (total >= 16)
      tile_pass<kForward, V, 16>(cells, twiddles, first, count);
    else if (total == 8)
      tile_pass<kForward, V8, 8>(cells, twiddles, first, count);
    else
      tile_pass<kForward, V4, 4>(cells, twiddles, first, count);
  } else if (t.quarter[pass] == 0) {
    pass2<kForward>(cells, twiddles, total / 2, first * per_chunk / 2, count * per_chunk / 2);
  } else {
    pass4<kForward>(cells, twiddles, t.quarter[pass], first * per_chunk / 4, count * per_chunk / 4);
  }
}
void fft_forward(float* cells, const FftTables& t, std::uint32_t pass, std::uint32_t first,
                 std::uint32_t count) noexcept RT_NONBLOCKING {
  fft_pass<true>(cells, t, pass, first, count);
}
void fft_inverse(float* cells, const FftTables& t, std::uint32_t pass, std::uint32_t first,
                 std::uint32_t count) noexcept RT_NONBLOCKING {
  fft_pass<false>(cells, t, pass, first, count);
}

template <std::uint32_t kPairs>
CONTINUO_INLINE void multiply_add_n(float* sum, const float* const* x, const float* const* h, std::uint32_t floats,
                                    bool fresh) noexcept RT_NONBLOCKING {
  for (std::uint32_t i = 0; i < floats; i += kCellFloats) {
    for (std::uint32_t v = i; v < i + kFftCell; v += kWidth) {
      Complex<V> s = {};
      if (!fresh) s = get<V>(sum + v);
      for (std::uint32_t k = 0; k < kPairs; ++k) {
        const Complex<V> a = get<V>(x[k] + v), b = get<V>(h[k] + v);
        s.re = s.re + (a.re * b.re - a.im * b.im);
        s.im = s.im + (a.im * b.re + a.re * b.im);
      }
      put(sum + v, s);
    }
  }
}
void multiply_add(float* sum, const float* const* x, const float* const* h, std::uint32_t pairs, std::uint32_t cells,
                  bool fresh) noexcept RT_NONBLOCKING {
  const std::uint32_t floats = cells * kCellFloats;
  switch (pairs) {
    case 1:
      return multiply_add_n<1>(sum, x, h, floats, fresh);
    case 2:
      return multiply_add_n<2>(sum, x, h, floats, fresh);
    case 3:
      return multiply_add_n<3>(sum, x, h, floats, fresh);
    default:
      return multiply_add_n<4>(sum, x, h, floats, fresh);
  }
}

template <std::uint32_t kVectors>
CONTINUO_INLINE void fir_n(float* out, const float* x, const float* h, std::uint32_t taps) noexcept RT_NONBLOCKING {
  V s[kVectors] = {};
  for (std::uint32_t m = 0; m < taps; ++m) {
    const V factor = all(h[m]);
    for (std::uint32_t k = 0; k < kVectors; ++k) s[k] += factor * load(x + k * kWidth - m);
  }
  for (std::uint32_t k = 0; k < kVectors; ++k) store(out + k * kWidth, load(out + k * kWidth) + s[k]);
}
void fir(float* out, const float* x, const float* h, std::uint32_t taps, std::uint32_t frames) noexcept RT_NONBLOCKING {
  constexpr std::uint32_t kMost = kWidth == 16 ? 4 : 8;
  for (; frames >= kMost * kWidth; frames -= kMost * kWidth, out += kMost * kWidth, x += kMost * kWidth)
    fir_n<kMost>(out, x, h, taps);
  for (; frames > 0; frames -= kFftCell, out += kFftCell, x += kFftCell) fir_n<kFftCell / kWidth>(out, x, h, taps);
}
