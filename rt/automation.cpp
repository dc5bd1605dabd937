#include "rt/automation.hpp"

#include <algorithm>
#include <utility>

namespace continuo::rt {
namespace {

/// The order of RenderPlan::lanes.
bool before(const PlanLane& a, const PlanLane& b) noexcept RT_NONBLOCKING {
  const auto x = reinterpret_cast<std::uintptr_t>(a.entry->node), y = reinterpret_cast<std::uintptr_t>(b.entry->node);
  return x != y ? x < y : a.param < b.param;
}

/// Nobody hears the difference, so nobody must wait for a glide.
bool close(double a, double b) noexcept RT_NONBLOCKING {
  const auto magnitude = [](double x) noexcept RT_NONBLOCKING { return x < 0.0 ? -x : x; };
  return magnitude(a - b) <= 1e-9 * (magnitude(a) + magnitude(b));
}

/// begin_block() of its kind must look at it.
void stir(const NodeEntry& entry) noexcept RT_NONBLOCKING {
  entry.node->moving = true;
  entry.node->worked_out = -1;  // the parameter may have been aimed to the past
  entry.step->moving = true;
}

}  // namespace

AutomationLane::Piece AutomationLane::piece_at(FrameCount frame) const noexcept RT_NONBLOCKING {
  const auto next =
      std::upper_bound(points.begin(), points.end(), frame,
                       [](FrameCount f, const AutomationPoint& p) noexcept RT_NONBLOCKING { return f < p.frame; });
  if (next == points.begin()) {
    const AutomationPoint& first = points.front();
    // It began so long ago that no cell remembers.
    const FrameCount begin = frame - static_cast<FrameCount>(kBlockFrames);
    return {first.value, first.value, begin, 0, Curve::linear, first.frame};
  }
  const AutomationPoint& here = *(next - 1);
  if (next == points.end()) return {here.value, here.value, here.frame, 0, Curve::linear, kEndless};
  if (here.segment == Segment::hold || here.value == next->value)
    return {here.value, here.value, here.frame, 0, Curve::linear, next->frame};
  return {here.value,
          next->value,
          here.frame,
          next->frame - here.frame,
          here.segment == Segment::exponential ? Curve::exponential : Curve::linear,
          next->frame};
}

double AutomationLane::at(FrameCount frame) const noexcept RT_NONBLOCKING {
  const Piece piece = piece_at(frame);
  Param param;  // its arithmetic: the same bits
  param.aim(piece.from, piece.to, piece.begin, piece.frames, piece.curve);
  return param.at(frame);
}

std::size_t Automation::take(RenderPlan& to, RenderPlan* from) noexcept RT_NONBLOCKING {
  std::size_t refused = 0;
  const std::span<PlanLane> old = from == nullptr ? std::span<PlanLane>() : std::span(from->lanes);
  std::size_t next = 0;
  for (PlanLane& lane : to.lanes) {
    for (; next < old.size() && before(old[next], lane); ++next)
      if (old[next].run != nullptr) runs_.give_back(std::exchange(old[next].run, nullptr));
    lane.run = nullptr;
    if (next < old.size() && !before(lane, old[next]) && old[next].run != nullptr) {
      const PlanLane& was = old[next];
      lane.run = std::exchange(old[next++].run, nullptr);
      lane.run->stale |= was.lane != lane.lane || was.delay != lane.delay;
    }
  }
  for (; next < old.size(); ++next)
    if (old[next].run != nullptr) runs_.give_back(std::exchange(old[next].run, nullptr));
  // Newcomers last: what ran before has its blocks, and what left has given them back.
  for (PlanLane& lane : to.lanes) {
    if (lane.run == nullptr) lane.run = runs_.try_take();
    if (lane.run == nullptr)
      ++refused;
    else
      lane.run->lane = &lane;
  }
  lanes_ = to.lanes;
  stale_ = true;
  return refused;
}

void Automation::settle(bool jumped, FrameCount engine_frame, const Timeline& timeline) noexcept RT_NONBLOCKING {
  if (!jumped && !stale_) return;
  // What runs on keeps its place on the timeline, in a heap of runs that may be gone: it is made anew.
  stale_ = false;
  size_ = 0;
  for (PlanLane& lane : lanes_) {
    if (lane.run == nullptr) continue;
    if (jumped || lane.run->stale) lane.run->due = follow(lane, engine_frame, timeline);
    lane.run->stale = false;
    if (lane.run->due != kEndless) heap_[size_++] = {lane.run->due, lane.run};
  }
  std::make_heap(heap_.begin(), end(), DueLater{});
}

bool Automation::advance(FrameCount engine_frame, const Timeline& timeline) noexcept RT_NONBLOCKING {
  if (frames_to_next(timeline) > 0) return false;
  while (size_ != 0 && heap_.front().due <= timeline.position()) {
    LaneRun* const run = heap_.front().run;
    std::pop_heap(heap_.begin(), end(), DueLater{});
    --size_;
    run->due = aim(*run->lane, engine_frame, timeline);
    if (run->due == kEndless) continue;
    heap_[size_++] = {run->due, run};
    std::push_heap(heap_.begin(), end(), DueLater{});
  }
  return true;
}

/// Returns where the timeline stands when there is something to do next.
FrameCount Automation::follow(const PlanLane& lane, FrameCount engine_frame, const Timeline& timeline) noexcept
    RT_NONBLOCKING {
  Param& param = lane.entry->node->params[lane.param];
  const FrameCount position = timeline.position() - lane.delay;
  const bool silent = lane.entry->node->entered == engine_frame;
  if (silent || lane.glide_frames == 0 || close(param.at(engine_frame), lane.lane->at(position)))
    return aim(lane, engine_frame, timeline);
  stir(*lane.entry);
  const FrameCount ahead = timeline.rolling() ? static_cast<FrameCount>(lane.glide_frames) : 0;
  param.set(lane.lane->at(position + ahead), engine_frame, lane.glide_frames);
  return timeline.position() + static_cast<FrameCount>(lane.glide_frames);
}

FrameCount Automation::aim(const PlanLane& lane, FrameCount engine_frame, const Timeline& timeline) noexcept
    RT_NONBLOCKING {
  Param& param = lane.entry->node->params[lane.param];
  const FrameCount position = timeline.position() - lane.delay;
  const AutomationLane::Piece piece = lane.lane->piece_at(position);
  const FrameCount begin = engine_frame + (piece.begin - position);
  stir(*lane.entry);
  if (!timeline.rolling()) {
    const double value = lane.lane->at(position);
    param.aim(value, value, engine_frame, 0, Curve::linear);
  } else {
    param.aim(piece.from, piece.to, begin, piece.frames, piece.curve);
  }
  return piece.end == kEndless ? kEndless : piece.end + lane.delay;
}

}  // namespace continuo::rt
