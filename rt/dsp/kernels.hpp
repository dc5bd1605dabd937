// THREAD: audio - the table of loops that are built once for each CPU level
#pragma once

#include <cstdint>

#include "rt/annotations.hpp"
#include "rt/cpu_level.hpp"
#include "rt/dsp/fft_kernels.hpp"
#include "rt/types.hpp"

/// Every loop here gives the same bits at every level: no contraction, no reassociation, and arithmetic whose order
/// does not depend on how many lanes a register holds. Whoever adds one keeps to that; tests/rt/dsp/kernels_test.cpp
/// compares them all.
namespace continuo::rt::dsp {

/// A tile: kBlockFrames rows of kMaxLanes floats, 64-byte aligned; row i holds sample i of each lane.
inline constexpr std::uint32_t kTileFloats = kBlockFrames * kMaxLanes;

/// Rows of a section of the equaliser, each kMaxLanes floats. See kernels/eq.inc.hpp.
inline constexpr std::uint32_t kEqRows = 13;
struct EqRow {
  enum : std::uint32_t { state_l, state_b, base, delta = base + 5, mask = delta + 5 };
};

/// Rows of a compressor.
struct CompressorRow {
  enum : std::uint32_t {
    envelope,           // state: gain reduction, log2
    power,              // state: mean square (rms detector)
    threshold,          // less half the knee, log2
    knee,               // width, log2
    half_inverse_knee,  // 1 / (2 knee)
    slope,              // 1 - 1 / ratio
    attack,             // coefficient a frame: how much of the way is gone
    release,
    rms,     // coefficient a frame of the mean square
    is_rms,  // mask
    makeup,
    makeup_delta,  // log2; at frame t of the cell: makeup + makeup_delta * t
    wet,
    wet_delta,  // 1: works, 0: bypassed
    count
  };
};

/// Rows of a gate.
struct GateRow {
  enum : std::uint32_t {
    reduction,   // state: log2
    open,        // state: frames for which it is still held open
    threshold,   // log2
    hysteresis,  // log2
    slope,       // ratio - 1
    range,       // the most reduction, log2
    attack,      // coefficient a frame, of less reduction
    release,     // of more
    hold,        // frames that a loud one opens it for: itself and those that follow
    wet,
    wet_delta,  // 1: works, 0: bypassed; at frame t of the cell: wet + wet_delta * t
    count
  };
};

/// Samples, and what is known of those before them. Sample i is of strand i % 8; each takes its own in their order.
struct LevelRun {
  float* strands;  // eight peaks, a NaN is none, then eight sums of squares
  const float* samples;
};

struct Kernels {
  CpuLevel level = CpuLevel::baseline;

  /// out = in times a constant. 1 leaves every bit alone; 0 is silence, whatever comes in (also NaN). `in` may be
  /// `out`.
  void (*scale)(float* out, const float* in, float factor, std::uint32_t frames) noexcept RT_NONBLOCKING;
  /// The same to two outputs, neither of which is `in`: what is read once goes out twice.
  void (*scale_two)(float* const* out, std::uint32_t offset, const float* in, const float* factors,
                    std::uint32_t frames) noexcept RT_NONBLOCKING;
  /// Sample by sample. `in` may be `out`.
  void (*multiply)(float* out, const float* in, const float* factors, std::uint32_t frames) noexcept RT_NONBLOCKING;
  /// The sum of `count` >= 1 inputs from in[k] + offset on, in leaves of kMixLeaf: each from its first on, then the
  /// leaves in order. `out` is none of them.
  void (*mix)(float* out, const float* const* in, std::uint32_t count, std::uint32_t offset,
              std::uint32_t frames) noexcept RT_NONBLOCKING;
  /// Planar channels in[lane] + offset to a tile and back. 1 to kMaxLanes lanes; rows of lanes beyond are rubbish, but
  /// finite enough to be worked on.
  void (*pack)(float* tile, const float* const* in, std::uint32_t lanes, std::uint32_t offset,
               std::uint32_t frames) noexcept RT_NONBLOCKING;
  void (*unpack)(float* const* out, std::uint32_t lanes, std::uint32_t offset, const float* tile,
                 std::uint32_t frames) noexcept RT_NONBLOCKING;

  /// Each lane times its factor: scale()'s rules.
  void (*tile_gain)(float* tile, const float* factors, std::uint32_t lanes, std::uint32_t frames) noexcept
      RT_NONBLOCKING;

  /// `sections` sections in cascade. Sections below `full` are everybody's; above, the mask row says whose. A section
  /// whose bit is set in `ramping` has coefficients base + delta * t, t counting from `cell_frame`.
  void (*eq)(float* tile, float* rows, std::uint32_t lanes, std::uint32_t full, std::uint32_t sections,
             std::uint32_t ramping, std::uint32_t cell_frame, std::uint32_t frames) noexcept RT_NONBLOCKING;

  /// `key` holds the detector's input; it may be `tile`.
  void (*compressor)(float* tile, const float* key, float* rows, std::uint32_t lanes, std::uint32_t cell_frame,
                     bool any_rms, std::uint32_t frames) noexcept RT_NONBLOCKING;

  /// `key` as of the compressor.
  void (*gate)(float* tile, const float* key, float* rows, std::uint32_t lanes, std::uint32_t cell_frame,
               std::uint32_t frames) noexcept RT_NONBLOCKING;

  /// sin of phases that count 2^32 a turn. `count` is a multiple of 16.
  void (*sines_of)(float* values, const std::uint32_t* phases, std::uint32_t count) noexcept RT_NONBLOCKING;
  /// 1 to kBlockFrames samples of a sine, from its groups of 16 frames: `values` holds the sine of each group's first
  /// frame, and, 8 further on, its cosine; the first `skipped` (below 16) frames of the first group are left out.
  /// `table` is what sine_table() made of its step.
  void (*sine_wave)(float* out, const float* table, const float* values, std::uint32_t skipped,
                    std::uint32_t frames) noexcept RT_NONBLOCKING;
  /// cos and sin of 0 to 15 steps: 32 floats.
  void (*sine_table)(float* table, std::uint64_t step) noexcept RT_NONBLOCKING;

  /// `frames` frames of `channels` samples; the first `taken` channels go to to[c][at...].
  void (*deinterleave)(float* const* to, std::uint32_t taken, std::uint32_t at, const float* from,
                       std::uint32_t channels, std::uint32_t frames) noexcept RT_NONBLOCKING;

  /// Of each run of `frames` samples, a multiple of 8: peaks and sums of squares, in eight strands.
  void (*levels)(const LevelRun* runs, std::uint32_t count, std::uint32_t frames) noexcept RT_NONBLOCKING;

  /// Little-endian integers of three bytes times 2^-23: exactly.
  void (*pcm24)(float* out, const void* bytes, std::uint32_t samples) noexcept RT_NONBLOCKING;

  FftKernels fft;
};

/// The table of a level that this CPU has; a lower one where it has not. Any thread.
[[nodiscard]] const Kernels& kernels_of(CpuLevel level) noexcept;

/// Control thread: the table of chosen_cpu_level().
[[nodiscard]] const Kernels& chosen_kernels() noexcept;

}  // namespace continuo::rt::dsp
