// THREAD: any - the few types that the whole real-time core shares
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace continuo::rt {

/// A count or position in frames (one sample of every channel). 64 bits at 192 kHz last 1.5 million years.
using FrameCount = std::int64_t;

/// Names a node for its whole life; given by the server, never used twice, below 2^53.
using Uid = std::uint64_t;

/// The control-rate grid: a slice never crosses a multiple of this, counted on the timeline while it rolls and on the
/// engine clock while it stands.
inline constexpr std::uint32_t kBlockFrames = 64;

/// How many lanes (one channel of one node) share a batch.
inline constexpr std::uint32_t kMaxLanes = 16;

/// How many inputs one partial sum of a mix has. The order of summing is part of the sound: leaves of 16 inputs in
/// document order, then the leaves in order.
inline constexpr std::uint32_t kMixLeaf = 16;

/// "As soon as possible": the first frame of the next device buffer.
inline constexpr FrameCount kNow = std::numeric_limits<FrameCount>::min();

/// No end, unknown length.
inline constexpr FrameCount kEndless = std::numeric_limits<FrameCount>::max();

/// Where a node sits in the plan's table. `generation` tells a slot's tenants apart, so that a command that arrives
/// after its node was removed is dropped and counted, never given to the next tenant.
struct NodeRef {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
  friend bool operator==(const NodeRef&, const NodeRef&) = default;
};

/// Planar channels that somebody else owns. `channels[c]` points to `frames` samples.
template <class Sample>
struct BasicBlock {
  Sample* const* channels = nullptr;
  std::uint32_t channel_count = 0;
};
using InputBlock = BasicBlock<const float>;
using OutputBlock = BasicBlock<float>;

}  // namespace continuo::rt
