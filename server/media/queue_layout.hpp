// THREAD: any - where the items of a queue lie on the axis of its stream: joins, crossfades, rounds
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "rt/play_table.hpp"
#include "rt/types.hpp"
#include "server/media/segment_input.hpp"

namespace continuo::media {

/// How the segment that play begins in came in, where that was not behind the one before it: its first `overlap` frames
/// (of the engine) sound with the last ones of `leaving`, or with nothing and in full.
struct Entrance {
  rt::FrameCount overlap = 0;
  std::optional<Segment> leaving;
};

/// What one converter spans: neighbours of one rate, without a crossfade between them. Frames of the engine.
struct Run {
  std::size_t first = 0;  // segment
  std::size_t count = 0;  // behind the last segment comes the first
  bool endless = false;   // round and round
  rt::FrameCount begin = 0;
  rt::FrameCount frames = 0;   // where not endless
  rt::FrameCount overlap = 0;  // its first frames sound with the last ones of the run before

  [[nodiscard]] rt::FrameCount end() const noexcept { return begin + frames; }
};

/// A crossfade is cut to what both items have, and the one before has left behind its own: so at most two runs sound at
/// once, and what is not cut is its time in the engine's frames, to the nearest. Each run has the length of its files'
/// frames together at the engine's rate, to the nearest. The axis begins at the first segment's first frame. A loop
/// goes on with the first segment behind the last, through one converter where the rates are equal and nothing
/// crossfades there.
class QueueLayout {
 public:
  QueueLayout(const std::vector<Segment>& segments, double engine_rate_hz, bool loop);

  /// Of the axis; of a loop one round.
  [[nodiscard]] rt::FrameCount length() const noexcept { return length_; }
  [[nodiscard]] bool loops() const noexcept { return loops_; }
  /// An item has no end, or the whole has none.
  [[nodiscard]] bool endless() const noexcept { return loops_ || endless_item_; }
  /// Of the first round, in order.
  [[nodiscard]] const std::vector<rt::FrameCount>& begins() const noexcept { return begins_; }
  /// Of each segment, all of it.
  [[nodiscard]] const std::vector<rt::FrameCount>& frames() const noexcept { return frames_; }

  [[nodiscard]] bool has_run(std::size_t number) const noexcept { return period_ > 0 || number < runs_.size(); }
  /// By number, as they follow one another; those of a loop rise for ever.
  [[nodiscard]] Run run(std::size_t number) const;
  /// The last one that begins at or before a frame: not all of them may be over by then.
  [[nodiscard]] std::size_t run_at(rt::FrameCount frame) const;
  /// From here on all comes again after so many frames, sample for sample; 0: that cannot be said.
  [[nodiscard]] rt::FrameCount period() const noexcept { return period_; }
  [[nodiscard]] rt::FrameCount cycle_begin() const noexcept { return runs_[1].begin; }

  /// Rows without uids, numbered as the segments are, from 1.
  [[nodiscard]] rt::PlayTable table() const;

 private:
  void close_loop(const std::vector<Segment>& segments);

  std::uint32_t rate_hz_;
  bool loops_ = false;
  bool endless_item_ = false;
  std::vector<bool> endless_;  // by segment
  std::vector<std::int64_t> file_frames_;
  std::vector<std::uint32_t> rates_hz_;
  std::vector<Run> runs_;  // of the first round; in a loop of many runs all behind the first come again and again
  rt::FrameCount period_ = 0;
  rt::FrameCount length_ = 0;
  std::vector<rt::FrameCount> begins_;
  std::vector<rt::FrameCount> frames_;
};

}  // namespace continuo::media
