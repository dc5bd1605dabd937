#include "rt/nodes/recorder.hpp"

#include <algorithm>

#include "rt/command.hpp"
#include "rt/counters.hpp"
#include "rt/dsp/finite.hpp"
#include "rt/dsp/interleave.hpp"

namespace continuo::rt {
namespace {

constexpr std::uint32_t kMaxSinkChannels = 128;
constexpr std::uint32_t kTileSamples = 16 * kMaxSinkChannels;

/// True once no gap is open: a gap is told before the frame that follows it, or it goes on.
bool close_gap(Sink& sink) noexcept RT_NONBLOCKING {
  if (sink.audio_.open_gap == 0) return true;
  if (!sink.gaps.try_push({.at = sink.audio_.taken - sink.audio_.open_gap, .length = sink.audio_.open_gap}))
    return false;
  sink.audio_.open_gap = 0;
  return true;
}

/// Lets go of the sink for ever. A gap at the very end that found no room is known from frames_taken.
void finish(RecorderNode& node) noexcept RT_NONBLOCKING {
  Sink& sink = *node.audio_.sink;
  (void)close_gap(sink);
  sink.frames_taken.store(sink.audio_.taken, std::memory_order_release);
  node.audio_.sink = sink.next.exchange(nullptr, std::memory_order_acq_rel);
  sink.finished.store(true, std::memory_order_release);
}

/// Pushes `frames` frames for which there is room, from `at` frames into the buffers on.
void push(Sink& sink, const Member& m, std::uint32_t at, std::uint32_t frames, Counters& counters) noexcept
    RT_NONBLOCKING {
  alignas(64) float tile[kTileSamples];
  const std::uint32_t most = kTileSamples / sink.channels;
  for (std::uint32_t done = 0; done < frames;) {
    const std::uint32_t n = std::min(most, frames - done);
    dsp::interleave(tile, sink.channels, m.in, m.in_count, at + done, n);
    if (const std::uint32_t bad = dsp::make_finite(tile, n * sink.channels); bad != 0)
      counters.non_finite_recorded.fetch_add(bad, std::memory_order_relaxed);
    (void)sink.frames.write({tile, std::size_t{n} * sink.channels});
    done += n;
  }
}

/// The take begins with the slice's first frame.
void begin(RecorderNode& node, const Slice& slice) noexcept RT_NONBLOCKING {
  Sink& sink = *node.audio_.sink;
  const FrameCount taken = sink.audio_.taken;
  sink.audio_.begun = true;
  sink.audio_.end = sink.limit >= kEndless - taken ? kEndless : taken + std::max<FrameCount>(0, sink.limit);
  sink.start_engine_frame.store(slice.engine_frame, std::memory_order_relaxed);
  sink.start_timeline_frame.store(slice.timeline_frame, std::memory_order_relaxed);
  sink.begun_at.store(taken, std::memory_order_relaxed);
  sink.started.store(true, std::memory_order_release);
  if (sink.audio_.end <= taken) finish(node);
}

/// How many of the slice's last `frames` frames are the sink's. `last`: there it ends.
FrameCount wanted_of(const Sink& sink, const Slice& slice, std::uint32_t frames, bool& last) noexcept RT_NONBLOCKING {
  const auto& audio = sink.audio_;
  FrameCount wanted = frames;
  if (!audio.begun) return wanted;
  if (audio.end - audio.taken <= wanted) {
    wanted = audio.end - audio.taken;
    last = true;
  }
  // A slice never crosses a locate. A take that begins at its stop frame meets it at the next pass.
  const FrameCount until = sink.stop_timeline_frame == kNow ? -1 : sink.stop_timeline_frame - slice.timeline_frame;
  const FrameCount first = audio.taken > sink.begun_at.load(std::memory_order_relaxed) ? 0 : 1;
  if (slice.rolling && until >= first && until <= wanted) {
    wanted = until;
    last = true;
  }
  return wanted;
}

/// From `from` frames into the slice on. Returns where the sink's frames end.
std::uint32_t record(RecorderNode& node, const Member& m, const Slice& slice, std::uint32_t from) noexcept
    RT_NONBLOCKING {
  Sink& sink = *node.audio_.sink;
  bool last = false;
  const auto wanted = static_cast<std::uint32_t>(wanted_of(sink, slice, slice.frames - from, last));
  auto room = static_cast<std::uint32_t>(std::min<std::size_t>(sink.frames.space() / sink.channels, wanted));
  if (room != 0 && !close_gap(sink)) room = 0;
  push(sink, m, slice.buffer_offset + from, room, *slice.counters);
  sink.audio_.taken += wanted;
  if (const std::uint32_t lost = wanted - room; lost != 0) {
    sink.audio_.open_gap += lost;
    if (sink.audio_.begun) {
      sink.lost_frames.fetch_add(lost, std::memory_order_relaxed);
      slice.counters->lost_record_frames.fetch_add(lost, std::memory_order_relaxed);
    }
  }
  sink.frames_taken.store(sink.audio_.taken, std::memory_order_release);
  if (last) finish(node);
  return from + wanted;
}

class RecorderKind final : public NodeKind {
 public:
  constexpr RecorderKind() noexcept : NodeKind("recorder") {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }

  bool act(Member& member, Action& action, const Slice& slice) const noexcept RT_NONBLOCKING override {
    auto& node = static_cast<RecorderNode&>(*member.node);
    if (action.kind == Action::Kind::record_stop) {
      const bool meant = action.sink == nullptr || action.sink == node.audio_.sink;
      if (node.audio_.sink != nullptr && meant) finish(node);
      return true;
    }
    if (action.kind != Action::Kind::record_start) return false;
    Sink* const sink = action.sink;
    if (sink != nullptr && node.audio_.sink == sink && sink->waits && !sink->audio_.begun) {
      action.sink = nullptr;
      begin(node, slice);
      return true;
    }
    if (node.audio_.sink != nullptr || sink == nullptr || sink->channels == 0 || sink->channels > kMaxSinkChannels ||
        sink->finished.load(std::memory_order_relaxed))
      return false;
    action.sink = nullptr;
    node.audio_.sink = sink;
    if (!sink->waits) begin(node, slice);
    return true;
  }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      auto& node = static_cast<RecorderNode&>(*m.node);
      if (node.audio_.sink == nullptr) continue;
      // A take that ends within the slice leaves the rest of it to who listens next, who has no end.
      const std::uint32_t done = record(node, m, slice, 0);
      if (done < slice.frames && node.audio_.sink != nullptr) (void)record(node, m, slice, done);
    }
  }
};

constinit const RecorderKind kRecorder;

}  // namespace

RecorderNode::RecorderNode(Uid node_uid) : Node(kRecorder, node_uid, 0) {}

const NodeKind& recorder_kind() noexcept { return kRecorder; }

}  // namespace continuo::rt
