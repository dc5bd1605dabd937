// Compiled twice, for x86-64-v3 (8 lanes) and x86-64-v4 (16 lanes), with contraction: the floor may use every trick, it
// has no bits to keep. Nothing here is an engine: the tracks' number, chain and order are fixed.
#include "tests/bench/floor/kernels.hpp"

#include <immintrin.h>

namespace continuo::bench {
namespace {

#ifdef __AVX512BW__
constexpr std::size_t kLanes = 16;
using Raw = __m512;
#else
constexpr std::size_t kLanes = 8;
using Raw = __m256;
#endif
typedef float Floats __attribute__((vector_size(4 * kLanes), may_alias));
typedef int Ints __attribute__((vector_size(4 * kLanes), may_alias));

inline Floats load(const float* from) { return *reinterpret_cast<const Floats*>(from); }
inline void store(float* to, Floats value) { *reinterpret_cast<Floats*>(to) = value; }
inline Floats all(float value) { return value - Floats{}; }
inline Floats larger(Floats a, Floats b) { return a > b ? a : b; }

inline __m128i load_128(const std::uint8_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }

/// Four frames of one quarter or half of the lanes a register: track `first`, first + 4, ... as 32-bit integers.
inline Raw four_frames(const std::uint8_t* const* tracks, std::size_t at) {
  // Three bytes into the upper three of four: the sign is in its place, the scale is 256 times as large.
  const __m128i spread = _mm_setr_epi8(-1, 0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11);
#ifdef __AVX512BW__
  __m512i bytes = _mm512_castsi128_si512(load_128(tracks[0] + at));
  bytes = _mm512_inserti32x4(bytes, load_128(tracks[4] + at), 1);
  bytes = _mm512_inserti32x4(bytes, load_128(tracks[8] + at), 2);
  bytes = _mm512_inserti32x4(bytes, load_128(tracks[12] + at), 3);
  return _mm512_cvtepi32_ps(_mm512_shuffle_epi8(bytes, _mm512_broadcast_i32x4(spread)));
#else
  const __m256i bytes =
      _mm256_inserti128_si256(_mm256_castsi128_si256(load_128(tracks[0] + at)), load_128(tracks[4] + at), 1);
  return _mm256_cvtepi32_ps(_mm256_shuffle_epi8(bytes, _mm256_broadcastsi128_si256(spread)));
#endif
}

/// Four frames of all lanes: frames[i] has frame i of every track.
inline void read_frames(const std::uint8_t* const* tracks, std::size_t at, Floats* frames) {
  const Raw a = four_frames(tracks, at), b = four_frames(tracks + 1, at);
  const Raw c = four_frames(tracks + 2, at), d = four_frames(tracks + 3, at);
#ifdef __AVX512BW__
  const __m512d ab = _mm512_castps_pd(_mm512_unpacklo_ps(a, b)), ab_high = _mm512_castps_pd(_mm512_unpackhi_ps(a, b));
  const __m512d cd = _mm512_castps_pd(_mm512_unpacklo_ps(c, d)), cd_high = _mm512_castps_pd(_mm512_unpackhi_ps(c, d));
  frames[0] = Floats(_mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)));
  frames[1] = Floats(_mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd)));
  frames[2] = Floats(_mm512_castpd_ps(_mm512_unpacklo_pd(ab_high, cd_high)));
  frames[3] = Floats(_mm512_castpd_ps(_mm512_unpackhi_pd(ab_high, cd_high)));
#else
  const __m256d ab = _mm256_castps_pd(_mm256_unpacklo_ps(a, b)), ab_high = _mm256_castps_pd(_mm256_unpackhi_ps(a, b));
  const __m256d cd = _mm256_castps_pd(_mm256_unpacklo_ps(c, d)), cd_high = _mm256_castps_pd(_mm256_unpackhi_ps(c, d));
  frames[0] = Floats(_mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd)));
  frames[1] = Floats(_mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd)));
  frames[2] = Floats(_mm256_castpd_ps(_mm256_unpacklo_pd(ab_high, cd_high)));
  frames[3] = Floats(_mm256_castpd_ps(_mm256_unpackhi_pd(ab_high, cd_high)));
