// THREAD: control makes lanes, audio runs them - breakpoints on the timeline that a parameter follows
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "rt/annotations.hpp"
#include "rt/block_pool.hpp"
#include "rt/param.hpp"
#include "rt/render_plan.hpp"
#include "rt/timeline.hpp"

namespace continuo::rt {

/// How the value goes from a point to the next.
enum class Segment : std::uint8_t {
  linear,
  exponential,  // both ends above 0, else it is linear
  hold,         // steps at the next
};

struct AutomationPoint {
  FrameCount frame = 0;  // of the timeline, engine-rate frames
  double value = 0.0;
  Segment segment = Segment::linear;
};

/// Immutable once a plan names it. Before its first point it has that one's value, behind its last one that one's.
struct AutomationLane {
  std::vector<AutomationPoint> points;  // at least one; frames never fall. Of equal frames the last one counts

  /// A segment in closed form, frames of the timeline; `end`: where the next begins, kEndless for the last.
  struct Piece {
    double from = 0.0;
    double to = 0.0;
    FrameCount begin = 0;
    FrameCount frames = 0;  // 0: it stands at `to`
    Curve curve = Curve::linear;
    FrameCount end = kEndless;
  };
  [[nodiscard]] Piece piece_at(FrameCount frame) const noexcept RT_NONBLOCKING;
  [[nodiscard]] double at(FrameCount frame) const noexcept RT_NONBLOCKING;
};

/// A lane that runs. The audio thread's alone.
struct LaneRun {
  PlanLane* lane = nullptr;
  FrameCount due = kEndless;  // where the timeline stands when there is something to do next
  bool stale = true;          // its parameter must be brought to the lane
};

/// All lanes of the plan in use. Inside a segment it does nothing at all: a parameter is aimed at its segment in closed
/// form when that begins, when the transport starts, stops or is located, and when a plan brings another lane. The
/// next segment to begin cuts the block as a scheduled command does.
///
/// Where the parameter's value is not the lane's when it is to follow, under sound, it goes there in `glide_frames`: to
/// where the lane will be by then. A node that has not sounded yet starts at the lane's value.
///
/// Bound: `capacity` lanes; the loser is the newcomer, whose parameter stays where it is.
class Automation {
 public:
  /// Control thread.
  explicit Automation(std::size_t capacity) : runs_(capacity), heap_(capacity) {}

  // Audio thread:

  /// `to` comes into use in place of `from` (null at the first); lanes that are the same run on. Returns how many found
  /// no room. Then settle(), before the next frame.
  [[nodiscard]] std::size_t take(RenderPlan& to, RenderPlan* from) noexcept RT_NONBLOCKING;

  /// After commands at one frame: brings to their lanes all parameters whose lane is new, or, where the timeline
  /// `jumped` (started, stopped, was located), all.
  void settle(bool jumped, FrameCount engine_frame, const Timeline& timeline) noexcept RT_NONBLOCKING;

  /// Frames from here to the next segment; kEndless while the timeline stands.
  [[nodiscard]] FrameCount frames_to_next(const Timeline& timeline) const noexcept RT_NONBLOCKING {
    return size_ == 0 || !timeline.rolling() ? kEndless : heap_.front().due - timeline.position();
  }

  /// Aims at every segment that begins here. True where there was one.
  bool advance(FrameCount engine_frame, const Timeline& timeline) noexcept RT_NONBLOCKING;

  /// Control thread: what must be resident.
  [[nodiscard]] std::span<const std::byte> runs() const noexcept { return runs_.memory(); }
  [[nodiscard]] std::span<const std::byte> heap() const noexcept { return std::as_bytes(std::span(heap_)); }

 private:
  struct Entry {
    FrameCount due = 0;  // where the timeline stands when the lane's next segment begins
    LaneRun* run = nullptr;
  };
  struct DueLater {
    bool operator()(const Entry& a, const Entry& b) const noexcept RT_NONBLOCKING { return a.due > b.due; }
  };

  [[nodiscard]] FrameCount follow(const PlanLane& lane, FrameCount engine_frame, const Timeline& timeline) noexcept
      RT_NONBLOCKING;
  [[nodiscard]] FrameCount aim(const PlanLane& lane, FrameCount engine_frame, const Timeline& timeline) noexcept
      RT_NONBLOCKING;
  [[nodiscard]] std::vector<Entry>::iterator end() noexcept RT_NONBLOCKING {
    return heap_.begin() + static_cast<std::ptrdiff_t>(size_);
  }

  BlockPool<LaneRun> runs_;
  std::span<PlanLane> lanes_;  // of the plan in use
  std::vector<Entry> heap_;    // the earliest on top; never grows
  std::size_t size_ = 0;
  bool stale_ = false;  // some run is
};

}  // namespace continuo::rt
