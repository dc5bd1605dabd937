// THREAD: audio fills, disk drains - a take on its way to the disk
#pragma once

#include <atomic>
#include <cstdint>

#include "rt/spsc_ring.hpp"
#include "rt/types.hpp"

namespace continuo::rt {

/// Frames that found the ring full. They are missing from `frames` at take frame `at`; the disk thread writes that many
/// frames of silence in their place, so that the take keeps its length.
struct Gap {
  FrameCount at = 0;      // frame of the take, from its start
  FrameCount length = 0;  // frames
};

/// The audio thread's end of a take. It is handed to a recorder node in a batch. The audio thread lets go of it for
/// ever by storing `finished`: when it wrote `limit` frames, or was told to stop. Then the disk thread closes the file.
struct Sink {
  RingWriter<float> frames;    // interleaved; whole frames only
  RingWriter<Gap> gaps;        // a gap is pushed before the first frame that follows it
  std::uint32_t channels = 0;  // 1 to 128
  FrameCount limit = kEndless; // stop by itself after this many frames of the take
  FrameCount stop_timeline_frame = kNow;  // stop by itself where the timeline comes to this frame, at its next pass; kNow: nowhere
  /// Pre-record: from the record_start that lends it on it takes what comes; its take begins with the record_start that
  /// names it again. Until that was sent, control may still set limit and stop_timeline_frame.
  bool waits = false;
  /// A sink that waits, and takes what comes from the very frame on with which this one is let go of. Control stores it,
  /// and takes it back by exchange(nullptr): what it gets the audio thread never saw; null: the audio thread has it.
  std::atomic<Sink*> next{nullptr};
  struct {
    FrameCount taken = 0;       // frames seen, kept or lost
    FrameCount open_gap = 0;    // frames lost since the last frame that was kept
    FrameCount end = kEndless;  // of `taken`; once the take has begun
    bool begun = false;
  } audio_;                     // audio thread only, once handed over
  std::atomic<FrameCount> begun_at{-1};             // of `taken`: where the take begins; stored before `started`
  std::atomic<FrameCount> start_engine_frame{0};    // both stored before the take's first frame is pushed
  std::atomic<FrameCount> start_timeline_frame{0};
  std::atomic<FrameCount> frames_taken{0};          // published once a slice; what the take's length will be
  std::atomic<std::uint64_t> lost_frames{0};
  std::atomic<bool> started{false};
  std::atomic<bool> finished{false};  // stored last (release): the audio thread never touches this Sink again
};

}  // namespace continuo::rt
