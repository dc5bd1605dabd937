// THREAD: audio - a player's source: from its ring into the player's output, to the frame
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "rt/counters.hpp"
#include "rt/node.hpp"
#include "rt/source.hpp"

namespace continuo::rt {

inline constexpr std::uint32_t kMaxSourceChannels = 64;

/// A division takes as long as copying a block of one channel, which is what most sources have.
[[nodiscard]] inline std::size_t whole_frames(std::size_t samples, std::uint32_t channels) noexcept RT_NONBLOCKING {
  return channels == 1 ? samples : samples / channels;
}

/// Takes `frames` whole frames that are known to be in the ring and writes them to out[c][at...]. A ring of 2^n samples
/// may wrap in the middle of a frame of 3 channels.
inline void take(Source& source, const Member& m, const dsp::Kernels& kernels, std::uint32_t at,
                 std::uint32_t frames) noexcept RT_NONBLOCKING {
  const std::uint32_t channels = source.channels;
  const std::uint32_t used = std::min<std::uint32_t>(channels, m.out_count);
  const std::size_t samples = std::size_t{frames} * channels;
  const auto [head, tail] = source.frames.view(samples);
  const auto whole = static_cast<std::uint32_t>(whole_frames(head.size(), channels));
  kernels.deinterleave(m.out, used, at, head.data(), channels, whole);
  std::uint32_t done = whole;
  std::size_t from = 0;
  if (const std::size_t left = head.size() - std::size_t{whole} * channels; left != 0) {
    float split[kMaxSourceChannels];
    from = channels - left;
    std::copy_n(head.data() + std::size_t{whole} * channels, left, split);
    std::copy_n(tail.data(), from, split + left);
    kernels.deinterleave(m.out, used, at + done, split, channels, 1);
    ++done;
  }
  if (done < frames) kernels.deinterleave(m.out, used, at + done, tail.data() + from, channels, frames - done);
  (void)source.frames.skip(samples);
  source.audio_.position += frames;
}

/// Frames of a slice, from its first on.
struct Stretch {
  std::uint32_t at = 0;
  std::uint32_t frames = 0;
  std::uint32_t starved = 0;  // behind them
};

/// Writes what the source has ready of the item's frames [first, first + slice.frames); says where. What it should have
/// had, and has not, is counted.
inline Stretch play(Source& source, const Member& m, FrameCount first, const Slice& slice) noexcept RT_NONBLOCKING {
  const FrameCount end = std::min(first + slice.frames, source.length);
  const FrameCount begin = std::max<FrameCount>(first, 0);
  if (begin >= end || source.channels == 0 || source.channels > kMaxSourceChannels) return {};

  if (source.audio_.position < begin) {  // late: what should have sounded already is dropped
    const auto late = static_cast<FrameCount>(whole_frames(source.frames.available(), source.channels));
    const FrameCount dropped = std::min(begin - source.audio_.position, late);
    (void)source.frames.skip(static_cast<std::size_t>(dropped) * source.channels);
    source.audio_.position += dropped;
  }
  Stretch sounded;
  FrameCount ahead = 0;
  if (source.audio_.position >= begin) {  // ahead, after a locate without a new source: silent until it is reached
    ahead = std::min(source.audio_.position, end) - begin;
    const std::size_t ready = source.frames.ready(static_cast<std::size_t>(end - begin - ahead) * source.channels);
    sounded = {static_cast<std::uint32_t>(begin - first + ahead),
               static_cast<std::uint32_t>(whole_frames(ready, source.channels))};
    if (sounded.frames > 0) take(source, m, *slice.kernels, slice.buffer_offset + sounded.at, sounded.frames);
  }
  const auto starved = static_cast<std::uint64_t>(end - begin - ahead - sounded.frames);
  sounded.starved = static_cast<std::uint32_t>(starved);
  if (starved == 0) return sounded;
  if (sounded.frames == 0) sounded.at = static_cast<std::uint32_t>(begin - first + ahead);
  source.starved_frames.fetch_add(starved, std::memory_order_relaxed);
  slice.counters->starved_frames.fetch_add(starved, std::memory_order_relaxed);
  return sounded;
}

}  // namespace continuo::rt
