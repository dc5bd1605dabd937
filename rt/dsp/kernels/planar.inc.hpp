// THREAD: audio - part of level.cpp: loops over one channel's samples

void scale(float* out, const float* in, float factor, std::uint32_t frames) noexcept RT_NONBLOCKING {
  if (factor == 1.0f) {
    if (out != in) __builtin_memcpy(out, in, frames * sizeof(float));
    return;
  }
  if (factor == 0.0f) {
    __builtin_memset(out, 0, frames * sizeof(float));
    return;
  }
  std::uint32_t i = 0;
  for (; i + kWidth <= frames; i += kWidth) store(out + i, load(in + i) * factor);
  for (; i < frames; ++i) out[i] = in[i] * factor;
}

void scale_two(float* const* out, std::uint32_t offset, const float* in, const float* factors,
               std::uint32_t frames) noexcept RT_NONBLOCKING {
  float* __restrict const a = out[0] + offset;
  float* __restrict const b = out[1] + offset;
  const float fa = factors[0];
  const float fb = factors[1];
  if (fa == 0.0f || fb == 0.0f) {
    scale(a, in, fa, frames);
    scale(b, in, fb, frames);
    return;
  }
  std::uint32_t i = 0;
  for (; i + kWidth <= frames; i += kWidth) {
    const V x = load(in + i);
    store(a + i, x * fa);
    store(b + i, x * fb);
  }
  for (; i < frames; ++i) {
    a[i] = in[i] * fa;
    b[i] = in[i] * fb;
  }
}

void multiply(float* out, const float* in, const float* factors, std::uint32_t frames) noexcept RT_NONBLOCKING {
  std::uint32_t i = 0;
  for (; i + kWidth <= frames; i += kWidth) store(out + i, load(in + i) * load(factors + i));
  for (; i < frames; ++i) out[i] = in[i] * factors[i];
}

/// One leaf of a sum, `kRegisters` vectors of frames at a time: partial sums stay in registers.
template <std::uint32_t kRegisters>
CONTINUO_INLINE void leaf_part(float* out, const float* const* in, std::uint32_t count, std::uint32_t offset,
                               bool adds) noexcept RT_NONBLOCKING {
  V sum[kRegisters];
  for (std::uint32_t r = 0; r < kRegisters; ++r) sum[r] = load(in[0] + offset + r * kWidth);
  for (std::uint32_t k = 1; k < count; ++k)
    for (std::uint32_t r = 0; r < kRegisters; ++r) sum[r] += load(in[k] + offset + r * kWidth);
  for (std::uint32_t r = 0; r < kRegisters; ++r)
    store(out + r * kWidth, adds ? load(out + r * kWidth) + sum[r] : sum[r]);
}

void mix(float* out, const float* const* in, std::uint32_t count, std::uint32_t offset, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  constexpr std::uint32_t kAtOnce = CONTINUO_LEVEL == 4 ? 4 : 8;
  for (std::uint32_t first = 0; first < count; first += kMixLeaf) {
    const std::uint32_t n = count - first < kMixLeaf ? count - first : kMixLeaf;
    const float* const* leaf = in + first;
    const bool adds = first != 0;
    std::uint32_t i = 0;
    for (; i + kAtOnce * kWidth <= frames; i += kAtOnce * kWidth)
      leaf_part<kAtOnce>(out + i, leaf, n, offset + i, adds);
    for (; i + kWidth <= frames; i += kWidth) leaf_part<1>(out + i, leaf, n, offset + i, adds);
    for (; i < frames; ++i) {
      float sum = leaf[0][offset + i];
      for (std::uint32_t k = 1; k < n; ++k) sum += leaf[k][offset + i];
      out[i] = adds ? out[i] + sum : sum;
    }
  }
}

void deinterleave(float* const* to, std::uint32_t taken, std::uint32_t at, const float* from, std::uint32_t channels,
                  std::uint32_t frames) noexcept RT_NONBLOCKING {
  if (channels == 1 && taken == 1) {
    __builtin_memcpy(to[0] + at, from, frames * sizeof(float));
    return;
  }
  for (std::uint32_t c = 0; c < taken; ++c) {
    float* __restrict out = to[c] + at;
    for (std::uint32_t i = 0; i < frames; ++i) out[i] = from[i * channels + c];
  }
}
