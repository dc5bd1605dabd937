// THREAD: any, one at a time - the loops by hand: what the speed table's works cost with no engine around them
#pragma once

#include <cstddef>
#include <cstdint>

namespace continuo::bench {

inline constexpr std::size_t kFloorTracks = 64;
inline constexpr std::size_t kFloorBands = 4;
inline constexpr std::size_t kFloorSines = 1000;
inline constexpr std::size_t kFloorChunk = 64;  // frames that stay in the first cache

/// 64 tracks side by side: gain, four biquads (transposed direct form 2), perhaps a compressor, constant-power pan.
/// Plain arrays: what includes this is compiled for several CPU levels and must share no inline function.
struct alignas(64) FloorMix {
  float scale[kFloorTracks];  // the gain; also takes a 32-bit integer to -1..1
  float left[kFloorTracks];
  float right[kFloorTracks];
  float coefficients[kFloorBands][5][kFloorTracks];  // b0, b1, b2, a1, a2
  float state[kFloorBands][2][kFloorTracks];
  float reduction[kFloorTracks];  // of the compressor, in octaves
  float threshold;                // log2 of a level
  float slope;                    // octaves of reduction for one octave above the threshold
  float attack;                   // part of the way in one frame
  float release;
  bool compressor;
};

/// Sines of constant frequency, started from `sine`, `cosine` once every 64 frames.
struct alignas(64) FloorSines {
  double sine[kFloorSines], cosine[kFloorSines];                   // at the chunk's first frame
  double chunk_sine[kFloorSines], chunk_cosine[kFloorSines];       // 64 frames of turning
  float step_sine[8][kFloorSines], step_cosine[8][kFloorSines];    // 0, 1, 2, ... vectors of turning
  float lane_sine[kFloorSines][16], lane_cosine[kFloorSines][16];  // 0 to 15 frames of turning, times the gain
  float start_sine[8][kFloorSines], start_cosine[8][kFloorSines];
};

struct FloorKernels {
  const char* level;
  std::size_t lanes;
  /// Adds nothing: writes `frames` (a multiple of 64) stereo frames. `tracks` are 24-bit little-endian samples with 16
  /// readable bytes after the last.
  void (*mix)(FloorMix& mix, const std::uint8_t* const* tracks, std::size_t frames, float* stereo);
  /// Writes `frames` (a multiple of 64) samples.
  void (*sines)(FloorSines& sines, std::size_t frames, float* mono);
};
[[nodiscard]] const FloorKernels& floor_kernels_v3();
[[nodiscard]] const FloorKernels& floor_kernels_v4();

}  // namespace continuo::bench