#endif
}

/// The lanes' sum in four parts.
inline __m128 fold(const float* lanes) {
#ifdef __AVX512BW__
  const __m512 all_lanes = _mm512_load_ps(lanes);
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all_lanes), _mm512_extractf32x8_ps(all_lanes, 1));
#else
  const __m256 half = _mm256_load_ps(lanes);
#endif
  return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
}

/// log2 of what is not negative, within 1e-5; 0 gives -127.
inline Floats log2_of(Floats x) {
  const Ints bits = reinterpret_cast<const Ints&>(x);
  const Ints mantissa_bits = (bits & 0x7fffff) | 0x3f800000;
  const Floats m = reinterpret_cast<const Floats&>(mantissa_bits);
  const Floats p =
      ((((-3.4436006e-2f * m + 3.1821337e-1f) * m - 1.2315303f) * m + 2.5988452f) * m - 3.3241990f) * m + 3.1157899f;
  return p * (m - 1.0f) + __builtin_convertvector((bits >> 23) - 127, Floats);
}

/// 2^x for x from -126 to 0, within 2e-6 of itself.
inline Floats exp2_of(Floats x) {
  const Ints whole = __builtin_convertvector(x - 0.5f, Ints);
  const Floats f = x - __builtin_convertvector(whole, Floats);
  const Floats p =
      ((((1.8775767e-3f * f + 8.9893397e-3f) * f + 5.5826318e-2f) * f + 2.4015361e-1f) * f + 6.9315308e-1f) * f +
      9.9999994e-1f;
  const Ints scale = (whole + 127) << 23;
  return p * reinterpret_cast<const Floats&>(scale);
}

struct alignas(64) Tile {
  float frame[kFloorChunk][kLanes];
};

/// Gain and the four bands, all in one sample loop.
inline void equalise(FloorMix& mix, std::size_t first, const std::uint8_t* const* tracks, std::size_t at, Tile& tile) {
  Floats k[kFloorBands][5], s[kFloorBands][2];
  for (std::size_t b = 0; b < kFloorBands; ++b) {
    for (std::size_t i = 0; i < 5; ++i) k[b][i] = load(&mix.coefficients[b][i][first]);
    for (std::size_t i = 0; i < 2; ++i) s[b][i] = load(&mix.state[b][i][first]);
  }
  const Floats scale = load(&mix.scale[first]);
  for (std::size_t f = 0; f < kFloorChunk; f += 4) {
    Floats x[4];
    read_frames(tracks + first, at + 3 * f, x);
    for (std::size_t i = 0; i < 4; ++i) {
      Floats v = x[i] * scale;
      for (std::size_t b = 0; b < kFloorBands; ++b) {
        const Floats y = k[b][0] * v + s[b][0];
        s[b][0] = k[b][1] * v + s[b][1] - k[b][3] * y;
        s[b][1] = k[b][2] * v - k[b][4] * y;
        v = y;
      }
      store(tile.frame[f + i], v);
    }
  }
  for (std::size_t b = 0; b < kFloorBands; ++b) {
    for (std::size_t i = 0; i < 2; ++i) store(&mix.state[b][i][first], s[b][i]);
  }
}

