// THREAD: audio - what kinds with a level detector share
#pragma once

#include <bit>

#include "rt/node.hpp"

namespace continuo::rt {

/// step.notes of such kinds: 1 where a member has more than one channel and so shares its level.
enum DetectorNote : std::uint32_t { kLinked };

inline void note_linked(Step& step) noexcept RT_NONBLOCKING {
  step.notes[kLinked] = 0;
  for (const Member& m : step.members) step.notes[kLinked] |= m.lanes > 1 ? 1u : 0u;
}

/// The samples that the detector of lanes `first` ... listens to: the key where there is one, the largest absolute
/// sample of all channels where they are linked; else the tile itself.
inline const float* detector_tile(const Step& step, const Slice& slice, std::uint32_t first, std::uint32_t lanes,
                                  float* tile) noexcept RT_NONBLOCKING {
  float* const key = tile + dsp::kTileFloats;
  if (step.lane_key != nullptr)
    slice.kernels->pack(key, step.lane_key + first, lanes, slice.buffer_offset, slice.frames);
  if (step.notes[kLinked] == 0) return step.lane_key != nullptr ? key : tile;
  if (step.lane_key == nullptr) std::copy_n(tile, slice.frames * kMaxLanes, key);
  for (const Member& m : step.members) {
    if (m.lanes < 2) continue;
    // A member wider than a tile is alone in its step: each tile links its own channels.
    const std::uint32_t from = m.first_lane < first ? 0 : m.first_lane - first;
    const std::uint32_t to = std::min(from + m.lanes, lanes);
    for (std::uint32_t i = 0; i < slice.frames; ++i) {
      float* const row = key + i * kMaxLanes;
      std::uint32_t most = 0;  // magnitudes compare as integers; a NaN is the largest
      for (std::uint32_t lane = from; lane < to; ++lane)
        most = std::max(most, std::bit_cast<std::uint32_t>(row[lane]) & 0x7fffffffu);
      for (std::uint32_t lane = from; lane < to; ++lane) row[lane] = std::bit_cast<float>(most);
    }
  }
  return key;
}

/// How much of the way is gone after one frame, of a movement that is 63 % through after `ms` milliseconds.
inline double per_frame(double ms, double sample_rate_hz) noexcept RT_NONBLOCKING {
  constexpr double kLog2E = 1.4426950408889634074;
  const double frames = ms * 1e-3 * sample_rate_hz;
  return frames < 1e-3 ? 1.0 : 1.0 - dsp::exp2(-kLog2E / frames);
}

/// Base and slope of the line that a value follows between the grid points of this cell, all of it: a block that begins
/// in between, for another node's command, must not be heard. The node is moving while p.moving(slice.cell_frame()).
struct CellLine {
  double base = 0.0;
  double delta = 0.0;
};
template <class Value>
CellLine cell_line(const Param& p, const Slice& slice, Value&& value) noexcept RT_NONBLOCKING {
  if (!p.moving(slice.cell_frame())) return {value(p.target()), 0.0};
  const FrameCount begin = std::max(slice.cell_frame(), p.begin());
  const FrameCount end = slice.cell_frame() + static_cast<FrameCount>(kBlockFrames);
  if (begin >= end) return {value(p.at(begin)), 0.0};
  const double first = value(p.at(begin));
  const double delta = (value(p.at(end)) - first) / static_cast<double>(end - begin);
  return {first - delta * static_cast<double>(begin - slice.cell_frame()), delta};
}

/// How much of a node works: all of it, or, bypassed, nothing.
inline CellLine wet_line(const Param& bypass, const Slice& slice) noexcept RT_NONBLOCKING {
  return cell_line(bypass, slice, [](double bypassed) noexcept RT_NONBLOCKING { return 1.0 - bypassed; });
}

/// A parameter that steps on the grid while it moves.
inline double cell_value(const Param& p, const Slice& slice) noexcept RT_NONBLOCKING {
  return p.moving(slice.cell_frame()) ? p.at(slice.cell_frame()) : p.target();
}

}  // namespace continuo::rt
