#include "rt/nodes/meter_tap.hpp"

#include <algorithm>

#include "rt/prefetch.hpp"

namespace continuo::rt {
namespace {

MeterTapNode& tap(const Member& member) noexcept RT_NONBLOCKING { return static_cast<MeterTapNode&>(*member.node); }

std::uint32_t to_window(const MeterTapNode& node, FrameCount frame) noexcept RT_NONBLOCKING {
  return kMeterWindowFrames - static_cast<std::uint32_t>((frame + node.ahead) & (kMeterWindowFrames - 1));
}

void prefetch_all(std::span<const Member> members, const Slice& slice) noexcept RT_NONBLOCKING {
  for (const Member& m : members) prefetch(&tap(m).audio_);
  const auto ends = [&slice](const MeterTapNode& node) noexcept
      RT_NONBLOCKING { return to_window(node, slice.engine_frame) <= slice.frames; };
  for (const Member& m : members) {
    if (ends(tap(m))) prefetch(&*tap(m).slots);
    if (!tap(m).audio_.measures) continue;
    for (dsp::LevelSum& sum : tap(m).audio_.channels) prefetch_to_write(&sum);
  }
  for (const Member& m : members) {
    if (!tap(m).audio_.measures || !ends(tap(m))) continue;
    for (MeterSlot& slot : *tap(m).slots) slot.prepare(tap(m).audio_.windows);
  }
}

class MeterKind final : public NodeKind {
 public:
  constexpr MeterKind() noexcept : NodeKind("meter") {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    prefetch_all(step.members, slice);
    for (const Member& m : step.members) {
      MeterTapNode& node = tap(m);
      if (!node.audio_.begun) {
        node.audio_.begun = true;
        node.audio_.measures = node.slots->looked_at();
      }
      for (std::uint32_t done = 0; done < slice.frames;) {
        const FrameCount frame = slice.engine_frame + done;
        const std::uint32_t left = to_window(node, frame);
        const std::uint32_t n = std::min(slice.frames - done, left);
        if (node.audio_.measures) measure(node, m, slice, done, n);
        if (n == left) {
          if (node.audio_.measures) publish(node, frame + n);
          node.audio_.measures = node.slots->looked_at();
        }
        done += n;
      }
    }
  }

 private:
  static void measure(MeterTapNode& node, const Member& m, const Slice& slice, std::uint32_t done,
                      std::uint32_t frames) noexcept RT_NONBLOCKING {
    const std::size_t channels = std::min<std::size_t>(m.in_count, node.audio_.channels.size());
    for (std::size_t c = 0; c < channels; ++c)
      node.audio_.channels[c].add(m.from(static_cast<std::uint32_t>(c), slice) + done, slice.engine_frame + done,
                                  frames);
    node.audio_.frames += frames;
  }

  static void publish(MeterTapNode& node, FrameCount end) noexcept RT_NONBLOCKING {
    const auto frames = static_cast<float>(node.audio_.frames);
    for (std::size_t c = 0; c < node.audio_.channels.size(); ++c) {
      dsp::LevelSum& sum = node.audio_.channels[c];
      (*node.slots)[c].publish({.end_frame = end, .peak = sum.largest(), .mean_square = sum.total() / frames});
      sum = {};
    }
    node.audio_.frames = 0;
    ++node.audio_.windows;
  }
};

constinit const MeterKind kMeter;

}  // namespace

MeterTapNode::MeterTapNode(Uid node_uid, std::uint32_t channels, std::uint32_t frames_ahead)
    : Node(kMeter, node_uid, 0), ahead(frames_ahead), slots(std::make_shared<MeterSlots>(channels)) {
  audio_.channels.resize(channels);
}

const NodeKind& meter_kind() noexcept { return kMeter; }

}  // namespace continuo::rt
