#include "rt/nodes/delay_line.hpp"

#include <algorithm>
#include <cstddef>

#include "rt/dsp/finite.hpp"
#include "rt/dsp/planar.hpp"
#include "rt/render_plan.hpp"

namespace continuo::rt {
namespace {

struct DelayLineNode final : Node {
  DelayLineNode(Uid node_uid, std::uint32_t channel_count, std::uint32_t frame_count)
      : Node(delay_line_kind(), node_uid, 0), channels(channel_count), frames(std::max(frame_count, 1u)) {
    audio_.rings = make_aligned_floats(std::size_t{channels} * frames);
  }
  const std::uint32_t channels;
  const std::uint32_t frames;
  struct {
    AlignedFloats rings;   // channel by channel
    std::uint32_t at = 0;  // of the oldest sample, which is the next to go out
  } audio_;
};

/// One channel: as much of the ring goes out as comes in.
void exchange(float* ring, float* out, const float* in, std::uint32_t count) noexcept RT_NONBLOCKING {
  alignas(64) float fresh[kBlockFrames];  // `in` may be `out`
  dsp::copy_finite(fresh, in, count);
  std::copy_n(ring, count, out);
  std::copy_n(fresh, count, ring);
}

class DelayLineKind final : public NodeKind {
 public:
  constexpr DelayLineKind() noexcept : NodeKind("delay_line", 0, true) {}
  [[nodiscard]] bool guarded() const noexcept RT_NONBLOCKING override { return false; }

  void process(Step& step, const Slice& slice) const noexcept RT_NONBLOCKING override {
    for (const Member& m : step.members) {
      auto& node = static_cast<DelayLineNode&>(*m.node);
      const std::uint32_t channels = std::min<std::uint32_t>({m.in_count, m.out_count, node.channels});
      for (std::uint32_t done = 0; done < slice.frames;) {
        const std::uint32_t count = std::min(slice.frames - done, node.frames - node.audio_.at);
        for (std::uint32_t c = 0; c < channels; ++c) {
          float* const ring = node.audio_.rings.get() + std::size_t{c} * node.frames + node.audio_.at;
          exchange(ring, m.to(c, slice) + done, m.from(c, slice) + done, count);
        }
        done += count;
        node.audio_.at = node.audio_.at + count == node.frames ? 0 : node.audio_.at + count;
      }
      for (std::uint32_t c = channels; c < m.out_count; ++c) dsp::silence(m.to(c, slice), slice.frames);
    }
  }
};

constinit const DelayLineKind kDelayLine;

}  // namespace

const NodeKind& delay_line_kind() noexcept { return kDelayLine; }

Node* make_delay_line(Uid uid, std::uint32_t channels, std::uint32_t frames) {
  return new DelayLineNode(uid, channels, frames);
}

}  // namespace continuo::rt