/// Feed-forward, peak: the reduction in octaves is smoothed. Three loops: only the middle one hangs on its last frame.
inline void compress(FloorMix& mix, std::size_t first, Tile& tile) {
  Tile wanted;
  for (std::size_t f = 0; f < kFloorChunk; ++f) {
    const Floats x = load(tile.frame[f]);
    store(wanted.frame[f], larger((log2_of(larger(x, -x)) - mix.threshold) * mix.slope, all(0.0f)));
  }
  Floats reduction = load(&mix.reduction[first]);
  const Floats attack = all(mix.attack), release = all(mix.release);
  for (std::size_t f = 0; f < kFloorChunk; ++f) {
    const Floats away = load(wanted.frame[f]) - reduction;
    reduction += away * (away > 0.0f ? attack : release);
    store(wanted.frame[f], reduction);
  }
  store(&mix.reduction[first], reduction);
  for (std::size_t f = 0; f < kFloorChunk; ++f)
    store(tile.frame[f], load(tile.frame[f]) * exp2_of(-load(wanted.frame[f])));
}

void mix_tracks(FloorMix& mix, const std::uint8_t* const* tracks, std::size_t frames, float* stereo) {
  for (std::size_t done = 0; done < frames; done += kFloorChunk) {
    Tile left, right;
    for (std::size_t first = 0; first < kFloorTracks; first += kLanes) {
      Tile tile;
      equalise(mix, first, tracks, 3 * done, tile);
      if (mix.compressor) compress(mix, first, tile);
      const Floats to_left = load(&mix.left[first]), to_right = load(&mix.right[first]);
      for (std::size_t f = 0; f < kFloorChunk; ++f) {
        const Floats v = load(tile.frame[f]);
        store(left.frame[f], first == 0 ? v * to_left : load(left.frame[f]) + v * to_left);
        store(right.frame[f], first == 0 ? v * to_right : load(right.frame[f]) + v * to_right);
      }
    }
    for (std::size_t f = 0; f < kFloorChunk; f += 2) {
      const __m128 one = _mm_hadd_ps(fold(left.frame[f]), fold(right.frame[f]));
      const __m128 two = _mm_hadd_ps(fold(left.frame[f + 1]), fold(right.frame[f + 1]));
      _mm_storeu_ps(stereo + 2 * (done + f), _mm_hadd_ps(one, two));
    }
  }
}

void sum_sines(FloorSines& s, std::size_t frames, float* mono) {
  constexpr std::size_t kVectors = kFloorChunk / kLanes;
  for (std::size_t done = 0; done < frames; done += kFloorChunk) {
    for (std::size_t o = 0; o < kFloorSines; ++o) {
      const auto sine = static_cast<float>(s.sine[o]), cosine = static_cast<float>(s.cosine[o]);
      for (std::size_t v = 0; v < kVectors; ++v) {
        s.start_sine[v][o] = sine * s.step_cosine[v][o] + cosine * s.step_sine[v][o];
        s.start_cosine[v][o] = cosine * s.step_cosine[v][o] - sine * s.step_sine[v][o];
      }
      const double next = s.sine[o] * s.chunk_cosine[o] + s.cosine[o] * s.chunk_sine[o];
      s.cosine[o] = s.cosine[o] * s.chunk_cosine[o] - s.sine[o] * s.chunk_sine[o];
      s.sine[o] = next;
    }
    Floats sum[kVectors] = {};
    for (std::size_t o = 0; o < kFloorSines; ++o) {
      const Floats sine = load(s.lane_sine[o]), cosine = load(s.lane_cosine[o]);
      for (std::size_t v = 0; v < kVectors; ++v) sum[v] += s.start_sine[v][o] * cosine + s.start_cosine[v][o] * sine;
    }
    for (std::size_t v = 0; v < kVectors; ++v) __builtin_memcpy(mono + done + v * kLanes, &sum[v], sizeof(Floats));
  }
}

}  // namespace

#ifdef __AVX512BW__
const FloorKernels& floor_kernels_v4() {
  static constexpr FloorKernels kKernels{"v4", kLanes, mix_tracks, sum_sines};
#else
const FloorKernels& floor_kernels_v3() {
  static constexpr FloorKernels kKernels{"v3", kLanes, mix_tracks, sum_sines};
#endif
  return kKernels;
}

}  // namespace continuo::bench
