#include "rt/nodes/meter_tap.hpp"

#include <algorithm>
#include <iterator>

#include "rt/prefetch.hpp"

namespace continuo::rt {
namespace {

MeterTapNode& tap(const Member& member) noexcept RT_NONBLOCKING { return static_cast<MeterTapNode&>(*member.node); }

std::uint32_t to_window(const MeterTapNode& node, FrameCount frame) noexcept RT_NONBLOCKING {
  return kMeterWindowFrames - static_cast<std::uint32_t>((frame + node.ahead) & (kMeterWindowFrames - 1));
}

std::uint32_t channels_of(const MeterTapNode& node, const Member& m) noexcept RT_NONBLOCKING {
  return std::min(m.in_count, node.audio_.channels);
}

void look(MeterTapNode& node) noexcept RT_NONBLOCKING {
  node.audio_.feed = node.slots->fed(node.audio_.feed);
  node.audio_.measures = node.audio_.feed != nullptr || node.slots->looked_at();
}

void publish(MeterTapNode& node, FrameCount end) noexcept RT_NONBLOCKING {
  const auto frames = static_cast<float>(node.audio_.frames);
  for (std::uint32_t c = 0; c < node.audio_.channels; ++c) {
    dsp::LevelSum& sum = node.audio_.sums[c];
    node.audio_.first[c].publish({.end_frame = end, .peak = sum.largest(), .mean_square = sum.total() / frames});
    sum = {};
  }
  node.audio_.frames = 0;
  ++node.audio_.windows;
}

/// `end`: the frame just after the window.
void end_window(MeterTapNode& node, FrameCount end) noexcept RT_NONBLOCKING {
  if (node.audio_.measures) publish(node, end);
  look(node);
}

/// Counts what is measured, and feeds it to who listens.
void note(MeterTapNode& node, const Member& m, const Slice& slice, std::uint32_t done, std::uint32_t frames) noexcept
    RT_NONBLOCKING {
  node.audio_.frames += frames;
  if (node.audio_.feed == nullptr) return;
  const auto from = [&, channels = channels_of(node, m)](std::uint32_t channel) noexcept
      RT_NONBLOCKING { return channel < channels ? m.from(channel, slice) + done : nullptr; };
  node.audio_.feed->push(slice.engine_frame + done, frames, from);
}

/// A slice that begins or ends amid the strands, or that goes on behind a window's end.
[[gnu::noinline]] void run_in_pieces(MeterTapNode& node, const Member& m, const Slice& slice) noexcept RT_NONBLOCKING {
  for (std::uint32_t done = 0; done < slice.frames;) {
    const FrameCount frame = slice.engine_frame + done;
    const std::uint32_t left = to_window(node, frame);
    const std::uint32_t n = std::min(slice.frames - done, left);
    if (node.audio_.measures) {
      for (std::uint32_t c = 0; c < channels_of(node, m); ++c)
        node.audio_.sums[c].add(*slice.kernels, m.from(c, slice) + done, frame, n);
      note(node, m, slice, done, n);
    }
    if (n == left) end_window(node, frame + n);
    done += n;
  }
}

/// What a step's meters have to do for one slice, gathered before it is done: what each needs comes while others are
/// gathered, and the kernel sums several side by side. What is rare is not inlined: the loop that gathers is a glance
/// for a meter that is off, and needs the registers.
class Work {
 public:
  explicit Work(const Slice& slice) noexcept RT_NONBLOCKING : slice_(slice) {}

  void sum(dsp::LevelSum& sum, const float* samples) noexcept RT_NONBLOCKING {
    if (run_count_ == kMaxLanes) sum_up();
    prefetch_to_write(&sum);
    prefetch(samples);
    runs_[run_count_++] = sum.run_of(samples);
  }
  /// Its window ends with the slice.
  [[gnu::noinline]] void end(MeterTapNode& node) noexcept RT_NONBLOCKING {
    if (end_count_ == kMaxLanes) finish();
    prefetch(&*node.slots);
    for (std::uint32_t c = 0; c < (node.audio_.measures ? node.audio_.channels : 0u); ++c)
      node.audio_.first[c].prepare(node.audio_.windows);
    ends_[end_count_++] = &node;
  }
  [[gnu::noinline]] void finish() noexcept RT_NONBLOCKING {
    sum_up();
    for (std::uint32_t i = 0; i < end_count_; ++i) end_window(*ends_[i], slice_.engine_frame + slice_.frames);
    end_count_ = 0;
  }

 private:
  [[gnu::noinline]] void sum_up() noexcept RT_NONBLOCKING {
    if (run_count_ != 0) slice_.kernels->levels(runs_, run_count_, slice_.frames);
    run_count_ = 0;
  }

  const Slice& slice_;
  std::uint32_t run_count_ = 0;
  std::uint32_t end_count_ = 0;
  dsp::LevelRun runs_[kMaxLanes];
  MeterTapNode* ends_[kMaxLanes];
};

class MeterKind final : public NodeKind {
 public:
  constexpr MeterKind() noexcept : NodeKind("meter") {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) prefetch_to_write(&tap(m).slots);
    const bool whole = dsp::LevelSum::takes_runs(slice.engine_frame, slice.frames);
    Work work(slice);
    for (const Member& m : step.members) {
      MeterTapNode& node = tap(m);
      if (!node.audio_.begun) {
        node.audio_.begun = true;
        look(node);
      }
      const std::uint32_t left = to_window(node, slice.engine_frame);
      if (!whole || left < slice.frames) {
        run_in_pieces(node, m, slice);
        continue;
      }
      if (node.audio_.measures) {
        for (std::uint32_t c = 0; c < channels_of(node, m); ++c) work.sum(node.audio_.sums[c], m.from(c, slice));
        note(node, m, slice, 0, slice.frames);
      }
      if (left == slice.frames) work.end(node);
    }
    work.finish();
  }
};

constinit const MeterKind kMeter;

}  // namespace

MeterTapNode::MeterTapNode(Uid node_uid, std::uint32_t channels, std::uint32_t frames_ahead)
    : Node(kMeter, node_uid, 0),
      slots(std::make_shared<MeterSlots>(channels)),
      ahead(frames_ahead),
      far(channels > std::size(near) ? std::make_unique<dsp::LevelSum[]>(channels) : nullptr) {
  audio_.channels = static_cast<std::uint16_t>(channels);
  audio_.sums = far ? far.get() : near;
  audio_.first = channels == 0 ? nullptr : &(*slots)[0];
}

const NodeKind& meter_kind() noexcept { return kMeter; }

}  // namespace continuo::rt
