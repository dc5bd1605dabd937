// THREAD: audio - part of level.cpp: between planar channels and the tile, by squares of 4 lanes and 4 frames

typedef float V4 __attribute__((vector_size(16)));

CONTINUO_INLINE V4 load4(const float* from) noexcept RT_NONBLOCKING {
  V4 v;
  __builtin_memcpy(&v, from, sizeof(v));
  return v;
}
CONTINUO_INLINE void store4(float* to, V4 v) noexcept RT_NONBLOCKING { __builtin_memcpy(to, &v, sizeof(v)); }

CONTINUO_INLINE void transpose(V4& a, V4& b, V4& c, V4& d) noexcept RT_NONBLOCKING {
  const V4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const V4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  a = __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5);
  b = __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7);
  c = __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5);
  d = __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7);
}

void pack(float* tile, const float* const* in, std::uint32_t lanes, std::uint32_t offset, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  const std::uint32_t width = columns(lanes);
  for (std::uint32_t lane = 0; lane < width; lane += 4) {
    // A lane that nobody has is the last one's copy: finite wherever that is.
    const float* from[4];
    for (std::uint32_t k = 0; k < 4; ++k) from[k] = in[lane + k < lanes ? lane + k : lanes - 1] + offset;
    float* to = tile + lane;
    std::uint32_t i = 0;
    for (; i + 4 <= frames; i += 4, to += 4 * kMaxLanes) {
      V4 a = load4(from[0] + i), b = load4(from[1] + i), c = load4(from[2] + i), d = load4(from[3] + i);
      transpose(a, b, c, d);
      store4(to, a);
      store4(to + kMaxLanes, b);
      store4(to + 2 * kMaxLanes, c);
      store4(to + 3 * kMaxLanes, d);
    }
    for (; i < frames; ++i, to += kMaxLanes)
      for (std::uint32_t k = 0; k < 4; ++k) to[k] = from[k][i];
  }
}

void unpack(float* const* out, std::uint32_t lanes, std::uint32_t offset, const float* tile,
            std::uint32_t frames) noexcept RT_NONBLOCKING {
  std::uint32_t lane = 0;
  for (; lane + 4 <= lanes; lane += 4) {
    const float* from = tile + lane;
    float* to[4];
    for (std::uint32_t k = 0; k < 4; ++k) to[k] = out[lane + k] + offset;
    std::uint32_t i = 0;
    for (; i + 4 <= frames; i += 4, from += 4 * kMaxLanes) {
      V4 a = load4(from), b = load4(from + kMaxLanes), c = load4(from + 2 * kMaxLanes), d = load4(from + 3 * kMaxLanes);
      transpose(a, b, c, d);
      store4(to[0] + i, a);
      store4(to[1] + i, b);
      store4(to[2] + i, c);
      store4(to[3] + i, d);
    }
    for (; i < frames; ++i, from += kMaxLanes)
      for (std::uint32_t k = 0; k < 4; ++k) to[k][i] = from[k];
  }
  for (; lane < lanes; ++lane) {
    float* to = out[lane] + offset;
    for (std::uint32_t i = 0; i < frames; ++i) to[i] = tile[i * kMaxLanes + lane];
  }
}

void tile_gain(float* tile, const float* factors, std::uint32_t lanes, std::uint32_t frames) noexcept RT_NONBLOCKING {
  for (std::uint32_t v = 0; v < lanes; v += kWidth) {
    const V factor = load(factors + v);
    const VI sounds = factor != 0.0f;
    float* at = tile + v;
    for (std::uint32_t i = 0; i < frames; ++i, at += kMaxLanes) store(at, select(sounds, load(at) * factor, V{}));
  }
}
