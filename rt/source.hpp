// THREAD: disk fills, audio drains - a prepared stream of frames on its way to a player
#pragma once

#include <atomic>
#include <cstdint>

#include "rt/play_table.hpp"
#include "rt/spsc_ring.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// The audio thread's end of a stream. A seek, a loop and a gapless hand-over are one mechanism: another, pre-filled
/// Source is handed over in a batch and taken at that batch's frame; the old one comes back in the same batch.
/// Owned by server/media (StreamReader); the audio thread only borrows it between hand-over and hand-back.
struct alignas(64) Source {
  RingReader<float> frames;          // interleaved; whole frames only
  FrameCount length = kEndless;      // of the item, in engine-rate frames; no frame at or after it ever comes
  std::uint32_t channels = 0;        // 1 to 64; 0: nothing, for a queue of which nothing can be played
  const PlayTable* table = nullptr;  // of a queue: written before the hand-over, and there for as long as this
  bool told = false;                 // somebody reads where its player is
  /// Written before the hand-over: it takes the place of the player's source under sound. The player goes on `shift`
  /// frames further on, in this source's frames; up to frame `same_until` of the source before the two sound the same,
  /// and then nothing fades.
  struct {
    bool on = false;
    FrameCount shift = 0;
    FrameCount same_until = 0;
  } joins;
  struct {
    FrameCount position = 0;                     // item frame (engine rate) of the ring's next frame
  } audio_;                                      // audio thread only, once handed over
  std::atomic<std::uint64_t> starved_frames{0};  // asked for while the disk was late; played as silence
};

}  // namespace continuo::rt
